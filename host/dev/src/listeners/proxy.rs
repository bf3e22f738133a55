//! The CONNECT proxy: it answers itself for its own vaults and the token authority at their real
//! names, and tunnels all other connections.
//!
//! An unknown host under a vault suffix is refused, so that a misspelt vault name does not send a
//! job's token to a stranger's vault. So are addresses that are this machine's own business: its
//! metadata service, which may be closed to whoever connects here, and other programs on loopback.

use std::{
    collections::{BTreeMap, BTreeSet},
    convert::Infallible,
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    sync::Arc,
};

use http::{Method, Request, StatusCode};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use rustls::ServerConfig;
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream, lookup_host},
    time::timeout,
};

use super::{VaultHost, authority, handshake, host_name, listen, misdirected, serve};
use crate::{
    authority::Endpoint as AuthorityEndpoint,
    ca::Ca,
    directory::clouds::{AUTHORITY_HOSTS, CLOUDS, is_authority_host},
    error::StartError,
    limits,
    message::{self, Response},
    state::{Pending, State},
    vault::{Challenge, Endpoint, Vault},
};

const LABEL: &str = "proxy";
const HTTPS: u16 = 443;

/// All vaults behind the proxy, by lower-case host.
pub(crate) type VaultHosts = BTreeMap<String, Arc<RealHost>>;

/// A vault at one of its real names.
pub(crate) struct RealHost {
    name: String,
    vault: Arc<VaultHost>,
    tls: Arc<ServerConfig>,
}

/// The real names of a vault, one in each cloud, each with its own certificate.
pub(crate) fn vault_hosts(
    vault: &Arc<Vault>,
    ca: &Ca,
) -> Result<Vec<(String, Arc<RealHost>)>, StartError> {
    CLOUDS
        .into_iter()
        .map(|(suffix, authority)| {
            let name = format!("{}.{suffix}", vault.name.to_ascii_lowercase());
            let endpoint = Endpoint {
                challenge: Challenge::new(authority, format!("https://{suffix}")),
                origin: format!("https://{name}"),
                paging_origin: format!("https://{name}:{HTTPS}"),
            };
            let vault = Arc::new(VaultHost { label: LABEL, vault: Arc::clone(vault), endpoint });
            let tls = ca.server(vec![name.clone()])?;
            Ok((name.clone(), Arc::new(RealHost { name, vault, tls })))
        })
        .collect()
}

/// The token authority at its real names.
pub(crate) struct RealAuthority {
    tls: Arc<ServerConfig>,
    /// URL of the page on which a user approves a device code.
    device_page: String,
}

impl RealAuthority {
    pub(crate) fn new(ca: &Ca, device_page: &str) -> Result<Self, StartError> {
        let mut names: Vec<_> = AUTHORITY_HOSTS.concat().into_iter().map(str::to_owned).collect();
        // The regional authorities.
        names.push("*.login.microsoft.com".to_owned());
        Ok(Self { tls: ca.server(names)?, device_page: device_page.to_owned() })
    }
}

/// The hosts that the proxy answers for itself.
pub(crate) struct Hosts {
    pub(crate) vaults: VaultHosts,
    pub(crate) authority: RealAuthority,
    /// The ports on loopback that the local Azure has itself.
    pub(crate) own_ports: BTreeSet<u16>,
}

/// Serves the proxy until the runtime stops.
pub(crate) async fn run(listener: TcpListener, state: Arc<State>, hosts: Hosts) {
    let hosts = Arc::new(hosts);
    listen(listener, |stream| {
        let (state, hosts) = (Arc::clone(&state), Arc::clone(&hosts));
        async move {
            state.record_connection(LABEL);
            let service = service_fn(async |request| {
                Ok::<_, Infallible>(connect(request, &state, &hosts).await)
            });
            let mut server = http1::Builder::new();
            server.timer(TokioTimer::new()).header_read_timeout(limits::HEADER_READ);
            // A client may end its connection as it likes; its requests are in the log.
            let _ = server.serve_connection(TokioIo::new(stream), service).with_upgrades().await;
        }
    })
    .await;
}

/// The destination of a CONNECT request.
enum Destination {
    Vault(Arc<RealHost>),
    Authority,
    /// A host under a vault suffix that is none of the local vaults.
    UnknownVault,
    Tunnel,
}

