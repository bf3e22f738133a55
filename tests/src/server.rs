//! A scripted server on a loopback port that records its requests. A slow response waits for a
//! [`Gate`], never for a clock.

use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, TcpListener as StdListener};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, Response};
use http_body_util::channel::{Channel, Sender};
use http_body_util::{BodyExt as _, Collected};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

use crate::tls::Leaf;

/// How long a test waits for a request before it fails. No test asserts a shorter time.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);

/// A request that arrived. `Debug` shows neither headers nor body, as they hold secrets.
#[derive(Clone)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// Path and query; for CONNECT, host and port.
    pub target: String,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl Request {
    /// A header as text; empty if it is absent.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} at {}", self.method, self.target, self.header("host"))
    }
}

/// Holds responses back until the test opens it. A gate whose last clone is dropped never opens.
#[derive(Clone, Debug)]
pub struct Gate(Arc<watch::Sender<bool>>);

impl Default for Gate {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(false)))
    }
}

impl Gate {
    /// Releases all responses, now and later.
    pub fn open(&self) {
        self.0.send_replace(true);
    }

    /// Resolves when the gate is open. The future holds no clone of the sender, so a dropped gate never
    /// opens.
    fn passed(&self) -> impl Future<Output = ()> + Send + 'static {
        let mut open = self.0.subscribe();
        async move {
            if open.wait_for(|open| *open).await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }
}

/// A piece of a body.
#[derive(Clone, Debug)]
enum Piece {
    Bytes(Bytes),
    /// A number of spaces.
    Spaces(usize),
    /// Nothing more, with the connection left open.
    Silence,
    /// The connection ends here.
    End,
}

/// A scripted response.
#[derive(Clone, Debug)]
pub struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<Piece>,
    behind: Option<Gate>,
    never: bool,
}

impl Answer {
    /// A response without headers or body.
    pub fn status(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new(), behind: None, never: false }
    }

    /// A response whose content type is JSON, whatever the text is.
    pub fn json(status: u16, text: impl Into<String>) -> Self {
        Self::status(status).header("content-type", "application/json").text(text)
    }

    /// No response at all, with the connection left open.
    pub fn never() -> Self {
        Self { never: true, ..Self::status(500) }
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Adds text to the body.
    #[must_use]
    pub fn text(self, text: impl Into<String>) -> Self {
        self.bytes(text.into().into_bytes())
    }

    /// Adds bytes to the body.
    #[must_use]
    pub fn bytes(mut self, bytes: impl Into<Bytes>) -> Self {
        self.body.push(Piece::Bytes(bytes.into()));
        self
    }

    /// Adds spaces to the body, which are made as they are sent.
    #[must_use]
    pub fn spaces(mut self, count: usize) -> Self {
        self.body.push(Piece::Spaces(count));
        self
    }

    /// Sends nothing more of the body, and leaves the connection open.
    #[must_use]
    pub fn silence(mut self) -> Self {
        self.body.push(Piece::Silence);
        self
    }

    /// Ends the connection in the middle of the body.
    #[must_use]
    pub fn cut(mut self) -> Self {
        self.body.push(Piece::End);
        self
    }

    /// Sends nothing before the gate opens.
    #[must_use]
    pub fn behind(mut self, gate: &Gate) -> Self {
        self.behind = Some(gate.clone());
        self
    }
}

type Script = Arc<dyn Fn(&Request) -> Answer + Send + Sync>;

#[derive(Default)]
struct Record {
    requests: Vec<Request>,
    connections: usize,
}

#[derive(Default)]
struct Shared {
    record: Mutex<Record>,
    news: Condvar,
    /// Whether requests are counted by nobody and not kept.
    forgets: AtomicBool,
}

impl Shared {
    fn record(&self) -> MutexGuard<'_, Record> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A running server, which stops when it is dropped.
pub struct Server {
    port: u16,
    shared: Arc<Shared>,
    runtime: Option<Runtime>,
}

impl Server {
    /// A server of HTTP without TLS.
    pub fn plain(script: impl Fn(&Request) -> Answer + Send + Sync + 'static) -> Self {
        Self::start(Protocol::Http(None, Arc::new(script)))
    }

    /// A server of HTTP over TLS.
    pub fn tls(leaf: &Leaf, script: impl Fn(&Request) -> Answer + Send + Sync + 'static) -> Self {
        Self::start(Protocol::Http(Some(leaf.acceptor()), Arc::new(script)))
    }

    /// A server that sends the bytes after it has received something, and closes.
    pub fn raw(bytes: &'static [u8]) -> Self {
        Self::start(Protocol::Raw(None, bytes))
    }

    /// A server that sends the bytes over TLS after it has received something, and closes.
    pub fn raw_tls(leaf: &Leaf, bytes: &'static [u8]) -> Self {
        Self::start(Protocol::Raw(Some(leaf.acceptor()), bytes))
    }

    fn start(protocol: Protocol) -> Self {
        let shared = Arc::<Shared>::default();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap_or_else(|error| unreachable!("no runtime: {error}"));
        let listener = {
            let _inside = runtime.enter();
            listen().unwrap_or_else(|error| unreachable!("no loopback port: {error}"))
        };
        let port = listener.local_addr().map_or(0, |address| address.port());
        runtime.spawn(accept(listener, protocol, Arc::clone(&shared)));
        Self { port, shared, runtime: Some(runtime) }
    }

