//! The pooled client: a pool for each purpose, and one for each server that is trusted in a way of
//! its own, so that none reuses a connection which the rules of another allowed.

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
use wasmtime_wasi_http::{Error as WasiError, WasiBody};

use crate::authority::{PlannedServer, Purpose, Trust};
use crate::limits;

use super::connect::Connector;
use super::{Failure, Transport};

pub(crate) use wasmtime_wasi_http::RequestOptions;

type Pool = legacy::Client<Connector, WasiBody>;

/// Sends requests that were granted.
pub(crate) struct Client {
    transport: Arc<Transport>,
    vaults: Pool,
    token_authorities: Pool,
    identity_endpoints: Pool,
    /// As many as plans name, which are few.
    own: Mutex<Vec<(PlannedServer, Pool)>>,
}

impl Client {
    pub(crate) fn new(transport: Arc<Transport>) -> Self {
        let shared = |purpose| pool(&transport, purpose, Trust::Roots);
        Self {
            vaults: shared(Purpose::Vault),
            token_authorities: shared(Purpose::TokenAuthority),
            identity_endpoints: shared(Purpose::IdentityEndpoint),
            own: Mutex::default(),
            transport,
        }
    }

    /// One request, no redirect followed. The body that comes back is capped and timed.
    ///
    /// The time to the first byte counts from here, connecting included.
    pub(crate) async fn send(
        &self,
        to: &PlannedServer,
        mut request: Request<WasiBody>,
        options: RequestOptions,
    ) -> Result<Response<WasiBody>, Failure> {
        let own;
        let pool = match (&to.trust, to.purpose) {
            (Trust::Pinned(_) | Trust::Private { .. }, _) => {
                own = self.own(to);
                &own
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
            .map_err(|_| Failure::AnswerTimeout)?
            .map_err(|e| Failure::of_client(&e))?;
        let between = options.between_bytes_timeout.unwrap_or(limits::BETWEEN_BYTES);
        Ok(response.map(|body| Capped::new(body, between).boxed_unsync()))
    }

    fn own(&self, to: &PlannedServer) -> Pool {
        let mut own = self.own.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, pool)) = own.iter().find(|(authority, _)| authority == to) {
            return pool.clone();
        }
        let pool = pool(&self.transport, to.purpose, to.trust.clone());
        own.push((to.clone(), pool.clone()));
        pool
    }
}

fn pool(transport: &Arc<Transport>, purpose: Purpose, trust: Trust) -> Pool {
    legacy::Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(limits::IDLE)
        .pool_max_idle_per_host(limits::IDLE_PER_SERVER)
        .http1_max_buf_size(limits::HEADERS_MAX)
        .build(Connector { transport: Arc::clone(transport), purpose, trust })
}

/// A body that ends in an error past its size or when a piece is late.
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
                Some(Err(error)) => Some(Err(Failure::of_hyper(&error).into_wasi())),
                None => None,
            });
        }
        let between = this.between;
        let late = this
            .late
            .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(Instant::now() + between)));
        ready!(late.as_mut().poll(cx));
        Poll::Ready(Some(Err(Failure::AnswerTimeout.into_wasi())))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
