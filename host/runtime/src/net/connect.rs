//! One connection: through a proxy or to an address, by TCP and, where wanted, TLS.

use std::net::IpAddr;
use std::sync::Arc;

use rustls::ClientConnection;
use rustls::pki_types::ServerName;

use super::failure::Failure;
use super::proxies::Proxy;
use super::proxy;
use super::resolve::Resolver;
use super::server::{PlannedServer, Purpose, Trust, is_localhost};
use super::stream::{Connecting, Deadline, Stream};
use super::tls;
use super::transport::Transport;

/// A connection to a server that was begun before there was a request for it.
pub(super) enum Prepared {
    Tcp(Connecting),
    /// The client's part of the handshake has been sent.
    Tls(Stream),
}

/// Begins a connection, as far as that needs no waiting.
pub(super) fn prepare(
    transport: &Transport,
    to: &PlannedServer,
    deadline: Deadline<'_>,
) -> Option<Prepared> {
    if proxy(transport, to).is_some() || matches!(to.trust, Trust::Private { .. }) {
        return None;
    }
    let address = Resolver::address_at_once(&transport.overrides, to)?;
    let connecting = Connecting::begin(address).ok()?;
    if !connecting.is_ready() || to.trust == Trust::None {
        return Some(Prepared::Tcp(connecting));
    }
    let mut stream = connecting.finish(deadline).ok()?;
    stream.begin_tls(session(transport, to, deadline).ok()??, deadline).ok()?;
    Some(Prepared::Tls(stream))
}

/// Finishes a connection that was begun.
pub(super) fn finish(
    prepared: Prepared,
    transport: &Transport,
    to: &PlannedServer,
    deadline: Deadline<'_>,
) -> Result<Stream, Failure> {
    match prepared {
        Prepared::Tcp(connecting) => secured(connecting.finish(deadline)?, transport, to, deadline),
        Prepared::Tls(mut stream) => {
            stream.finish_tls(deadline)?;
            Ok(stream)
        }
    }
}

/// Connects to a server.
pub(super) fn connect(
    transport: &Transport,
    resolver: &Resolver,
    to: &PlannedServer,
    deadline: Deadline<'_>,
) -> Result<Stream, Failure> {
    let stream = match proxy(transport, to) {
        Some(proxy) => proxy::tunnel(proxy, resolver, to, deadline)?,
        None => {
            let addresses = resolver.addresses(&transport.overrides, to, deadline)?;
            Stream::connect(&addresses, deadline)?
        }
    };
    secured(stream, transport, to, deadline)
}

/// The connection with TLS, where the server has that.
pub(super) fn secured(
    mut stream: Stream,
    transport: &Transport,
    to: &PlannedServer,
    deadline: Deadline<'_>,
) -> Result<Stream, Failure> {
    if let Some(tls) = session(transport, to, deadline)? {
        stream.begin_tls(tls, deadline)?;
        stream.finish_tls(deadline)?;
    }
    Ok(stream)
}

/// A TLS session with a server, with the trust that the plan sets for it; `None` for plain HTTP.
pub(super) fn session(
    transport: &Transport,
    to: &PlannedServer,
    deadline: Deadline<'_>,
) -> Result<Option<ClientConnection>, Failure> {
    let (config, name) = match &to.trust {
        Trust::None => return Ok(None),
        Trust::Roots => (Arc::clone(&transport.tls), None),
        Trust::Pinned(sha1) => (tls::pinned(*sha1)?, None),
        Trust::Private { issuers, name } => {
            (tls::private(issuers.clone(), deadline.call)?, name.as_deref())
        }
    };
    let name = ServerName::try_from(name.unwrap_or(&to.host).to_owned())
        .map_err(|_| Failure::Name("not a name that a certificate can have".into()))?;
    ClientConnection::new(config, name).map(Some).map_err(|e| Failure::from_tls(&e))
}

/// The proxy for a server, if any. Vaults and token authorities go through `HTTPS_PROXY`; names and
/// addresses of this machine, and servers with a pinned certificate, never do.
pub(super) fn proxy<'a>(transport: &'a Transport, to: &PlannedServer) -> Option<&'a Proxy> {
    let local = is_localhost(&to.host)
        || to.host.parse().is_ok_and(|ip: IpAddr| match ip.to_canonical() {
            IpAddr::V4(v4) => v4.is_loopback() || v4.is_link_local(),
            IpAddr::V6(v6) => v6.is_loopback() || v6.is_unicast_link_local(),
        });
    let pinned = matches!(to.trust, Trust::Pinned(_));
    if local || pinned || to.purpose == Purpose::IdentityEndpoint {
        return None;
    }
    transport.proxies.proxy(&to.host, to.port)
}
