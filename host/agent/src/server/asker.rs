//! Who asks on a connection, as rules and audit lines have it.

use std::path::PathBuf;

use rustix::process::geteuid;
use vaultlet_host::User;

use super::State;
use super::peer::Peer;

/// The program at the other end of a connection.
pub(super) struct Asker {
    /// The process; `None` at a port, where the token stands for our own user.
    peer: Option<Peer>,
}

/// Who asks, at the time of a request.
pub(super) struct Who {
    pub(super) user: User,
    pub(super) pid: Option<u32>,
    pub(super) program: Option<PathBuf>,
}

impl Asker {
    pub(super) fn new(peer: Option<Peer>) -> Self {
        Self { peer }
    }

    /// Whether the rules that are in force by now let the user be answered.
    pub(super) fn is_answered(&self, state: &State) -> bool {
        self.peer.as_ref().is_none_or(|peer| state.rules().answers(peer.user))
    }

    /// Who asks now: a process may run another program than before.
    pub(super) fn now(&self, state: &State) -> Who {
        let user = self.peer.as_ref().map_or_else(|| geteuid().as_raw(), |peer| peer.user);
        Who {
            user: state.user(user),
            pid: self.peer.as_ref().and_then(|peer| peer.pid),
            program: self.peer.as_ref().and_then(Peer::program),
        }
    }
}
