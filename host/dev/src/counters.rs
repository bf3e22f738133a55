//! Request counters, for the assertions of tests and benchmarks.

use std::collections::BTreeMap;

use serde::Serialize;

/// Counts of connections, requests and tokens since the start or the last reset.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Counters {
    /// TCP connections by listener: `proxy`, `localhost`, `http`, `identity`, `service-fabric`,
    /// `authority`, `authority-http`.
    pub connections: BTreeMap<&'static str, u64>,
    /// Completed TLS handshakes by listener: `proxy`, `localhost`, `service-fabric`, `authority`.
    pub handshakes: BTreeMap<&'static str, u64>,
    /// CONNECT requests that were tunnelled to a host outside of the local Azure.
    pub tunnels: u64,
    /// Requests to each kind of identity endpoint: `azure-ml`, `azure-ml-obo`, `app-service`,
    /// `imds`, `azure-arc`, `service-fabric`, `cloud-shell`, `azure-pipelines`, `azure-ml-spark`,
    /// `other`.
    pub identity: BTreeMap<&'static str, u64>,
    /// Requests to the token authority by operation (`client-secret`, `client-certificate`,
    /// `federated-token`, `on-behalf-of`, `user-password`, `device-code`, `device-token`,
    /// `refresh-token`, `discovery`, `instance`, `keys`, …), then by status.
    pub authority: BTreeMap<&'static str, BTreeMap<u16, u64>>,
    /// Token requests with an assertion that was used before. The authority accepts them, as Entra
    /// does.
    pub assertions_reused: u64,
    /// Access tokens that were issued.
    pub tokens_issued: u64,
    /// Vault requests by operation (`get`, `set`, `list`, `versions`, …), then by status.
    pub vault: BTreeMap<&'static str, BTreeMap<u16, u64>>,
    /// Responses of a vault with status 401 and a challenge.
    pub challenges: u64,
}

impl Counters {
    /// Requests to all identity endpoints.
    #[must_use]
    pub fn identity_requests(&self) -> u64 {
        self.identity.values().sum()
    }

    /// All requests to the token authority.
    #[must_use]
    pub fn authority_requests(&self) -> u64 {
        self.authority.values().flat_map(BTreeMap::values).sum()
    }

    /// All requests to vaults, including those that were answered with a challenge.
    #[must_use]
    pub fn vault_requests(&self) -> u64 {
        self.vault.values().flat_map(BTreeMap::values).sum()
    }

    /// Requests to vaults for one operation that were answered with this status.
    #[must_use]
    pub fn operation(&self, operation: &str, status: u16) -> u64 {
        self.vault.get(operation).and_then(|by| by.get(&status)).copied().unwrap_or_default()
    }
}
