//! How long the cache keeps what, and how much of it.

use std::time::Duration;

use crate::limits;

/// Settings of a [`Cache`](super::Cache). The defaults are those of `vaultlet agent`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CacheSettings {
    /// The time for which a secret is kept, give or take a tenth. 300 s by default.
    pub ttl: Duration,
    /// The time after that for which an old value serves while its vault or the identity cannot be reached. 86,400 s
    /// by default.
    pub stale: Duration,
    /// The first request to each vault waits a random part of this time. 0 by default.
    pub splay: Duration,
    /// The time that one question upstream may take. 120 s by default.
    pub timeout: Duration,
    /// The most secrets that are kept. 10,000 by default.
    pub secrets: usize,
    /// The most bytes that they have together, with their names and tags. 64 MiB by default.
    pub bytes: usize,
    /// Makes the random times the same in each run, for simulations.
    pub seed: Option<u64>,
}

impl Default for CacheSettings {
    fn default() -> Self {
        Self {
            ttl: limits::TTL,
            stale: limits::STALE,
            splay: Duration::ZERO,
            timeout: limits::QUESTION,
            secrets: limits::SECRETS,
            bytes: limits::BYTES,
            seed: None,
        }
    }
}

impl CacheSettings {
    /// These settings with times that the clock can count.
    pub(super) fn bounded(mut self) -> Self {
        for time in [&mut self.ttl, &mut self.stale, &mut self.splay, &mut self.timeout] {
            *time = (*time).min(limits::LONGEST);
        }
        self
    }
}
