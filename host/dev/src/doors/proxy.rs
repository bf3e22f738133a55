//! The real names, through a CONNECT proxy that answers for its own vaults and for the token
//! authority, and tunnels the rest.
//!
//! A name under a vault suffix that is not ours is refused: a typing error must not send a job's
//! token to somebody else's vault.

use std::{collections::BTreeMap, convert::Infallible, io, sync::Arc};

use http::{Method, Request, StatusCode};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use rustls::ServerConfig;
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    time::timeout,
};

use super::{VaultDoor, authority, host_name, listen, misdirected, serve, shake_hands};
use crate::{
    authority::{HOSTS, Place as AuthorityPlace, is_host},
    ca::Ca,
    error::StartError,
    limits,
    message::{self, Answer},
    state::{Pending, State},
    vault::{Challenge, Place, Vault},
};

const LABEL: &str = "proxy";
const HTTPS: u16 = 443;

/// Suffixes of vaults, and the token authority of their cloud.
/// <https://learn.microsoft.com/azure/key-vault/general/about-keys-secrets-certificates>
pub(crate) const CLOUDS: [(&str, &str); 3] = [
    ("vault.azure.net", "login.microsoftonline.com"),
    ("vault.azure.cn", "login.chinacloudapi.cn"),
    ("vault.usgovcloudapi.net", "login.microsoftonline.us"),
];

/// The doors of all vaults, by lower-case host.
pub(crate) type Doors = BTreeMap<String, Arc<Door>>;

/// One vault by one of its real names.
pub(crate) struct Door {
    host: String,
    door: Arc<VaultDoor>,
    tls: Arc<ServerConfig>,
}

/// The doors of one vault: its name in each cloud, each with its own certificate.
pub(crate) fn doors(vault: &Arc<Vault>, ca: &Ca) -> Result<Vec<(String, Arc<Door>)>, StartError> {
    CLOUDS
        .into_iter()
        .map(|(suffix, authority)| {
            let host = format!("{}.{suffix}", vault.name.to_ascii_lowercase());
            let place = Place {
                challenge: Challenge::new(authority, format!("https://{suffix}")),
                origin: format!("https://{host}"),
                paging_origin: format!("https://{host}:{HTTPS}"),
            };
            let door = Arc::new(VaultDoor { label: LABEL, vault: Arc::clone(vault), place });
            let tls = ca.server(vec![host.clone()])?;
            Ok((host.clone(), Arc::new(Door { host, door, tls })))
        })
        .collect()
}

/// The token authority by its real names.
pub(crate) struct AuthorityDoor {
    tls: Arc<ServerConfig>,
    /// Where a person approves a device code.
    device_page: String,
}

impl AuthorityDoor {
    pub(crate) fn new(ca: &Ca, device_page: &str) -> Result<Self, StartError> {
        let mut names: Vec<_> = HOSTS.concat().into_iter().map(str::to_owned).collect();
        // The regional endpoints.
        names.push("*.login.microsoft.com".to_owned());
        Ok(Self { tls: ca.server(names)?, device_page: device_page.to_owned() })
    }
}

/// Whom the proxy answers for.
pub(crate) struct Ours {
    pub(crate) vaults: Doors,
    pub(crate) authority: AuthorityDoor,
}

/// Serves the proxy for ever.
pub(crate) async fn run(listener: TcpListener, state: Arc<State>, ours: Ours) {
    let ours = Arc::new(ours);
    listen(listener, |stream| {
        let (state, ours) = (Arc::clone(&state), Arc::clone(&ours));
        async move {
            state.connected(LABEL);
            let service = service_fn(async |request| {
                Ok::<_, Infallible>(connect(request, &state, &ours).await)
            });
            let mut server = http1::Builder::new();
            server.timer(TokioTimer::new()).header_read_timeout(limits::HEADER_READ);
            // How a connection ends is the client's business; what it asked is in the log.
            let _ = server.serve_connection(TokioIo::new(stream), service).with_upgrades().await;
        }
    })
    .await;
}

/// Where a CONNECT leads.
enum Way {
    Vault(Arc<Door>),
    Authority,
    /// Under a vault suffix, but none of ours.
    UnknownVault,
    Tunnel,
}