    /// Keeps no request from now on, so that memory does not grow with their number.
    #[must_use]
    pub fn forgetful(self) -> Self {
        self.shared.forgets.store(true, Ordering::Relaxed);
        self
    }

    /// The port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The requests so far, in order.
    pub fn requests(&self) -> Vec<Request> {
        self.shared.record().requests.clone()
    }

    /// The number of connections so far.
    pub fn connections(&self) -> usize {
        self.shared.record().connections
    }

    /// Waits until this number of requests has arrived.
    pub fn wait_for(&self, requests: usize) {
        let (_record, waited) = self
            .shared
            .news
            .wait_timeout_while(self.shared.record(), REQUEST_TIMEOUT, |r| {
                r.requests.len() < requests
            })
            .unwrap_or_else(PoisonError::into_inner);
        assert!(!waited.timed_out(), "request {requests} never came");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // A test may drop the server inside a runtime of its own, which must not block.
            runtime.shutdown_background();
        }
    }
}

/// A loopback port that refuses connections and stays reserved until it is dropped.
pub struct Refusing {
    _socket: tokio::net::TcpSocket,
    /// The port.
    pub port: u16,
}

impl Default for Refusing {
    fn default() -> Self {
        // The socket is bound, but does not listen.
        let bound = tokio::net::TcpSocket::new_v4().and_then(|socket| {
            socket.bind((Ipv4Addr::LOCALHOST, 0).into())?;
            Ok(Self { port: socket.local_addr()?.port(), _socket: socket })
        });
        bound.unwrap_or_else(|error| unreachable!("no loopback port: {error}"))
    }
}

#[derive(Clone)]
enum Protocol {
    Http(Option<TlsAcceptor>, Script),
    Raw(Option<TlsAcceptor>, &'static [u8]),
}

fn listen() -> io::Result<TcpListener> {
    let listener = StdListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    listener.set_nonblocking(true)?;
    TcpListener::from_std(listener)
}

async fn accept(listener: TcpListener, protocol: Protocol, shared: Arc<Shared>) {
    while let Ok((stream, _)) = listener.accept().await {
        shared.record().connections += 1;
        tokio::spawn(connection(stream, protocol.clone(), Arc::clone(&shared)));
    }
}

async fn connection(stream: TcpStream, protocol: Protocol, shared: Arc<Shared>) {
    match protocol {
        Protocol::Http(None, script) => http(stream, script, shared).await,
        Protocol::Http(Some(tls), script) => {
            if let Ok(stream) = tls.accept(stream).await {
                http(stream, script, shared).await;
            }
        }
        Protocol::Raw(None, bytes) => raw(stream, bytes).await,
        Protocol::Raw(Some(tls), bytes) => {
            if let Ok(stream) = tls.accept(stream).await {
                raw(stream, bytes).await;
            }
        }
    }
}

async fn raw(mut stream: impl AsyncRead + AsyncWrite + Unpin, bytes: &[u8]) {
    let mut received = [0; 4096];
    let _ = stream.read(&mut received).await;
    let _ = stream.write_all(bytes).await;
    let _ = stream.shutdown().await;
}

async fn http(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    script: Script,
    shared: Arc<Shared>,
) {
    let service = service_fn(move |request: http::Request<Incoming>| {
        let (script, shared) = (Arc::clone(&script), Arc::clone(&shared));
        async move {
            let (head, body) = request.into_parts();
            let body = body.collect().await.map(Collected::to_bytes).unwrap_or_default();
            let target = head.uri.to_string();
            let request = Request { method: head.method, target, headers: head.headers, body };
            if !shared.forgets.load(Ordering::Relaxed) {
                shared.record().requests.push(request.clone());
                shared.news.notify_all();
            }
            let answer = script(&request);
            if answer.never {
                std::future::pending::<()>().await;
            }
            if let Some(passed) = answer.behind.as_ref().map(Gate::passed) {
                passed.await;
            }
            Ok::<_, Infallible>(respond(answer))
        }
    });
    // A request that the client breaks off is no failure of the server.
    let _ = hyper::server::conn::http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

fn respond(answer: Answer) -> Response<Channel<Bytes, io::Error>> {
    let (sender, body) = Channel::new(1);
    let mut response = Response::builder().status(answer.status);
    for (name, value) in &answer.headers {
        response = response.header(name, value);
    }
    tokio::spawn(send(answer.body, sender));
    response.body(body).unwrap_or_else(|error| unreachable!("no such answer: {error}"))
}

async fn send(body: Vec<Piece>, mut sender: Sender<Bytes, io::Error>) {
    const BLOCK: &[u8] = &[b' '; 16 << 10];
    for piece in body {
        match piece {
            Piece::Bytes(bytes) => {
                if sender.send_data(bytes).await.is_err() {
                    return;
                }
            }
            Piece::Spaces(mut left) => {
                while left > 0 {
                    let block = BLOCK.get(..left.min(BLOCK.len())).unwrap_or(BLOCK);
                    left -= block.len();
                    if sender.send_data(Bytes::from_static(block)).await.is_err() {
                        return;
                    }
                }
            }
            Piece::Silence => std::future::pending().await,
            Piece::End => {
                sender.abort(io::ErrorKind::ConnectionAborted.into());
                return;
            }
        }
    }
}
