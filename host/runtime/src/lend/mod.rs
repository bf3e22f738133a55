//! Lends a handle's identity to child processes: an identity endpoint on loopback, in the protocols
//! that the component speaks.
//!
//! Each request goes to an instance of the front role, which has no vault and no credential. The
//! instance checks the secret in the request and asks the in-process identity endpoint. Nothing is
//! cached before that check. A request in which the secret is nowhere gets no instance, and its body
//! is not read.

mod head;
mod places;
mod stream;

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fmt;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header, request};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming as IncomingBody;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use socket2::{Domain, Socket, Type};
use subtle::ConstantTimeEq as _;
use tokio::net::TcpStream;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{sleep, timeout};
use zeroize::{Zeroize as _, Zeroizing};

use crate::error::{Error, Kind};
use crate::exhausted::exhausted;
use crate::handle::Vaultlet;
use crate::instance::{Incoming, Reply};
use crate::limits;
use crate::role::{Front, random_secret};
use crate::runtime_thread::RuntimeThread;
use crate::system::limits::open_files;

#[doc(hidden)]
pub use head::poll_head;

use places::Places;
use stream::{Connection, Stream};

/// Settings of a lent identity endpoint. The default is any free port, and tokens for Key Vault of
/// the configured cloud.
#[derive(Clone, Debug, Default)]
pub struct Lend {
    /// The port on 127.0.0.1. `None` means any free port.
    pub port: Option<u16>,
    /// The resources that tokens may be requested for (`https://vault.azure.net`). An empty list
    /// means Key Vault of the configured cloud.
    pub resources: Vec<String>,
    /// Whether a child process may choose an identity where the handle's settings or environment name
    /// one. The default is that only the named identity is lent.
    pub any_identity: bool,
}

/// A lent identity endpoint. Dropping this closes the endpoint and all its connections.
pub struct Lent {
    address: String,
    variables: Vec<(String, String)>,
    counts: Arc<Counts>,
    serving: AbortHandle,
    /// The thread that serves the endpoint.
    _thread: RuntimeThread,
}

type Counts = Mutex<BTreeMap<u16, u64>>;

/// What the connections of a lent endpoint share.
struct Serving {
    vaultlet: Vaultlet,
    front: Arc<Front>,
    counts: Arc<Counts>,
    secret: Zeroizing<String>,
}

impl Vaultlet {
    /// Lends this handle's identity to child processes, which find the endpoint by
    /// [`Lent::variables`] and share the handle's cache. Any process that has those variables can
    /// get tokens for the resources in `lend`, and for no other.
    ///
    /// No network. The error is of kind [`Unavailable`](Kind::Unavailable) when the port is taken,
    /// of kind [`InvalidArgument`](Kind::InvalidArgument) when a resource is empty or malformed, and of
    /// kind [`Configuration`](Kind::Configuration) when a setting is wrong.
    pub fn lend(&self, lend: Lend) -> Result<Lent, Error> {
        let port = lend.port.unwrap_or(0);
        let unbound = |error: std::io::Error| {
            let missing = exhausted("lending the identity endpoint", &error);
            missing.unwrap_or_else(|| {
                Error::new(
                    Kind::Unavailable,
                    "lend-port",
                    format!("lending the identity endpoint at port {port}: {}", error.kind()),
                    "choose another port, or none for any that is free",
                )
            })
        };
        // A resource that is empty is one, and not the default.
        let resources = match lend.resources.join(",") {
            joined if joined.trim().is_empty() && !lend.resources.is_empty() => ",".into(),
            joined => joined,
        };
        let listener = listen(port).map_err(unbound)?;
        let address = listener.local_addr().map_err(unbound)?.to_string();
        let secret = random_secret()?;
        let (variables, front) = self.block("lending the identity endpoint", |source, call| {
            let operations = source.operations()?;
            let mut settings = operations.settings.clone();
            settings.push(("VAULTLET_LENT_RESOURCES".into(), resources.clone()));
            operations.planner.check(&settings, call)?;
            let variables = operations.planner.lent_variables(&address, &secret, call)?;
            let identity = match lend.any_identity {
                true => String::new(),
                false => operations.named_identity(call)?,
            };
            let front = operations.front(&[
                ("VAULTLET_LENT_AUTHORITY", address.as_str()),
                ("VAULTLET_LENT_SECRET", secret.as_str()),
                ("VAULTLET_LENT_RESOURCES", resources.as_str()),
                ("VAULTLET_LENT_IDENTITY", &identity),
            ]);
            Ok((variables, Arc::new(front)))
        })?;
        let counts = Arc::<Counts>::default();
        let thread = RuntimeThread::start()?;
        let listener = {
            let _runtime = thread.handle().enter();
            tokio::net::TcpListener::from_std(listener).map_err(unbound)?
        };
        let serving =
            Serving { vaultlet: self.clone(), front, counts: Arc::clone(&counts), secret };
        let serving = thread.handle().spawn(serve(listener, Arc::new(serving))).abort_handle();
        Ok(Lent { address, variables, counts, serving, _thread: thread })
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

/// Listens on loopback, with room for as many connections that wait as the system allows.
fn listen(port: u16) -> std::io::Result<TcpListener> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    // As the standard library does: a port is free again as soon as its owner has ended.
    socket.set_reuse_address(true)?;
    socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)).into())?;
    socket.listen(limits::LENT_BACKLOG)?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}

