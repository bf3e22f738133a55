//! What the cache gives out.

use std::sync::Arc;

use vaultlet_host::Secret;

/// A secret, and whether it is an old value.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The secret.
    pub secret: Arc<Secret>,
    /// Whether its time is over, and its vault or the identity could not be reached since.
    pub is_stale: bool,
}

impl Answer {
    /// The version's id; empty if the vault did not name it.
    pub fn version(&self) -> &str {
        self.secret.properties().version.as_deref().unwrap_or_default()
    }
}

/// What the cache holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Secrets that are kept, each version for itself.
    pub secrets: usize,
    /// Those of them that serve as old values, because they could not be asked for anew.
    pub stale: usize,
}
