//! The HTTP client: one connection pool for each purpose, and one for each server with trust
//! settings of its own, so that no request reuses a connection that the rules of another allowed.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper_util::client::legacy;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::time::{Instant, Sleep};
use wasmtime_wasi_http::{Error as WasiError, RequestOptions, WasiBody};

use crate::limits;

use super::connect::Connector;
use super::failure::Failure;
use super::server::{PlannedServer, Purpose, Trust};
use super::transport::Transport;

type ConnectionPool = legacy::Client<Connector, WasiBody>;

/// Sends requests that the grant allows.
pub(crate) struct Client {
    transport: Arc<Transport>,
    vaults: ConnectionPool,
    token_authorities: ConnectionPool,
    identity_endpoints: ConnectionPool,
    /// Pools of servers with trust settings of their own. A plan names few of them.
    private: Mutex<Vec<(PlannedServer, ConnectionPool)>>,
}

impl Client {
    pub(crate) fn new(transport: Arc<Transport>) -> Self {
        let shared = |purpose| connection_pool(&transport, purpose, Trust::Roots);
        Self {
            vaults: shared(Purpose::Vault),
            token_authorities: shared(Purpose::TokenAuthority),
            identity_endpoints: shared(Purpose::IdentityEndpoint),
            private: Mutex::default(),
            transport,
        }
    }

    /// Sends one request and follows no redirect. The body of the response is limited in size and
    /// in the time between two pieces.
    ///
    /// The first-byte timeout includes connecting.
    pub(crate) async fn send(
        &self,
        to: &PlannedServer,
        mut request: Request<WasiBody>,
        options: RequestOptions,
    ) -> Result<Response<WasiBody>, Failure> {
        let private;
        let pool = match (&to.trust, to.purpose) {
            (Trust::Pinned(_) | Trust::Private { .. }, _) => {
                private = self.private_pool(to);
                &private
            }
            (_, Purpose::Vault) => &self.vaults,
            (_, Purpose::TokenAuthority) => &self.token_authorities,
            (_, Purpose::IdentityEndpoint) => &self.identity_endpoints,
        };
        for value in request.headers_mut().values_mut() {
            value.set_sensitive(true);
        }
        let within = options.first_byte_timeout.unwrap_or(limits::FIRST_BYTE);
        let response = tokio::time::timeout(within, pool.request(request))
            .await
            .map_err(|_| Failure::ResponseTimeout)?
            .map_err(|e| Failure::from_client(&e))?;
        let between = options.between_bytes_timeout.unwrap_or(limits::BETWEEN_BYTES);
        Ok(response.map(|body| Capped::new(body, between).boxed_unsync()))
    }

    fn private_pool(&self, to: &PlannedServer) -> ConnectionPool {
        let mut private = self.private.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, pool)) = private.iter().find(|(server, _)| server == to) {
            return pool.clone();
        }
        let pool = connection_pool(&self.transport, to.purpose, to.trust.clone());
        private.push((to.clone(), pool.clone()));
        pool
    }
}

fn connection_pool(transport: &Arc<Transport>, purpose: Purpose, trust: Trust) -> ConnectionPool {
    legacy::Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(limits::IDLE)
        .pool_max_idle_per_host(limits::IDLE_PER_SERVER)
        .http1_max_buf_size(limits::HEADERS_MAX)
        .build(Connector { transport: Arc::clone(transport), purpose, trust })
}

/// A body that ends in an error when it is too large or when a piece is late.
struct Capped {
    inner: Incoming,
    left: usize,
    between: Duration,
    late: Option<Pin<Box<Sleep>>>,
}

impl Capped {
    fn new(inner: Incoming, between: Duration) -> Self {
        Self { inner, left: limits::BODY_MAX, between, late: None }
    }
}

impl Body for Capped {
    type Data = Bytes;
    type Error = WasiError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, WasiError>>> {
        let this = &mut *self;
        if let Poll::Ready(frame) = Pin::new(&mut this.inner).poll_frame(cx) {
            this.late = None;
            return Poll::Ready(match frame {
                Some(Ok(frame)) => {
                    let size = frame.data_ref().map_or(0, Bytes::len);
                    match this.left.checked_sub(size) {
                        Some(left) => {
                            this.left = left;
                            Some(Ok(frame))
                        }
                        None => Some(Err(Failure::TooLarge.into_wasi())),
                    }
                }
                Some(Err(error)) => Some(Err(Failure::from_hyper(&error).into_wasi())),
                None => None,
            });
        }
        let between = this.between;
        let late = this
            .late
            .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(Instant::now() + between)));
        ready!(late.as_mut().poll(cx));
        Poll::Ready(Some(Err(Failure::ResponseTimeout.into_wasi())))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
