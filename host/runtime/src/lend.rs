//! The identity endpoint lent to child processes, on loopback, in the protocols that the component
//! speaks. Each request goes to an instance of the front role: it has no vault and no credential, checks
//! the caller's secret, and asks the in-process endpoint. Nothing is remembered before that check.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fmt;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_lite::future::block_on;
use http::{HeaderMap, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::timeout;
use wasmtime_wasi_http::WasiBody;
use zeroize::Zeroize as _;

use crate::Vaultlet;
use crate::broker::random_secret;
use crate::cache::Answer;
use crate::error::{Error, Kind};
use crate::grant::Grant;
use crate::handler::handle;
use crate::inside::{answer, refusal};
use crate::level::Level;
use crate::limits;

/// What is lent. The default is any free port, and tokens for Key Vault of the configured cloud.
#[derive(Clone, Debug, Default)]
pub struct Lend {
    /// The port on 127.0.0.1; any free one unless set.
    pub port: Option<u16>,
    /// The resources that may be asked for (`https://vault.azure.net`); none means Key Vault of the
    /// configured cloud.
    pub resources: Vec<String>,
}

/// The identity endpoint as it is lent, until this is dropped.
pub struct Lent {
    authority: String,
    variables: Vec<(String, String)>,
    counts: Arc<Counts>,
    serving: AbortHandle,
    /// What serves lives on its threads.
    _vaultlet: Vaultlet,
}

type Counts = Mutex<BTreeMap<u16, u64>>;

/// What answers lent requests.
pub(crate) struct Front {
    pub(crate) level: Arc<Level>,
    pub(crate) grant: Arc<Grant>,
    /// The whole of one request.
    pub(crate) timeout: Duration,
}

impl Vaultlet {
    /// Lends this handle's identity to child processes, which find it by [`Lent::variables`] and share
    /// its cache. Whoever has those variables gets tokens of the resources named here, and no other.
    ///
    /// No network. Errors are of kind `unavailable` when the port is taken, and of `configuration`.
    pub fn lend(&self, lend: Lend) -> Result<Lent, Error> {
        let port = lend.port.unwrap_or(0);
        let unbound = |error: std::io::Error| {
            Error::new(
                Kind::Unavailable,
                "lend-port",
                format!("lending the identity endpoint at port {port}: {}", error.kind()),
                "choose another port, or none for any that is free",
            )
        };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(unbound)?;
        listener.set_nonblocking(true).map_err(unbound)?;
        let authority = listener.local_addr().map_err(unbound)?.to_string();
        let secret = random_secret()?;
        let variables = block_on(self.planner()?.lent(&authority, &secret))?;
        let (front, runtime) = self.front([
            ("VAULTLET_LENT_AUTHORITY", authority.as_str()),
            ("VAULTLET_LENT_SECRET", secret.as_str()),
            ("VAULTLET_LENT_RESOURCES", &lend.resources.join(",")),
        ])?;
        let counts = Arc::<Counts>::default();
        let listener = {
            let _inside = runtime.enter();
            tokio::net::TcpListener::from_std(listener).map_err(unbound)?
        };
        let serving = runtime.spawn(serve(listener, Arc::new(front), Arc::clone(&counts)));
        let serving = serving.abort_handle();
        Ok(Lent { authority, variables, counts, serving, _vaultlet: self.clone() })
    }
}

impl Lent {
    /// Where it is: `127.0.0.1:40123`.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// The variables by which a child finds it. Several of them hold the secret that it shows.
    pub fn variables(&self) -> &[(String, String)] {
        &self.variables
    }

    /// How many requests were answered so far, by status.
    pub fn requests(&self) -> BTreeMap<u16, u64> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl fmt::Debug for Lent {
    // The variables hold the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Lent({})", self.authority)
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        self.serving.abort();
        self.variables.iter_mut().for_each(|(_, value)| value.zeroize());
    }
}

/// Ends, with all its connections, when the task is aborted.
async fn serve(listener: tokio::net::TcpListener, front: Arc<Front>, counts: Arc<Counts>) {
    let places = Arc::new(Semaphore::new(limits::LENT_CONNECTIONS));
    let mut connections = JoinSet::new();
    while let Ok(place) = Arc::clone(&places).acquire_owned().await {
        let Ok((stream, _)) = listener.accept().await else {
            // No file descriptors, as a rule; they come back.
            tokio::time::sleep(limits::LENT_PAUSE).await;
            continue;
        };
        let (front, counts) = (Arc::clone(&front), Arc::clone(&counts));
        connections.spawn(async move {
            connection(stream, front, counts).await;
            drop(place);
        });
        while connections.try_join_next().is_some() {}
    }
}

async fn connection(stream: TcpStream, front: Arc<Front>, counts: Arc<Counts>) {
    let service = service_fn(|request: Request<Incoming>| {
        let (front, counts) = (Arc::clone(&front), Arc::clone(&counts));
        async move {
            let method = request.method().clone();
            let response = respond(&front, request).await;
            let status = response.status().as_u16();
            *counts.lock().unwrap_or_else(PoisonError::into_inner).entry(status).or_default() += 1;
            // Not its path, which may hold the secret.
            tracing::info!(target: "vaultlet", "lent: {method} {status}");
            Ok::<_, Infallible>(response)
        }
    });
    // What a client breaks off is no failure of ours.
    let _ = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits::LENT_HEADERS)
        .max_buf_size(limits::LENT_HEADERS_MAX)
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

async fn respond(front: &Front, request: Request<Incoming>) -> Response<WasiBody> {
    let (parts, body) = request.into_parts();
    if parts.uri.authority().is_none() && !names_one_host(&parts.headers) {
        return refusal(StatusCode::BAD_REQUEST, "no host");
    }
    let body = Limited::new(body, limits::LENT_BODY_MAX).collect();
    let body = match timeout(limits::LENT_BODY, body).await {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(_)) => return refusal(StatusCode::PAYLOAD_TOO_LARGE, "too large"),
        Err(_) => return refusal(StatusCode::REQUEST_TIMEOUT, "too slow"),
    };
    let body = Full::new(body).map_err(|never| match never {}).boxed_unsync();
    let handled = handle(&front.level, &front.grant, Request::from_parts(parts, body));
    match timeout(front.timeout, handled).await {
        Ok(Ok(Answer { status, headers, body, .. })) => {
            let mut response = answer(status, body);
            *response.headers_mut() = headers;
            response
        }
        Ok(Err(_)) => refusal(StatusCode::INTERNAL_SERVER_ERROR, "the identity endpoint failed"),
        Err(_) => refusal(StatusCode::GATEWAY_TIMEOUT, "no answer within the time allowed"),
    }
}

fn names_one_host(headers: &HeaderMap) -> bool {
    let mut hosts = headers.get_all(header::HOST).iter();
    hosts.next().is_some_and(|host| !host.is_empty()) && hosts.next().is_none()
}
