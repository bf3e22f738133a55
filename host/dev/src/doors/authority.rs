//! The token authority on loopback: with TLS for `AZURE_AUTHORITY_HOST`, and without for clients
//! that can be given no CA.

use std::{collections::BTreeMap, sync::Arc};

use http::Request;
use hyper::body::Incoming;
use rustls::ServerConfig;
use tokio::net::TcpListener;

use super::{forwarded, host, is_forwarded, listen, misdirected, serve, shake_hands};
use crate::{
    authority::Place,
    identity::is_service,
    limits,
    message::{self, Answer},
    state::{Pending, State},
};

/// With TLS, and without.
const LABELS: [&str; 2] = ["authority", "authority-http"];
const TLS_HOSTS: [&str; 3] = ["localhost", "127.0.0.1", "login.localhost"];
const PLAIN_HOSTS: [&str; 2] = ["127.0.0.1", "localhost"];

/// One of the two.
pub(crate) struct Door {
    label: &'static str,
    /// By host and port.
    places: BTreeMap<String, Place>,
    tls: Option<Arc<ServerConfig>>,
}

impl Door {
    pub(crate) fn tls(port: u16, device_page: &str, tls: Arc<ServerConfig>) -> Self {
        let places = places("https", &TLS_HOSTS, port, device_page);
        Self { label: LABELS[0], places, tls: Some(tls) }
    }

    pub(crate) fn plain(port: u16, device_page: &str) -> Self {
        let places = places("http", &PLAIN_HOSTS, port, device_page);
        Self { label: LABELS[1], places, tls: None }
    }
}

/// The names that the certificate is for.
pub(crate) fn names() -> Vec<String> {
    TLS_HOSTS.map(str::to_owned).to_vec()
}

/// The origins of both doors in every spelling, those with TLS first.
pub(crate) fn origins(tls: u16, plain: u16) -> Vec<String> {
    let tls = TLS_HOSTS.map(|host| format!("https://{host}:{tls}"));
    tls.into_iter().chain(PLAIN_HOSTS.map(|host| format!("http://{host}:{plain}"))).collect()
}

fn places(scheme: &str, hosts: &[&str], port: u16, device_page: &str) -> BTreeMap<String, Place> {
    hosts
        .iter()
        .map(|host| {
            let at = format!("{host}:{port}");
            let place = Place::loopback(&format!("{scheme}://{at}"), device_page);
            (at, place)
        })
        .collect()
}

/// Serves the authority for ever.
pub(crate) async fn run(listener: TcpListener, state: Arc<State>, door: Door) {
    let door = Arc::new(door);
    listen(listener, |stream| {
        let (state, door) = (Arc::clone(&state), Arc::clone(&door));
        async move {
            state.connected(door.label);
            let tls = door.tls.clone();
            let label = door.label;
            let shared = Arc::clone(&state);
            let service =
                move |request| answer_at_door(request, Arc::clone(&shared), Arc::clone(&door));
            match tls {
                Some(tls) => {
                    let Some(stream) = shake_hands(stream, &tls, &state, label).await else {
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

async fn answer_at_door(request: Request<Incoming>, state: Arc<State>, door: Arc<Door>) -> Answer {
    if is_forwarded(request.headers()) {
        return forwarded();
    }
    let asked = host(&request).to_ascii_lowercase();
    match door.places.get(&asked) {
        Some(_) if is_service(request.uri().path()) => {
            answer_service(request, &state, door.label).await
        }
        Some(place) => answer(request, &state, door.label, place).await,
        None => misdirected(),
    }
}

/// Answers for the services of Spark jobs and of pipelines.
async fn answer_service(request: Request<Incoming>, state: &State, label: &'static str) -> Answer {
    let pending = Pending::new(label, request.method(), host(&request), request.uri());
    let (parts, body) = request.into_parts();
    let Ok(body) = message::read(body, limits::IDENTITY_BODY).await else {
        return message::empty(http::StatusCode::PAYLOAD_TOO_LARGE);
    };
    let outcome = state.endpoints.answer_service(&state.authority.federation, &parts, &body);
    let status = outcome.answer.status();
    state.identified(pending, outcome.operation, status, outcome.who);
    outcome.answer
}

/// Answers one request to the authority, by whichever way it came.
pub(super) async fn answer(
    request: Request<Incoming>,
    state: &State,
    label: &'static str,
    place: &Place,
) -> Answer {
    let pending = Pending::new(label, request.method(), host(&request), request.uri());
    let outcome = state.authority.answer(&state.endpoints.issuer, place, request).await;
    let status = outcome.answer.status();
    state.authorized(pending, outcome.operation, status, outcome.who, outcome.is_reused);
    outcome.answer
}