async fn connect(request: Request<Incoming>, state: &Arc<State>, hosts: &Arc<Hosts>) -> Response {
    if request.method() != Method::CONNECT {
        let text = "this proxy takes CONNECT only: set it for https, not for http\n";
        return message::text(StatusCode::NOT_IMPLEMENTED, text);
    }
    let Some((host, port)) = target(&request) else {
        return message::text(StatusCode::BAD_REQUEST, "CONNECT wants a host and a port\n");
    };
    let pending = Pending::new(LABEL, request.method(), &format!("{host}:{port}"), request.uri());
    match destination(&host, port, &hosts.vaults) {
        Destination::Vault(vault) => {
            tokio::spawn(serve_vault(request, Arc::clone(state), vault));
            message::empty(StatusCode::OK)
        }
        Destination::Authority => {
            tokio::spawn(serve_authority(request, Arc::clone(state), Arc::clone(hosts), host));
            message::empty(StatusCode::OK)
        }
        Destination::UnknownVault => {
            state.record_tunnel(pending, StatusCode::BAD_GATEWAY);
            let text = "the local Azure has no vault of this name: start it with `--vault NAME`\n";
            message::text(StatusCode::BAD_GATEWAY, text)
        }
        Destination::Tunnel => match dial(&host, port, &hosts.own_ports).await {
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                state.record_tunnel(pending, StatusCode::FORBIDDEN);
                let text = "the local Azure does not tunnel to link-local addresses, to the \
                            platform's own, or to other programs on loopback: connect to them \
                            directly (`NO_PROXY`)\n";
                message::text(StatusCode::FORBIDDEN, text)
            }
            Ok(stream) => {
                state.record_tunnel(pending, StatusCode::OK);
                tokio::spawn(tunnel(request, stream));
                message::empty(StatusCode::OK)
            }
            Err(_) => {
                state.record_tunnel(pending, StatusCode::BAD_GATEWAY);
                message::text(StatusCode::BAD_GATEWAY, "this host cannot be reached\n")
            }
        },
    }
}

fn destination(host: &str, port: u16, vaults: &VaultHosts) -> Destination {
    // A trailing dot does not change which host a name stands for.
    let host = host.trim_end_matches('.');
    if let Some(vault) = vaults.get(host).filter(|_| port == HTTPS) {
        return Destination::Vault(Arc::clone(vault));
    }
    if port == HTTPS && is_authority_host(host) {
        return Destination::Authority;
    }
    let is_vault = CLOUDS.iter().any(|(suffix, _)| {
        host.strip_suffix(suffix).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    });
    if is_vault { Destination::UnknownVault } else { Destination::Tunnel }
}

/// Serves a vault on a connection whose CONNECT was accepted.
async fn serve_vault(request: Request<Incoming>, state: Arc<State>, host: Arc<RealHost>) {
    let Ok(upgraded) = hyper::upgrade::on(request).await else { return };
    let io = TokioIo::new(upgraded);
    let Some(stream) = handshake(io, &host.tls, &state, LABEL).await else { return };
    serve(stream, move |request| respond(request, Arc::clone(&state), Arc::clone(&host))).await;
}

async fn respond(request: Request<Incoming>, state: Arc<State>, host: Arc<RealHost>) -> Response {
    if host_name(&request).trim_end_matches('.').eq_ignore_ascii_case(&host.name) {
        Arc::clone(&host.vault).respond(state, request).await
    } else {
        misdirected()
    }
}

/// Serves the authority on a connection whose CONNECT was accepted.
async fn serve_authority(
    request: Request<Incoming>,
    state: Arc<State>,
    hosts: Arc<Hosts>,
    host: String,
) {
    let Ok(upgraded) = hyper::upgrade::on(request).await else { return };
    let (io, tls) = (TokioIo::new(upgraded), &hosts.authority.tls);
    let Some(stream) = handshake(io, tls, &state, LABEL).await else { return };
    let host = host.trim_end_matches('.').to_owned();
    let endpoint = Arc::new(AuthorityEndpoint::real(&host, &hosts.authority.device_page));
    let host: Arc<str> = host.into();
    serve(stream, move |request: Request<Incoming>| {
        let state = Arc::clone(&state);
        let (endpoint, host) = (Arc::clone(&endpoint), Arc::clone(&host));
        async move {
            if !host_name(&request).trim_end_matches('.').eq_ignore_ascii_case(&host) {
                return misdirected();
            }
            authority::respond(request, &state, LABEL, &endpoint).await
        }
    })
    .await;
}

async fn tunnel(request: Request<Incoming>, mut stream: TcpStream) {
    let Ok(upgraded) = hyper::upgrade::on(request).await else { return };
    // Either side may close the connection at any time.
    let _ = copy_bidirectional(&mut TokioIo::new(upgraded), &mut stream).await;
}

