//! The identity endpoints: plain HTTP on one loopback port, but for that of Service Fabric, which
//! has one of its own with TLS.

use std::sync::Arc;

use http::Request;
use hyper::body::Incoming;
use rustls::ServerConfig;
use tokio::net::TcpListener;

use super::{forwarded, host, is_at, is_forwarded, listen, misdirected, serve, shake_hands};
use crate::{
    limits,
    message::{self, Answer},
    state::{Pending, State},
};

const LABEL: &str = "identity";
const FABRIC: &str = "service-fabric";

/// Serves all identity endpoints for ever.
pub(crate) async fn run(listener: TcpListener, state: Arc<State>, port: u16) {
    listen(listener, |stream| {
        let state = Arc::clone(&state);
        async move {
            state.connected(LABEL);
            serve(stream, move |request| answer(request, Arc::clone(&state), port)).await;
        }
    })
    .await;
}

/// Serves the endpoint of Service Fabric for ever.
pub(crate) async fn run_fabric(
    listener: TcpListener,
    state: Arc<State>,
    port: u16,
    tls: Arc<ServerConfig>,
) {
    listen(listener, |stream| {
        let (state, tls) = (Arc::clone(&state), Arc::clone(&tls));
        async move {
            state.connected(FABRIC);
            let Some(stream) = shake_hands(stream, &tls, &state, FABRIC).await else { return };
            serve(stream, move |request| answer_fabric(request, Arc::clone(&state), port)).await;
        }
    })
    .await;
}

async fn answer(request: Request<Incoming>, state: Arc<State>, port: u16) -> Answer {
    let asked = host(&request);
    // The link-local name is that of the metadata service, where somebody leads it here.
    if !is_at(asked, port) && asked != "169.254.169.254" {
        return misdirected();
    }
    let pending = Pending::new(LABEL, request.method(), asked, request.uri());
    let (parts, body) = request.into_parts();
    let Ok(body) = message::read(body, limits::IDENTITY_BODY).await else {
        return message::empty(http::StatusCode::PAYLOAD_TOO_LARGE);
    };
    let outcome = state.endpoints.answer(&parts, &body);
    let status = outcome.answer.status();
    state.identified(pending, outcome.operation, status, outcome.who);
    outcome.answer
}

async fn answer_fabric(request: Request<Incoming>, state: Arc<State>, port: u16) -> Answer {
    let asked = host(&request);
    if !is_at(asked, port) {
        return misdirected();
    }
    if is_forwarded(request.headers()) {
        return forwarded();
    }
    let pending = Pending::new(FABRIC, request.method(), asked, request.uri());
    let (parts, _) = request.into_parts();
    let outcome = state.endpoints.answer_fabric(&parts);
    let status = outcome.answer.status();
    state.identified(pending, outcome.operation, status, outcome.who);
    outcome.answer
}