async fn connect(request: Request<Incoming>, state: &Arc<State>, ours: &Arc<Ours>) -> Answer {
    if request.method() != Method::CONNECT {
        let text = "this proxy takes CONNECT only: set it for https, not for http\n";
        return message::text(StatusCode::NOT_IMPLEMENTED, text);
    }
    let Some((host, port)) = target(&request) else {
        return message::text(StatusCode::BAD_REQUEST, "CONNECT wants a host and a port\n");
    };
    let pending = Pending::new(LABEL, request.method(), &format!("{host}:{port}"), request.uri());
    match way(&host, port, &ours.vaults) {
        Way::Vault(door) => {
            tokio::spawn(answer_for(request, Arc::clone(state), door));
            message::empty(StatusCode::OK)
        }
        Way::Authority => {
            tokio::spawn(answer_for_authority(request, Arc::clone(state), Arc::clone(ours), host));
            message::empty(StatusCode::OK)
        }
        Way::UnknownVault => {
            state.tunnelled(pending, StatusCode::BAD_GATEWAY);
            let text = "the local Azure has no vault of this name: start it with `--vault NAME`\n";
            message::text(StatusCode::BAD_GATEWAY, text)
        }
        Way::Tunnel => match dial(&host, port).await {
            Ok(stream) => {
                state.tunnelled(pending, StatusCode::OK);
                tokio::spawn(tunnel(request, stream));
                message::empty(StatusCode::OK)
            }
            Err(_) => {
                state.tunnelled(pending, StatusCode::BAD_GATEWAY);
                message::text(StatusCode::BAD_GATEWAY, "this host cannot be reached\n")
            }
        },
    }
}

fn way(host: &str, port: u16, doors: &Doors) -> Way {
    // A name may end in a dot; it is the same name.
    let host = host.trim_end_matches('.');
    if let Some(door) = doors.get(host).filter(|_| port == HTTPS) {
        return Way::Vault(Arc::clone(door));
    }
    if port == HTTPS && is_host(host) {
        return Way::Authority;
    }
    let is_vault = CLOUDS.iter().any(|(suffix, _)| {
        host.strip_suffix(suffix).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    });
    if is_vault { Way::UnknownVault } else { Way::Tunnel }
}

/// Answers for a vault on a connection whose CONNECT was accepted.
async fn answer_for(request: Request<Incoming>, state: Arc<State>, door: Arc<Door>) {
    let Ok(upgraded) = hyper::upgrade::on(request).await else { return };
    let io = TokioIo::new(upgraded);
    let Some(stream) = shake_hands(io, &door.tls, &state, LABEL).await else { return };
    serve(stream, move |request| answer(request, Arc::clone(&state), Arc::clone(&door))).await;
}

async fn answer(request: Request<Incoming>, state: Arc<State>, door: Arc<Door>) -> Answer {
    if host_name(&request).trim_end_matches('.').eq_ignore_ascii_case(&door.host) {
        Arc::clone(&door.door).answer(state, request).await
    } else {
        misdirected()
    }
}

/// Answers for the authority on a connection whose CONNECT was accepted.
async fn answer_for_authority(
    request: Request<Incoming>,
    state: Arc<State>,
    ours: Arc<Ours>,
    host: String,
) {
    let Ok(upgraded) = hyper::upgrade::on(request).await else { return };
    let (io, tls) = (TokioIo::new(upgraded), &ours.authority.tls);
    let Some(stream) = shake_hands(io, tls, &state, LABEL).await else { return };
    let host = host.trim_end_matches('.').to_owned();
    let place = Arc::new(AuthorityPlace::real(&host, &ours.authority.device_page));
    let host: Arc<str> = host.into();
    serve(stream, move |request: Request<Incoming>| {
        let (state, place, host) = (Arc::clone(&state), Arc::clone(&place), Arc::clone(&host));
        async move {
            if !host_name(&request).trim_end_matches('.').eq_ignore_ascii_case(&host) {
                return misdirected();
            }
            authority::answer(request, &state, LABEL, &place).await
        }
    })
    .await;
}

async fn tunnel(request: Request<Incoming>, mut stream: TcpStream) {
    let Ok(upgraded) = hyper::upgrade::on(request).await else { return };
    // Either side may hang up at any time.
    let _ = copy_bidirectional(&mut TokioIo::new(upgraded), &mut stream).await;
}

async fn dial(host: &str, port: u16) -> io::Result<TcpStream> {
    // Many systems' resolvers do not know these names (RFC 6761).
    let host = if host.ends_with(".localhost") { "127.0.0.1" } else { host };
    timeout(limits::TUNNEL_CONNECT, TcpStream::connect((host, port))).await?
}

/// Host in lower case and without brackets, and port.
fn target(request: &Request<Incoming>) -> Option<(String, u16)> {
    let authority = request.uri().authority()?;
    let host = authority.host().trim_start_matches('[').trim_end_matches(']');
    Some((host.to_ascii_lowercase(), authority.port_u16()?))
}
