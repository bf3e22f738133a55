//! The listeners: sockets, TLS, and the dispatch of a request to a vault, the authority or an
//! identity endpoint by the host that it names.

pub(crate) mod authority;
pub(crate) mod control;
pub(crate) mod identity;
pub(crate) mod localhost;
pub(crate) mod plain;
pub(crate) mod proxy;

use std::{convert::Infallible, future::Future, sync::Arc};

use http::{Request, StatusCode};
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
    message::{self, Response},
    state::{Pending, State},
    vault::{Endpoint, Vault},
};

/// A vault at one of its endpoints: the virtual host that a listener serves.
pub(crate) struct VaultHost {
    /// Name of the listener in counters and log.
    pub(crate) label: &'static str,
    pub(crate) vault: Arc<Vault>,
    pub(crate) endpoint: Endpoint,
}

impl VaultHost {
    async fn respond(self: Arc<Self>, state: Arc<State>, request: Request<Incoming>) -> Response {
        let host = message::host(&request);
        let pending = Pending::new(self.label, request.method(), host, request.uri());
        let issuer = &state.endpoints.issuer;
        let served = self.vault.respond(&self.endpoint, &state.access, issuer, request).await;
        state.record_vault(pending, served)
    }
}

/// Accepts connections until the runtime stops, each on a task of its own.
async fn listen<F>(listener: TcpListener, mut connection: impl FnMut(TcpStream) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                // Sends short responses at once; without the option everything works, but slower.
                let _ = stream.set_nodelay(true);
                tokio::spawn(connection(stream));
            }
            // The peer has gone already, or the system is out of descriptors until others end.
            Err(_) => tokio::time::sleep(limits::ACCEPT_PAUSE).await,
        }
    }
}

/// Serves HTTP/1.1 and HTTP/2 on a connection until it ends.
async fn serve<I, F>(io: I, respond: impl Fn(Request<Incoming>) -> F + Send)
where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    F: Future<Output = Response> + Send + 'static,
{
    let service = service_fn(|request| {
        let response = respond(request);
        async move { Ok::<_, Infallible>(response.await) }
    });
    let mut server = auto::Builder::new(TokioExecutor::new());
    server.http1().timer(TokioTimer::new()).header_read_timeout(limits::HEADER_READ);
    server.http2().timer(TokioTimer::new());
    // A client may end its connection as it likes; its requests are in the log.
    let _ = server.serve_connection(TokioIo::new(io), service).await;
}

/// Performs the server side of a TLS handshake; `None` if the client goes away or takes too long.
async fn handshake<I: AsyncRead + AsyncWrite + Unpin>(
    io: I,
    config: &Arc<ServerConfig>,
    state: &State,
    label: &'static str,
) -> Option<tokio_rustls::server::TlsStream<I>> {
    let handshake = TlsAcceptor::from(Arc::clone(config)).accept(io);
    let stream = timeout(limits::HANDSHAKE, handshake).await.ok()?.ok()?;
    state.record_handshake(label);
    Some(stream)
}

/// Whether a host is this port on loopback, by one of its two usual names.
///
/// Any other name may be that of a web page whose DNS entry points here (DNS rebinding).
fn is_loopback(host: &str, port: u16) -> bool {
    host.rsplit_once(':').is_some_and(|(name, at)| {
        at.parse() == Ok(port) && (name == "127.0.0.1" || name.eq_ignore_ascii_case("localhost"))
    })
}

/// The host that a request names, without its port.
fn host_name<B>(request: &Request<B>) -> &str {
    let host = message::host(request);
    host.rsplit_once(':').map_or(host, |(name, _)| name)
}

/// The response to a request that names a host which this connection does not serve.
fn misdirected() -> Response {
    message::text(StatusCode::MISDIRECTED_REQUEST, "this connection is for another host\n")
}
