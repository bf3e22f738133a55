//! `https://<vault>.localhost:<port>`: one port, each vault's name in the certificate, because
//! several TLS libraries refuse a wildcard of two labels.
//!
//! The challenge's resource is `https://localhost:<port>`, of which each vault is a proper
//! subdomain: every SDK's check of the resource passes.

use std::{collections::BTreeMap, sync::Arc};

use http::Request;
use hyper::body::Incoming;
use rustls::ServerConfig;
use tokio::net::TcpListener;

use super::{VaultDoor, host_name, listen, misdirected, serve, shake_hands};
use crate::{
    message::Answer,
    state::State,
    vault::{Challenge, Place, Vault},
};

const LABEL: &str = "localhost";

/// The doors of all vaults at this port, by lower-case host.
pub(crate) type Doors = BTreeMap<String, Arc<VaultDoor>>;

/// The door of one vault, with its host.
pub(crate) fn door(vault: &Arc<Vault>, port: u16, authority: &str) -> (String, Arc<VaultDoor>) {
    let host = host_of(&vault.name);
    let origin = format!("https://{host}:{port}");
    let challenge = Challenge::new(authority, format!("https://localhost:{port}"));
    let place = Place { challenge, paging_origin: origin.clone(), origin };
    (host, Arc::new(VaultDoor { label: LABEL, vault: Arc::clone(vault), place }))
}

/// The host of a vault at this door.
pub(crate) fn host_of(vault: &str) -> String {
    format!("{}.localhost", vault.to_ascii_lowercase())
}

/// Serves all vaults for ever.
pub(crate) async fn run(
    listener: TcpListener,
    state: Arc<State>,
    doors: Doors,
    tls: Arc<ServerConfig>,
) {
    let doors = Arc::new(doors);
    listen(listener, |stream| {
        let (state, doors, tls) = (Arc::clone(&state), Arc::clone(&doors), Arc::clone(&tls));
        async move {
            state.connected(LABEL);
            let Some(stream) = shake_hands(stream, &tls, &state, LABEL).await else { return };
            serve(stream, move |request| answer(request, Arc::clone(&state), Arc::clone(&doors)))
                .await;
        }
    })
    .await;
}

async fn answer(request: Request<Incoming>, state: Arc<State>, doors: Arc<Doors>) -> Answer {
    match doors.get(&host_name(&request).to_ascii_lowercase()) {
        Some(door) => Arc::clone(door).answer(state, request).await,
        None => misdirected(),
    }
}
