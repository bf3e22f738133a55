//! How the agent is, as JSON: `GET /v1/status`.

use serde::Serialize;

/// The agent's state.
#[derive(Serialize)]
pub(super) struct Status {
    /// The program's version.
    pub(super) version: &'static str,
    /// When the agent was started, in Unix seconds.
    pub(super) started: u64,
    /// Secrets that are kept.
    pub(super) secrets: usize,
    /// Those of them that serve as old values.
    pub(super) stale: usize,
    pub(super) upstream: Upstream,
    /// Secrets that the policy or `--allow` denied.
    pub(super) denied: u64,
}

/// The requests to vaults.
#[derive(Serialize)]
pub(super) struct Upstream {
    pub(super) requests: u64,
    /// Those that a vault has throttled.
    pub(super) throttled: u64,
}
