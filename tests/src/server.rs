//! A server that does what a script says, right or wrong, on a loopback port, and remembers what it
//! was asked. Whatever is slow in it waits for a [`Gate`], never for a clock.

use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, TcpListener as StdListener};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response};
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

/// A test that waits longer for a request has failed; nothing is asserted about less.
const PATIENCE: Duration = Duration::from_secs(60);

/// A request that arrived. `Debug` shows neither headers nor body, as they hold secrets.
#[derive(Clone)]
pub struct Asked {
    /// Its method.
    pub method: Method,
    /// Path and query; of a CONNECT host and port.
    pub target: String,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
}

impl Asked {
    /// A header as text; empty where it is absent.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

impl fmt::Debug for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} at {}", self.method, self.target, self.header("host"))
    }
}

/// Something that a test opens when it is time; dropping every clone of it closes it for ever.
#[derive(Clone, Debug)]
pub struct Gate(Arc<watch::Sender<bool>>);

impl Default for Gate {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(false)))
    }
}

impl Gate {
    /// Lets everybody through, now and later.
    pub fn open(&self) {
        self.0.send_replace(true);
    }

    /// What waits holds no clone of the sender: a gate that is gone never opens.
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
    /// So many bytes of spaces.
    Spaces(usize),
    /// Nothing more for ever.
    Silence,
    /// The connection ends here.
    End,
}

/// What a request is answered.
#[derive(Clone, Debug)]
pub struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<Piece>,
    behind: Option<Gate>,
    never: bool,
}

impl Answer {
    /// A status without headers or body.
    pub fn status(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new(), behind: None, never: false }
    }

    /// JSON text, or what claims to be.
    pub fn json(status: u16, text: impl Into<String>) -> Self {
        Self::status(status).header("content-type", "application/json").text(text)
    }

    /// No answer at all; the connection stays.
    pub fn never() -> Self {
        Self { never: true, ..Self::status(500) }
    }

    /// With a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// With a piece of body.
    #[must_use]
    pub fn text(self, text: impl Into<String>) -> Self {
        self.bytes(text.into().into_bytes())
    }

    /// With a piece of body that need not be text.
    #[must_use]
    pub fn bytes(mut self, bytes: impl Into<Bytes>) -> Self {
        self.body.push(Piece::Bytes(bytes.into()));
        self
    }

    /// With a long piece of body, made as it is sent.
    #[must_use]
    pub fn spaces(mut self, count: usize) -> Self {
        self.body.push(Piece::Spaces(count));
        self
    }

    /// The body stops here, and the connection stays.
    #[must_use]
    pub fn silence(mut self) -> Self {
        self.body.push(Piece::Silence);
        self
    }

    /// The connection ends here, inside the body.
    #[must_use]
    pub fn cut(mut self) -> Self {
        self.body.push(Piece::End);
        self
    }

    /// Nothing of it is sent before the gate opens.
    #[must_use]
    pub fn behind(mut self, gate: &Gate) -> Self {
        self.behind = Some(gate.clone());
        self
    }
}

type Script = Arc<dyn Fn(&Asked) -> Answer + Send + Sync>;

#[derive(Default)]
struct Record {
    asked: Vec<Asked>,
    connections: usize,
}

#[derive(Default)]
struct Shared {
    record: Mutex<Record>,
    news: Condvar,
}

impl Shared {
    fn record(&self) -> MutexGuard<'_, Record> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A running server; it ends when this is dropped.
pub struct Server {
    port: u16,
    shared: Arc<Shared>,
    runtime: Option<Runtime>,
}

impl Server {
    /// Plain HTTP.
    pub fn plain(script: impl Fn(&Asked) -> Answer + Send + Sync + 'static) -> Self {
        Self::start(Door::Http(None, Arc::new(script)))
    }

    /// HTTP over TLS with this certificate.
    pub fn tls(leaf: &Leaf, script: impl Fn(&Asked) -> Answer + Send + Sync + 'static) -> Self {
        Self::start(Door::Http(Some(leaf.acceptor()), Arc::new(script)))
    }

    /// Says these bytes to whoever has said something, and closes.
    pub fn raw(bytes: &'static [u8]) -> Self {
        Self::start(Door::Raw(None, bytes))
    }

