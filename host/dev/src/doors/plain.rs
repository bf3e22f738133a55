//! Plain HTTP, a loopback port for each vault: for clients that can be given neither a CA nor a
//! name.

use std::sync::Arc;

use tokio::net::TcpListener;

use super::{VaultDoor, listen, serve};
use crate::{
    state::State,
    vault::{Challenge, Place, Vault},
};

const LABEL: &str = "http";

/// The door of one vault at this port; the token's audience is its own origin.
pub(crate) fn door(vault: &Arc<Vault>, port: u16, authority: &str) -> VaultDoor {
    let origin = format!("http://127.0.0.1:{port}");
    VaultDoor {
        label: LABEL,
        vault: Arc::clone(vault),
        place: Place {
            challenge: Challenge::new(authority, origin.clone()),
            paging_origin: origin.clone(),
            origin,
        },
    }
}

/// Serves one vault for ever.
pub(crate) async fn run(listener: TcpListener, state: Arc<State>, door: VaultDoor) {
    let door = Arc::new(door);
    listen(listener, |stream| {
        let (state, door) = (Arc::clone(&state), Arc::clone(&door));
        async move {
            state.connected(LABEL);
            serve(stream, move |request| Arc::clone(&door).answer(Arc::clone(&state), request))
                .await;
        }
    })
    .await;
}
