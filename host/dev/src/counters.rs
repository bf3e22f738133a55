//! What was asked, counted: tests and benchmarks assert on these.

use std::collections::BTreeMap;

use serde::Serialize;

/// How often each thing happened since the start or the last reset.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Counters {
    /// TCP connections by door: `proxy`, `localhost`, `http`, `identity`, `service-fabric`,
    /// `authority`, `authority-http`.
    pub connections: BTreeMap<&'static str, u64>,
    /// Finished TLS handshakes by door: `proxy`, `localhost`, `service-fabric`, `authority`.
    pub handshakes: BTreeMap<&'static str, u64>,
    /// CONNECT requests that were tunnelled to where they asked to go.
    pub tunnels: u64,
    /// Requests by identity endpoint: `azure-ml`, `azure-ml-obo`, `app-service`, `imds`,
    /// `azure-arc`, `service-fabric`, `cloud-shell`, `azure-pipelines`, `azure-ml-spark`, `other`.
    pub identity: BTreeMap<&'static str, u64>,
    /// Requests to the token authority by operation (`client-secret`, `client-certificate`,
    /// `federated-token`, `on-behalf-of`, `user-password`, `device-code`, `device-token`,
    /// `refresh-token`, `discovery`, `instance`, `keys`, …), then by status.
    pub authority: BTreeMap<&'static str, BTreeMap<u16, u64>>,
    /// Token requests whose assertion was used before. The authority accepts them, as Entra does.
    pub assertions_reused: u64,
    /// Tokens given out.
    pub tokens_issued: u64,
    /// Vault requests by operation (`get`, `set`, `list`, `versions`, …), then by status.
    pub vault: BTreeMap<&'static str, BTreeMap<u16, u64>>,
    /// Answers of 401 with a challenge.
    pub challenges: u64,
}

impl Counters {
    /// Requests to identity endpoints, whichever.
    #[must_use]
    pub fn identity_requests(&self) -> u64 {
        self.identity.values().sum()
    }

    /// Requests to the token authority, whatever for.
    #[must_use]
    pub fn authority_requests(&self) -> u64 {
        self.authority.values().flat_map(BTreeMap::values).sum()
    }

    /// Requests to vaults, challenges included.
    #[must_use]
    pub fn vault_requests(&self) -> u64 {
        self.vault.values().flat_map(BTreeMap::values).sum()
    }

    /// Requests for one operation that ended with this status.
    #[must_use]
    pub fn operation(&self, operation: &str, status: u16) -> u64 {
        self.vault.get(operation).and_then(|by| by.get(&status)).copied().unwrap_or_default()
    }
}
