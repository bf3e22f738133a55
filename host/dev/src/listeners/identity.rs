//! The identity endpoints: plain HTTP on one loopback port for all of them but Service Fabric's,
//! which has a port of its own with TLS.

use std::sync::Arc;

use http::Request;
use hyper::body::Incoming;
use rustls::ServerConfig;
use tokio::net::TcpListener;

use super::{handshake, is_loopback, listen, misdirected, serve};
use crate::{
    limits,
    message::{self, Response},
    state::{Pending, State},
};

const LABEL: &str = "identity";
const FABRIC: &str = "service-fabric";

/// Serves all identity endpoints but Service Fabric's until the runtime stops.
pub(crate) async fn run(listener: TcpListener, state: Arc<State>, port: u16) {
    listen(listener, |stream| {
        let state = Arc::clone(&state);
        async move {
            state.record_connection(LABEL);
            serve(stream, move |request| respond(request, Arc::clone(&state), port)).await;
        }
    })
    .await;
}

/// Serves the identity endpoint of Service Fabric until the runtime stops.
pub(crate) async fn run_fabric(
    listener: TcpListener,
    state: Arc<State>,
    port: u16,
    tls: Arc<ServerConfig>,
) {
    listen(listener, |stream| {
        let (state, tls) = (Arc::clone(&state), Arc::clone(&tls));
        async move {
            state.record_connection(FABRIC);
            let Some(stream) = handshake(stream, &tls, &state, FABRIC).await else { return };
            serve(stream, move |request| respond_fabric(request, Arc::clone(&state), port)).await;
        }
    })
    .await;
}

async fn respond(request: Request<Incoming>, state: Arc<State>, port: u16) -> Response {
    let host = message::host(&request);
    // The link-local address of the metadata service, in case it is routed to this port.
    if !is_loopback(host, port) && host != "169.254.169.254" {
        return misdirected();
    }
    let pending = Pending::new(LABEL, request.method(), host, request.uri());
    let (parts, body) = request.into_parts();
    let Ok(body) = message::read(body, limits::IDENTITY_BODY).await else {
        return message::empty(http::StatusCode::PAYLOAD_TOO_LARGE);
    };
    let served = state.endpoints.respond(&parts, &body);
    state.record_identity(pending, served)
}

async fn respond_fabric(request: Request<Incoming>, state: Arc<State>, port: u16) -> Response {
    let host = message::host(&request);
    if !is_loopback(host, port) {
        return misdirected();
    }
    if message::is_forwarded(request.headers()) {
        return message::forwarded();
    }
    let pending = Pending::new(FABRIC, request.method(), host, request.uri());
    let (parts, _) = request.into_parts();
    let served = state.endpoints.respond_fabric(&parts);
    state.record_identity(pending, served)
}
