//! Lends a handle's identity to child processes: an identity endpoint on loopback, in the protocols
//! that the component speaks.
//!
//! Each request goes to an instance of the front role, which has no vault and no credential. The
//! instance checks the secret in the request and asks the in-process identity endpoint. Nothing is
//! cached before that check.

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

use crate::error::{Error, Kind};
use crate::handle::Vaultlet;
use crate::internal::refusal;
use crate::limits;
use crate::role::{Front, random_secret};

/// Settings of a lent identity endpoint. The default is any free port, and tokens for Key Vault of
/// the configured cloud.
#[derive(Clone, Debug, Default)]
pub struct Lend {
    /// The port on 127.0.0.1. `None` means any free port.
    pub port: Option<u16>,
    /// The resources that tokens may be requested for (`https://vault.azure.net`). An empty list
    /// means Key Vault of the configured cloud.
    pub resources: Vec<String>,
}

/// A lent identity endpoint. Dropping this closes the endpoint and all its connections.
pub struct Lent {
    address: String,
    variables: Vec<(String, String)>,
    counts: Arc<Counts>,
    serving: AbortHandle,
    /// Keeps the threads that serve the endpoint.
    _vaultlet: Vaultlet,
}

type Counts = Mutex<BTreeMap<u16, u64>>;

/// What the connections of a lent endpoint share.
struct Serving {
    front: Front,
    /// The time that one request may take.
    timeout: Duration,
    counts: Arc<Counts>,
}

impl Vaultlet {
    /// Lends this handle's identity to child processes, which find the endpoint by
    /// [`Lent::variables`] and share the handle's cache. Any process that has those variables can
    /// get tokens for the resources in `lend`, and for no other.
    ///
    /// No network. The error is of kind [`Unavailable`](Kind::Unavailable) when the port is taken,
    /// and of kind [`Configuration`](Kind::Configuration) when a setting is wrong.
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
        let address = listener.local_addr().map_err(unbound)?.to_string();
        let secret = random_secret()?;
        let variables = block_on(self.planner()?.lent_variables(&address, &secret))?;
        let (front, runtime) = self.front([
            ("VAULTLET_LENT_AUTHORITY", address.as_str()),
            ("VAULTLET_LENT_SECRET", secret.as_str()),
            ("VAULTLET_LENT_RESOURCES", &lend.resources.join(",")),
        ])?;
        let counts = Arc::<Counts>::default();
        let listener = {
            let _runtime = runtime.enter();
            tokio::net::TcpListener::from_std(listener).map_err(unbound)?
        };
        let serving = Serving { front, timeout: self.timeout()?, counts: Arc::clone(&counts) };
        let serving = runtime.spawn(serve(listener, Arc::new(serving))).abort_handle();
        Ok(Lent { address, variables, counts, serving, _vaultlet: self.clone() })
    }
}

impl Lent {
    /// The endpoint's address: `127.0.0.1:40123`.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The environment variables by which a child process finds the endpoint. Several of them hold
    /// the secret that the child must present.
    pub fn variables(&self) -> &[(String, String)] {
        &self.variables
    }

    /// How many requests were served so far, by HTTP status.
    pub fn requests(&self) -> BTreeMap<u16, u64> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl fmt::Debug for Lent {
    // The variables hold the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Lent({})", self.address)
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        self.serving.abort();
        self.variables.iter_mut().for_each(|(_, value)| value.zeroize());
    }
}

/// Accepts connections until the task is aborted, which also closes them.
async fn serve(listener: tokio::net::TcpListener, serving: Arc<Serving>) {
    let permits = Arc::new(Semaphore::new(limits::LENT_CONNECTIONS));
    let mut connections = JoinSet::new();
    while let Ok(permit) = Arc::clone(&permits).acquire_owned().await {
        let Ok((stream, _)) = listener.accept().await else {
            // Usually the process is out of file descriptors, which become free again.
            tokio::time::sleep(limits::LENT_PAUSE).await;
            continue;
        };
        let serving = Arc::clone(&serving);
        connections.spawn(async move {
            serve_connection(stream, serving).await;
            drop(permit);
        });
        while connections.try_join_next().is_some() {}
    }
}

async fn serve_connection(stream: TcpStream, serving: Arc<Serving>) {
    let service = service_fn(|request: Request<Incoming>| {
        let serving = Arc::clone(&serving);
        async move {
            let method = request.method().clone();
            let response = respond(&serving, request).await;
            let status = response.status().as_u16();
            *serving
                .counts
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .entry(status)
                .or_default() += 1;
            // Without the path, which may hold the secret.
            tracing::info!(target: "vaultlet", "lent: {method} {status}");
            Ok::<_, Infallible>(response)
        }
    });
    // A connection that the client closes early is not a failure.
    let _ = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits::LENT_HEADERS)
        .max_buf_size(limits::LENT_HEADERS_MAX)
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

async fn respond(serving: &Serving, request: Request<Incoming>) -> Response<WasiBody> {
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
    let handled = serving.front.request(Request::from_parts(parts, body));
    match timeout(serving.timeout, handled).await {
        Ok(Ok(response)) => response.to_response(),
        Ok(Err(_)) => refusal(StatusCode::INTERNAL_SERVER_ERROR, "the identity endpoint failed"),
        Err(_) => refusal(StatusCode::GATEWAY_TIMEOUT, "no answer within the time allowed"),
    }
}

/// Whether there is exactly one `Host` header, and it is not empty.
fn names_one_host(headers: &HeaderMap) -> bool {
    let mut hosts = headers.get_all(header::HOST).iter();
    hosts.next().is_some_and(|host| !host.is_empty()) && hosts.next().is_none()
}
