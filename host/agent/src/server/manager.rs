//! What the service manager is told, if one started this process (`NOTIFY_SOCKET`). Nothing depends on whether it
//! hears it. <https://www.freedesktop.org/software/systemd/man/latest/sd_notify.html>

use sd_notify::{NotifyState, notify};

/// Whether a service manager wants to be told.
pub fn is_told() -> bool {
    std::env::var_os("NOTIFY_SOCKET").is_some_and(|socket| !socket.is_empty())
}

/// Says that the agent serves.
pub fn ready() {
    tell(&[NotifyState::Ready]);
}

/// Says that the agent reads its settings anew, until it is ready.
pub fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => tell(&[NotifyState::Reloading, now]),
        Err(_) => tell(&[NotifyState::Reloading]),
    }
}

/// Says that the agent is about to end.
pub fn stopping() {
    tell(&[NotifyState::Stopping]);
}

fn tell(state: &[NotifyState<'_>]) {
    if is_told() {
        let _ = notify(state);
    }
}