/// How many connections the file descriptors of this process are enough for.
fn most_connections() -> usize {
    let descriptors = open_files().unwrap_or(u64::MAX);
    let descriptors = usize::try_from(descriptors).unwrap_or(usize::MAX);
    let left = descriptors.saturating_sub(limits::LENT_DESCRIPTORS_LEFT).max(descriptors / 4);
    left.clamp(1, limits::LENT_CONNECTIONS)
}

/// Accepts connections until the task is aborted, which also closes them.
async fn serve(listener: tokio::net::TcpListener, serving: Arc<Serving>) {
    let places = Places::new(most_connections());
    let mut connections = JoinSet::new();
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // Usually the process is out of file descriptors, which become free again.
            if !places.close_one() {
                sleep(limits::LENT_PAUSE).await;
            }
            tokio::task::yield_now().await;
            continue;
        };
        let connection = Connection::new(places.take().await);
        let (serving, for_task) = (Arc::clone(&serving), Arc::clone(&connection));
        let task = connections.spawn(serve_connection(stream, for_task, serving));
        connection.place.set_task(task);
        // What came with the connection is read before it can be closed for another one.
        tokio::task::yield_now().await;
        while connections.try_join_next().is_some() {}
    }
}

async fn serve_connection(tcp: TcpStream, connection: Arc<Connection>, serving: Arc<Serving>) {
    let service = service_fn(|request: Request<IncomingBody>| {
        let (serving, connection) = (Arc::clone(&serving), Arc::clone(&connection));
        async move {
            connection.begin();
            let method = request.method().clone();
            let response = respond(&serving, &connection, request).await;
            connection.end();
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
    let stream = Stream { tcp, connection: Arc::clone(&connection) };
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits::LENT_HEADERS)
        .max_buf_size(limits::LENT_HEADERS_MAX)
        .serve_connection(TokioIo::new(stream), service);
    let overdue = async {
        sleep(limits::LENT_STRANGER).await;
        if !connection.place.is_stranger() {
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        // A connection that the client closes early is not a failure.
        _ = served => {}
        () = overdue => {}
    }
}

async fn respond(
    serving: &Serving,
    connection: &Connection,
    request: Request<IncomingBody>,
) -> Response<Full<Bytes>> {
    let (parts, body) = request.into_parts();
    if parts.uri.authority().is_none() && !names_one_host(&parts.headers) {
        return refusal(StatusCode::BAD_REQUEST, "no host");
    }
    if head_length(&parts) > limits::LENT_HEADERS_MAX {
        return refusal(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "too large");
    }
    if !shows(&parts, &serving.secret) {
        return unauthorized();
    }
    connection.place.begin();
    let body = Limited::new(body, limits::LENT_BODY_MAX).collect();
    match timeout(limits::LENT_BODY, body).await {
        Ok(Ok(_)) => {}
        Ok(Err(_)) => return refusal(StatusCode::PAYLOAD_TOO_LARGE, "too large"),
        Err(_) => return refusal(StatusCode::REQUEST_TIMEOUT, "too slow"),
    }
    let (front, incoming) = (Arc::clone(&serving.front), incoming(&parts));
    let handled = serving.vaultlet.pending("serving the identity endpoint", move |_, call| {
        let reply = front.request(&incoming, call);
        incoming.headers.into_iter().for_each(|(_, mut value)| value.zeroize());
        reply
    });
    let reply = match handled {
        Ok(pending) => pending.await,
        Err(error) => Err(error),
    };
    match reply {
        Ok(reply) => response(reply),
        Err(error) if error.kind == Kind::Timeout => {
            refusal(StatusCode::GATEWAY_TIMEOUT, "no answer within the time allowed")
        }
        Err(_) => refusal(StatusCode::INTERNAL_SERVER_ERROR, "the identity endpoint failed"),
    }
}

/// Whether the secret is in a request: as the value of a header, or between two slashes of the path.
/// The component decides whether it is in the right place.
fn shows(parts: &request::Parts, secret: &str) -> bool {
    let is_secret = |shown: &[u8]| bool::from(shown.ct_eq(secret.as_bytes()));
    let in_path = parts.uri.path().split('/').any(|segment| is_secret(segment.as_bytes()));
    in_path | parts.headers.values().any(|value| is_secret(value.as_bytes()))
}

/// The length of a header section, at least: without optional white space.
fn head_length(parts: &request::Parts) -> usize {
    let target = parts.uri.path_and_query().map_or(0, |target| target.as_str().len());
    let line = parts.method.as_str().len() + target + " HTTP/1.1\r\n\r\n".len() + 1;
    let header = |(name, value): (&header::HeaderName, &HeaderValue)| {
        name.as_str().len() + value.len() + ":\r\n".len()
    };
    line + parts.headers.iter().map(header).sum::<usize>()
}

/// The response to a request without the secret, as the component's own; the connection is closed.
fn unauthorized() -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = StatusCode::UNAUTHORIZED;
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}

/// A request as the component takes it.
fn incoming(parts: &request::Parts) -> Incoming {
    // A value that is not text becomes empty, which is as wrong.
    let text = |value: &HeaderValue| value.to_str().unwrap_or_default().to_owned();
    let authority = parts.uri.authority().map(|authority| authority.as_str().to_owned());
    let target = parts.uri.path_and_query().map(|target| target.as_str().to_owned());
    Incoming {
        is_get: parts.method == Method::GET,
        target: target.unwrap_or_default(),
        host: authority.or_else(|| parts.headers.get(header::HOST).map(text)),
        headers: parts.headers.iter().map(|(n, v)| (n.as_str().to_owned(), text(v))).collect(),
    }
}

fn response(reply: Reply) -> Response<Full<Bytes>> {
    let Reply { status, headers, body } = reply;
    // Scrubbed when the last copy is dropped.
    let body = Bytes::from_owner(Zeroizing::new(body.into_bytes()));
    let mut response = Response::new(Full::new(body));
    *response.status_mut() =
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in headers {
        let name = header::HeaderName::try_from(name);
        if let (Ok(name), Ok(value)) = (name, HeaderValue::try_from(value)) {
            response.headers_mut().append(name, value);
        }
    }
    response
}

/// A response whose text tells people why the request failed.
fn refusal(status: StatusCode, text: &'static str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(text.into()));
    *response.status_mut() = status;
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, plain);
    response
}

/// Whether there is exactly one `Host` header, and it is not empty.
fn names_one_host(headers: &HeaderMap) -> bool {
    let mut hosts = headers.get_all(header::HOST).iter();
    hosts.next().is_some_and(|host| !host.is_empty()) && hosts.next().is_none()
}
