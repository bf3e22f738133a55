//! Plain HTTP on a loopback port for each vault, for clients that cannot be configured to trust the
//! CA or to use the proxy.

use std::sync::Arc;

use tokio::net::TcpListener;

use super::{VaultHost, listen, serve};
use crate::{
    state::State,
    vault::{Challenge, Endpoint, Vault},
};

const LABEL: &str = "http";

/// A vault on this port, whose tokens have the port's origin as their audience.
pub(crate) fn vault_host(vault: &Arc<Vault>, port: u16, authority: &str) -> VaultHost {
    let origin = format!("http://127.0.0.1:{port}");
    VaultHost {
        label: LABEL,
        vault: Arc::clone(vault),
        endpoint: Endpoint {
            challenge: Challenge::new(authority, origin.clone()),
            paging_origin: origin.clone(),
            origin,
        },
    }
}

/// Serves one vault until the runtime stops.
pub(crate) async fn run(listener: TcpListener, state: Arc<State>, host: VaultHost) {
    let host = Arc::new(host);
    listen(listener, |stream| {
        let (state, host) = (Arc::clone(&state), Arc::clone(&host));
        async move {
            state.record_connection(LABEL);
            serve(stream, move |request| Arc::clone(&host).respond(Arc::clone(&state), request))
                .await;
        }
    })
    .await;
}
