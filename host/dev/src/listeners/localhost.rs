//! All vaults at `https://<vault>.localhost:<port>`, on one port.
//!
//! The certificate lists each vault's host, because several TLS libraries reject a wildcard of two
//! labels. The challenge's resource is `https://localhost:<port>`: each vault's host is a proper
//! subdomain of it, so the check of the resource passes in every SDK.

use std::{collections::BTreeMap, sync::Arc};

use http::Request;
use hyper::body::Incoming;
use rustls::ServerConfig;
use tokio::net::TcpListener;

use super::{VaultHost, handshake, host_name, listen, misdirected, serve};
use crate::{
    message::Response,
    state::State,
    vault::{Challenge, Endpoint, Vault},
};

const LABEL: &str = "localhost";

/// All vaults on this port, by lower-case host.
pub(crate) type Hosts = BTreeMap<String, Arc<VaultHost>>;

/// A vault on this port, with its host.
pub(crate) fn vault_host(
    vault: &Arc<Vault>,
    port: u16,
    authority: &str,
) -> (String, Arc<VaultHost>) {
    let host = host_of_vault(&vault.name);
    let origin = format!("https://{host}:{port}");
    let challenge = Challenge::new(authority, format!("https://localhost:{port}"));
    let endpoint = Endpoint { challenge, paging_origin: origin.clone(), origin };
    (host, Arc::new(VaultHost { label: LABEL, vault: Arc::clone(vault), endpoint }))
}

/// The host of a vault on this port.
pub(crate) fn host_of_vault(vault: &str) -> String {
    format!("{}.localhost", vault.to_ascii_lowercase())
}

/// Serves all vaults until the runtime stops.
pub(crate) async fn run(
    listener: TcpListener,
    state: Arc<State>,
    hosts: Hosts,
    tls: Arc<ServerConfig>,
) {
    let hosts = Arc::new(hosts);
    listen(listener, |stream| {
        let (state, hosts, tls) = (Arc::clone(&state), Arc::clone(&hosts), Arc::clone(&tls));
        async move {
            state.record_connection(LABEL);
            let Some(stream) = handshake(stream, &tls, &state, LABEL).await else { return };
            serve(stream, move |request| respond(request, Arc::clone(&state), Arc::clone(&hosts)))
                .await;
        }
    })
    .await;
}

async fn respond(request: Request<Incoming>, state: Arc<State>, hosts: Arc<Hosts>) -> Response {
    match hosts.get(&host_name(&request).to_ascii_lowercase()) {
        Some(host) => Arc::clone(host).respond(state, request).await,
        None => misdirected(),
    }
}
