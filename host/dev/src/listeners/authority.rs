//! The token authority on loopback: with TLS for `AZURE_AUTHORITY_HOST`, and without TLS for
//! clients that cannot be configured to trust the CA.

use std::{collections::BTreeMap, sync::Arc};

use http::Request;
use hyper::body::Incoming;
use rustls::ServerConfig;
use tokio::net::TcpListener;

use super::{handshake, listen, misdirected, serve};
use crate::{
    authority::Endpoint,
    identity::is_service,
    limits,
    message::{self, Response},
    state::{Pending, State},
};

/// Names of the two listeners in counters and log: with TLS, and without.
const LABELS: [&str; 2] = ["authority", "authority-http"];
const TLS_HOSTS: [&str; 3] = ["localhost", "127.0.0.1", "login.localhost"];
const PLAIN_HOSTS: [&str; 2] = ["127.0.0.1", "localhost"];

/// Configuration of one of the two listeners.
pub(crate) struct Config {
    label: &'static str,
    /// The authority's endpoints by host and port.
    endpoints: BTreeMap<String, Endpoint>,
    tls: Option<Arc<ServerConfig>>,
}

impl Config {
    pub(crate) fn tls(port: u16, device_page: &str, tls: Arc<ServerConfig>) -> Self {
        let endpoints = endpoints("https", &TLS_HOSTS, port, device_page);
        Self { label: LABELS[0], endpoints, tls: Some(tls) }
    }

    pub(crate) fn plain(port: u16, device_page: &str) -> Self {
        let endpoints = endpoints("http", &PLAIN_HOSTS, port, device_page);
        Self { label: LABELS[1], endpoints, tls: None }
    }
}

/// The host names in the certificate.
pub(crate) fn certificate_names() -> Vec<String> {
    TLS_HOSTS.map(str::to_owned).to_vec()
}

/// The origins of both listeners under all of their host names, those with TLS first.
pub(crate) fn origins(tls: u16, plain: u16) -> Vec<String> {
    let tls = TLS_HOSTS.map(|host| format!("https://{host}:{tls}"));
    tls.into_iter().chain(PLAIN_HOSTS.map(|host| format!("http://{host}:{plain}"))).collect()
}

fn endpoints(
    scheme: &str,
    hosts: &[&str],
    port: u16,
    device_page: &str,
) -> BTreeMap<String, Endpoint> {
    hosts
        .iter()
        .map(|host| {
            let at = format!("{host}:{port}");
            let endpoint = Endpoint::loopback(&format!("{scheme}://{at}"), device_page);
            (at, endpoint)
        })
        .collect()
}

/// Serves the authority until the runtime stops.
pub(crate) async fn run(listener: TcpListener, state: Arc<State>, config: Config) {
    let config = Arc::new(config);
    listen(listener, |stream| {
        let (state, config) = (Arc::clone(&state), Arc::clone(&config));
        async move {
            state.record_connection(config.label);
            let tls = config.tls.clone();
            let label = config.label;
            let shared = Arc::clone(&state);
            let service =
                move |request| dispatch(request, Arc::clone(&shared), Arc::clone(&config));
            match tls {
                Some(tls) => {
                    let Some(stream) = handshake(stream, &tls, &state, label).await else {
                        return;
                    };
                    serve(stream, service).await;
                }
                None => serve(stream, service).await,
            }
        }
    })
    .await;
}

async fn dispatch(request: Request<Incoming>, state: Arc<State>, config: Arc<Config>) -> Response {
    if message::is_forwarded(request.headers()) {
        return message::forwarded();
    }
    let host = message::host(&request).to_ascii_lowercase();
    match config.endpoints.get(&host) {
        Some(_) if is_service(request.uri().path()) => {
            respond_as_service(request, &state, config.label).await
        }
        Some(endpoint) => respond(request, &state, config.label, endpoint).await,
        None => misdirected(),
    }
}

/// Answers a request to the token services of Spark jobs and of pipelines.
async fn respond_as_service(
    request: Request<Incoming>,
    state: &State,
    label: &'static str,
) -> Response {
    let host = message::host(&request);
    let pending = Pending::new(label, request.method(), host, request.uri());
    let (parts, body) = request.into_parts();
    let Ok(body) = message::read(body, limits::IDENTITY_BODY).await else {
        return message::empty(http::StatusCode::PAYLOAD_TOO_LARGE);
    };
    let federation = &state.authority.federation;
    let served = state.endpoints.respond_as_service(federation, &parts, &body);
    state.record_identity(pending, served)
}

/// Answers a request to the authority that came through any listener.
pub(super) async fn respond(
    request: Request<Incoming>,
    state: &State,
    label: &'static str,
    endpoint: &Endpoint,
) -> Response {
    let host = message::host(&request);
    let pending = Pending::new(label, request.method(), host, request.uri());
    let served = state.authority.respond(&state.endpoints.issuer, endpoint, request).await;
    state.record_authority(pending, served)
}
