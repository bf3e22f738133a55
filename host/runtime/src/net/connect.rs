//! One connection: through a proxy or to an address, by TCP and, where wanted, TLS.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::Uri;
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;
use tower_service::Service;

use crate::limits;

use super::failure::Failure;
use super::server::{PlannedServer, Purpose, Target, Trust, is_localhost};
use super::transport::Transport;
use super::{resolve, tls};

/// Connects for requests of one purpose and trust.
#[derive(Clone)]
pub(crate) struct Connector {
    pub(crate) transport: Arc<Transport>,
    pub(crate) purpose: Purpose,
    /// Trust for `https`; plain `http` needs none.
    pub(crate) trust: Trust,
}

impl Service<Uri> for Connector {
    type Response = TokioIo<Stream>;
    type Error = Failure;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Failure>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, target: Uri) -> Self::Future {
        let this = self.clone();
        Box::pin(async move {
            tokio::time::timeout(limits::CONNECT, this.connect(target))
                .await
                .unwrap_or(Err(Failure::ConnectTimeout))
        })
    }
}

impl Connector {
    async fn connect(&self, target: Uri) -> Result<TokioIo<Stream>, Failure> {
        let Target { host, port, tls } = Target::from_uri(&target)
            .ok_or_else(|| Failure::Protocol("the request names no server".into()))?;
        let trust = if tls { self.trust.clone() } else { Trust::None };
        let server = PlannedServer { host, port, trust, purpose: self.purpose };
        let tcp = match self.proxy(&target, &server.host) {
            Some(proxy) => tunnel(&proxy, target).await?,
            None => tcp(&resolve::addresses(&self.transport.overrides, &server).await?).await?,
        };
        let (config, name) = match server.trust {
            Trust::None => return Ok(TokioIo::new(Stream::Plain(tcp))),
            Trust::Roots => (Arc::clone(&self.transport.tls), None),
            Trust::Pinned(sha1) => (tls::pinned(sha1)?, None),
            Trust::Private { issuers, name } => (tls::private(issuers).await?, name),
        };
        let server = ServerName::try_from(name.unwrap_or(server.host))
            .map_err(|_| Failure::Name("not a name that a certificate can have".into()))?;
        let connector = tokio_rustls::TlsConnector::from(config);
        let stream = connector.connect(server, tcp).await.map_err(|e| Failure::from_tls(&e))?;
        Ok(TokioIo::new(Stream::Tls(Box::new(stream))))
    }

    /// The proxy for a request, if any. Vaults and token authorities go through `HTTPS_PROXY`;
    /// names and addresses of this machine, and servers with a pinned certificate, never do.
    fn proxy(&self, target: &Uri, host: &str) -> Option<Intercept> {
        let local = is_localhost(host)
            || host.parse().is_ok_and(|ip: std::net::IpAddr| match ip.to_canonical() {
                std::net::IpAddr::V4(v4) => v4.is_loopback() || v4.is_link_local(),
                std::net::IpAddr::V6(v6) => v6.is_loopback() || v6.is_unicast_link_local(),
            });
        let pinned = matches!(self.trust, Trust::Pinned(_));
        if local || pinned || self.purpose == Purpose::IdentityEndpoint {
            return None;
        }
        self.transport.proxy.intercept(target)
    }
}

type Intercept = hyper_util::client::proxy::matcher::Intercept;

/// Opens a CONNECT tunnel. Behind a proxy only the name can be checked, as the proxy resolves it.
async fn tunnel(proxy: &Intercept, target: Uri) -> Result<TcpStream, Failure> {
    let mut tunnel = Tunnel::new(proxy.uri().clone(), Dial);
    if let Some(auth) = proxy.basic_auth() {
        tunnel = tunnel.with_auth(auth.clone());
    }
    let at = proxy.uri().authority().map_or("", |a| a.as_str()).rsplit('@').next().unwrap_or("");
    match tunnel.call(target).await {
        Ok(stream) => Ok(stream.into_inner()),
        Err(error) => {
            let cause = std::error::Error::source(&error).map(|s| format!(": {s}"));
            let text = error.to_string().replace("tunnel error: ", "");
            let text = if text == "unsuccessful" { "it refused to connect".into() } else { text };
            Err(Failure::Proxy(format!("the proxy {at}: {text}{}", cause.unwrap_or_default())))
        }
    }
}

/// TCP to the proxy itself, which the settings name.
#[derive(Clone)]
struct Dial;

impl Service<Uri> for Dial {
    type Response = TokioIo<TcpStream>;
    type Error = Failure;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Failure>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, proxy: Uri) -> Self::Future {
        Box::pin(async move {
            let Target { host, port, .. } = Target::from_uri(&proxy)
                .ok_or_else(|| Failure::Proxy("its URL names no server".into()))?;
            let stream = TcpStream::connect((host.as_str(), port))
                .await
                .map_err(|e| Failure::from_connect(&e))?;
            Ok(TokioIo::new(without_delay(stream)))
        })
    }
}

async fn tcp(addresses: &[std::net::SocketAddr]) -> Result<TcpStream, Failure> {
    let mut last = Failure::Name("the name has no address".into());
    for address in addresses {
        match TcpStream::connect(address).await {
            Ok(stream) => return Ok(without_delay(stream)),
            Err(error) => last = Failure::from_connect(&error),
        }
    }
    Err(last)
}

fn without_delay(stream: TcpStream) -> TcpStream {
    // A request is one small write; waiting to fill a segment would only delay it.
    let _ = stream.set_nodelay(true);
    stream
}

/// A connection with or without TLS.
pub(crate) enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Connection for Stream {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(s) => Pin::new(s).poll_read(cx, buf),
            Self::Tls(s) => Pin::new(s).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(s) => Pin::new(s).poll_write(cx, buf),
            Self::Tls(s) => Pin::new(s).poll_write(cx, buf),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(s) => Pin::new(s).poll_flush(cx),
            Self::Tls(s) => Pin::new(s).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(s) => Pin::new(s).poll_shutdown(cx),
            Self::Tls(s) => Pin::new(s).poll_shutdown(cx),
        }
    }
}