    /// The same inside TLS.
    pub fn raw_tls(leaf: &Leaf, bytes: &'static [u8]) -> Self {
        Self::start(Door::Raw(Some(leaf.acceptor()), bytes))
    }

    fn start(door: Door) -> Self {
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
        runtime.spawn(accept(listener, door, Arc::clone(&shared)));
        Self { port, shared, runtime: Some(runtime) }
    }

    /// Its port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// What it was asked so far, in order.
    pub fn asked(&self) -> Vec<Asked> {
        self.shared.record().asked.clone()
    }

    /// Connections so far.
    pub fn connections(&self) -> usize {
        self.shared.record().connections
    }

    /// Waits until it was asked so often.
    pub fn wait_for(&self, requests: usize) {
        let (_record, waited) = self
            .shared
            .news
            .wait_timeout_while(self.shared.record(), PATIENCE, |r| r.asked.len() < requests)
            .unwrap_or_else(PoisonError::into_inner);
        assert!(!waited.timed_out(), "request {requests} never came");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // Tests may drop it inside a runtime of their own, which must not wait.
            runtime.shutdown_background();
        }
    }
}

/// A loopback port that refuses connections, kept from others as long as this lives.
pub struct Refusing {
    _socket: tokio::net::TcpSocket,
    /// The port.
    pub port: u16,
}

impl Default for Refusing {
    fn default() -> Self {
        // Bound and not listening.
        let bound = tokio::net::TcpSocket::new_v4().and_then(|socket| {
            socket.bind((Ipv4Addr::LOCALHOST, 0).into())?;
            Ok(Self { port: socket.local_addr()?.port(), _socket: socket })
        });
        bound.unwrap_or_else(|error| unreachable!("no loopback port: {error}"))
    }
}

#[derive(Clone)]
enum Door {
    Http(Option<TlsAcceptor>, Script),
    Raw(Option<TlsAcceptor>, &'static [u8]),
}

fn listen() -> io::Result<TcpListener> {
    let listener = StdListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    listener.set_nonblocking(true)?;
    TcpListener::from_std(listener)
}

async fn accept(listener: TcpListener, door: Door, shared: Arc<Shared>) {
    while let Ok((stream, _)) = listener.accept().await {
        shared.record().connections += 1;
        tokio::spawn(connection(stream, door.clone(), Arc::clone(&shared)));
    }
}

async fn connection(stream: TcpStream, door: Door, shared: Arc<Shared>) {
    match door {
        Door::Http(None, script) => http(stream, script, shared).await,
        Door::Http(Some(tls), script) => {
            if let Ok(stream) = tls.accept(stream).await {
                http(stream, script, shared).await;
            }
        }
        Door::Raw(None, bytes) => raw(stream, bytes).await,
        Door::Raw(Some(tls), bytes) => {
            if let Ok(stream) = tls.accept(stream).await {
                raw(stream, bytes).await;
            }
        }
    }
}

async fn raw(mut stream: impl AsyncRead + AsyncWrite + Unpin, bytes: &[u8]) {
    let mut asked = [0; 4096];
    let _ = stream.read(&mut asked).await;
    let _ = stream.write_all(bytes).await;
    let _ = stream.shutdown().await;
}

async fn http(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    script: Script,
    shared: Arc<Shared>,
) {
    let service = service_fn(move |request: Request<Incoming>| {
        let (script, shared) = (Arc::clone(&script), Arc::clone(&shared));
        async move {
            let (head, body) = request.into_parts();
            let body = body.collect().await.map(Collected::to_bytes).unwrap_or_default();
            let target = head.uri.to_string();
            let asked = Asked { method: head.method, target, headers: head.headers, body };
            shared.record().asked.push(asked.clone());
            shared.news.notify_all();
            let answer = script(&asked);
            if answer.never {
                std::future::pending::<()>().await;
            }
            if let Some(passed) = answer.behind.as_ref().map(Gate::passed) {
                passed.await;
            }
            Ok::<_, Infallible>(respond(answer))
        }
    });
    // What a client breaks off is no failure of the server.
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
