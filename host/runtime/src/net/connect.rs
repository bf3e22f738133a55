//! One connection: through a proxy or to an address, by TCP and, where wanted, TLS.

use std::net::IpAddr;
use std::sync::Arc;

use rustls::ClientConnection;
use rustls::pki_types::ServerName;

use super::failure::Failure;
use super::proxy::{self, Proxy};
use super::resolve::Resolver;
use super::server::{PlannedServer, Purpose, Trust, is_localhost};
use super::stream::{Deadline, Stream};
use super::tls;
use super::transport::Transport;

/// Connects to a server.
pub(super) fn connect(
    transport: &Transport,
    resolver: &Resolver,
    to: &PlannedServer,
    deadline: Deadline<'_>,
) -> Result<Stream, Failure> {
    let mut stream = match proxy(transport, to) {
        Some(proxy) => proxy::tunnel(&proxy, resolver, to, deadline)?,
        None => {
            let addresses = resolver.addresses(&transport.overrides, to, deadline)?;
            Stream::connect(&addresses, deadline)?
        }
    };
    let (config, name) = match &to.trust {
        Trust::None => return Ok(stream),
        Trust::Roots => (Arc::clone(&transport.tls), None),
        Trust::Pinned(sha1) => (tls::pinned(*sha1)?, None),
        Trust::Private { issuers, name } => {
            (tls::private(issuers.clone(), deadline.call)?, name.as_deref())
        }
    };
    let name = ServerName::try_from(name.unwrap_or(&to.host).to_owned())
        .map_err(|_| Failure::Name("not a name that a certificate can have".into()))?;
    let tls = ClientConnection::new(config, name).map_err(|e| Failure::from_tls(&e))?;
    stream.start_tls(tls, deadline)?;
    Ok(stream)
}

/// The proxy for a server, if any. Vaults and token authorities go through `HTTPS_PROXY`; names and
/// addresses of this machine, and servers with a pinned certificate, never do.
fn proxy(transport: &Transport, to: &PlannedServer) -> Option<Proxy> {
    let local = is_localhost(&to.host)
        || to.host.parse().is_ok_and(|ip: IpAddr| match ip.to_canonical() {
            IpAddr::V4(v4) => v4.is_loopback() || v4.is_link_local(),
            IpAddr::V6(v6) => v6.is_loopback() || v6.is_unicast_link_local(),
        });
    let pinned = matches!(to.trust, Trust::Pinned(_));
    if local || pinned || to.purpose == Purpose::IdentityEndpoint {
        return None;
    }
    let scheme = if to.trust == Trust::None { "http" } else { "https" };
    transport.proxy.intercept(&format!("{scheme}://{to}/").parse().ok()?)
}
