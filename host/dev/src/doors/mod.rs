//! The ways in: sockets, TLS, and which vault or endpoint a request is for.

pub(crate) mod authority;
pub(crate) mod identity;
pub(crate) mod localhost;
pub(crate) mod plain;
pub(crate) mod proxy;

use std::{convert::Infallible, future::Future, sync::Arc};

use http::{HeaderMap, Request, StatusCode};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto,
};
use rustls::ServerConfig;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    time::timeout,
};
use tokio_rustls::TlsAcceptor;

use crate::{
    limits,
    message::{self, Answer},
    state::{Pending, State},
    vault::{Place, Vault},
};

/// One vault behind one way in.
pub(crate) struct VaultDoor {
    /// Name of the way in, for counters and log.
    pub(crate) label: &'static str,
    pub(crate) vault: Arc<Vault>,
    pub(crate) place: Place,
}

impl VaultDoor {
    async fn answer(self: Arc<Self>, state: Arc<State>, request: Request<Incoming>) -> Answer {
        let pending = Pending::new(self.label, request.method(), host(&request), request.uri());
        let issuer = &state.endpoints.issuer;
        let outcome = self.vault.answer(&self.place, &state.access, issuer, request).await;
        state.answered(pending, outcome.operation, outcome.answer.status(), outcome.who);
        outcome.answer
    }
}

/// Accepts connections for ever, each on a task of its own.
pub(crate) async fn listen<F>(listener: TcpListener, mut connection: impl FnMut(TcpStream) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                // Small answers at once; a socket that cannot do it works all the same.
                let _ = stream.set_nodelay(true);
                tokio::spawn(connection(stream));
            }
            // The peer is gone already, or there are no descriptors left: others may finish first.
            Err(_) => tokio::time::sleep(limits::ACCEPT_PAUSE).await,
        }
    }
}

/// Serves HTTP/1.1 and HTTP/2 on a connection until its end.
pub(crate) async fn serve<I, F>(io: I, answer: impl Fn(Request<Incoming>) -> F + Send)
where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    F: Future<Output = Answer> + Send + 'static,
{
    let service = service_fn(|request| {
        let answer = answer(request);
        async move { Ok::<_, Infallible>(answer.await) }
    });
    let mut server = auto::Builder::new(TokioExecutor::new());
    server.http1().timer(TokioTimer::new()).header_read_timeout(limits::HEADER_READ);
    server.http2().timer(TokioTimer::new());
    // How a connection ends is the client's business; what it asked is in the log.
    let _ = server.serve_connection(TokioIo::new(io), service).await;
}

/// Does the server's side of a handshake, unless the client goes away or takes too long.
async fn shake_hands<I: AsyncRead + AsyncWrite + Unpin>(
    io: I,
    config: &Arc<ServerConfig>,
    state: &State,
    label: &'static str,
) -> Option<tokio_rustls::server::TlsStream<I>> {
    let handshake = TlsAcceptor::from(Arc::clone(config)).accept(io);
    let stream = timeout(limits::HANDSHAKE, handshake).await.ok()?.ok()?;
    state.shook_hands(label);
    Some(stream)
}

/// The host that a request names, with its port if there is one.
pub(crate) fn host<B>(request: &Request<B>) -> &str {
    request
        .uri()
        .authority()
        .map(http::uri::Authority::as_str)
        .or_else(|| message::header(request.headers(), "host"))
        .unwrap_or_default()
}

/// Whether this names the port on loopback: a page whose name leads here must not ask.
pub(crate) fn is_at(host: &str, port: u16) -> bool {
    host.rsplit_once(':').is_some_and(|(name, at)| {
        at.parse() == Ok(port) && (name == "127.0.0.1" || name.eq_ignore_ascii_case("localhost"))
    })
}

/// The host without its port.
fn host_name<B>(request: &Request<B>) -> &str {
    let host = host(request);
    host.rsplit_once(':').map_or(host, |(name, _)| name)
}

/// The answer to a request that names a host which this connection is not for.
pub(crate) fn misdirected() -> Answer {
    message::text(StatusCode::MISDIRECTED_REQUEST, "this connection is for another host\n")
}

/// Whether somebody passed a request on: endpoints on loopback are for programs on this machine.
pub(crate) fn is_forwarded(headers: &HeaderMap) -> bool {
    headers.contains_key("x-forwarded-for") || headers.contains_key("forwarded")
}

/// The answer to such a request.
fn forwarded() -> Answer {
    message::text(StatusCode::BAD_REQUEST, "forwarded requests are not answered\n")
}