/// Connects to the host. The address that was checked is the one that is connected to.
async fn dial(host: &str, port: u16, own_ports: &BTreeSet<u16>) -> io::Result<TcpStream> {
    // Many systems' resolvers do not know these names (RFC 6761).
    let host = if host.ends_with(".localhost") { "127.0.0.1" } else { host };
    let connect = async {
        let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
        for address in lookup_host((host, port)).await? {
            if !may_be_reached(address.ip(), port, own_ports) {
                last = io::ErrorKind::PermissionDenied.into();
                continue;
            }
            match TcpStream::connect(address).await {
                Ok(stream) => return Ok(stream),
                Err(error) => last = error,
            }
        }
        Err(last)
    };
    timeout(limits::TUNNEL_CONNECT, connect).await?
}

/// Whether a tunnel may lead to this address.
fn may_be_reached(ip: IpAddr, port: u16, own_ports: &BTreeSet<u16>) -> bool {
    let v4 = match ip.to_canonical() {
        IpAddr::V4(v4) => Some(v4),
        IpAddr::V6(v6) => embedded_v4(v6),
    };
    let is_loopback = ip.to_canonical().is_loopback() || v4.is_some_and(|v4| v4.is_loopback());
    if is_loopback || ip.is_unspecified() {
        return ip.is_loopback() && own_ports.contains(&port);
    }
    // Metadata services: the platform's own address in Azure, and those of other clouds.
    const V4: [Ipv4Addr; 3] = [
        Ipv4Addr::new(168, 63, 129, 16),
        Ipv4Addr::new(100, 100, 100, 200),
        Ipv4Addr::new(192, 0, 0, 192),
    ];
    let of_v4 = |v4: Ipv4Addr| {
        V4.contains(&v4) || v4.is_link_local() || v4.is_unspecified() || v4.is_multicast()
    };
    let of_v6 = |v6: Ipv6Addr| {
        let metadata = matches!(v6.segments(), [0xfd00, 0xec2, ..] | [0xfd20, 0xce, ..]);
        metadata || v6.is_unicast_link_local() || v6.is_multicast()
    };
    let is_other = match ip.to_canonical() {
        IpAddr::V6(v6) => of_v6(v6),
        IpAddr::V4(_) => false,
    };
    !is_other && !v4.is_some_and(of_v4)
}

/// IPv4 inside IPv6: compatible, translated, NAT64 and 6to4.
fn embedded_v4(ip: Ipv6Addr) -> Option<Ipv4Addr> {
    let v4 = |high: u16, low: u16| Ipv4Addr::from(u32::from(high) << 16 | u32::from(low));
    match ip.segments() {
        [0, 0, 0, 0, 0, 0, high, low] if high != 0 => Some(v4(high, low)),
        [0, 0, 0, 0, 0xffff, 0, high, low] => Some(v4(high, low)),
        [0x64, 0xff9b, _, _, _, _, high, low] => Some(v4(high, low)),
        [0x2002, high, low, ..] => Some(v4(high, low)),
        _ => None,
    }
}

/// Host and port of a CONNECT request: the host in lower case and without brackets.
fn target(request: &Request<Incoming>) -> Option<(String, u16)> {
    let authority = request.uri().authority()?;
    let host = authority.host().trim_start_matches('[').trim_end_matches(']');
    Some((host.to_ascii_lowercase(), authority.port_u16()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tunnel_does_not_lead_to_what_is_this_machine_s_own() {
        let own_ports = BTreeSet::from([40_001]);
        for (ip, port, may) in [
            ("20.50.1.1", 443, true),
            ("10.1.2.3", 443, true),
            ("2603:1030::1", 443, true),
            ("127.0.0.1", 40_001, true),
            ("::1", 40_001, true),
            ("127.0.0.1", 22, false),
            ("127.9.9.9", 22, false),
            ("::1", 22, false),
            ("::ffff:127.0.0.1", 22, false),
            ("0.0.0.0", 40_001, false),
            ("::", 40_001, false),
            ("169.254.169.254", 80, false),
            ("169.254.1.1", 443, false),
            ("::ffff:169.254.169.254", 80, false),
            ("::169.254.169.254", 80, false),
            ("::ffff:0:169.254.169.254", 80, false),
            ("64:ff9b::a9fe:a9fe", 80, false),
            ("64:ff9b:1::a9fe:a9fe", 80, false),
            ("2002:a9fe:a9fe::1", 80, false),
            ("168.63.129.16", 32_526, false),
            ("fe80::1", 80, false),
            ("fd00:ec2::254", 80, false),
            ("fd20:ce::254", 80, false),
            ("100.100.100.200", 80, false),
            ("224.0.0.1", 80, false),
            ("ff02::1", 80, false),
        ] {
            assert_eq!(may_be_reached(ip.parse().unwrap(), port, &own_ports), may, "{ip} {port}");
        }
    }
}
