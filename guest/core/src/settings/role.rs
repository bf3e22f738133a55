//! The role of an instance. A host gives each role only the variables that it needs, so the variables
//! determine the role; they are read once, here.

use super::{Lookup, malformed, set};
use crate::{
    error::Error,
    words::{secret::SecretString, url::Url},
};

/// Where an instance's tokens come from.
#[derive(Debug, PartialEq, Eq)]
pub enum TokenOrigin {
    /// The chain of sources: the broker role, or a stock runtime that plays all roles in one instance.
    Chain,
    /// The host's identity endpoint: the vault and front roles, which see no credential.
    Endpoint(Url),
}

impl TokenOrigin {
    pub(super) fn read(get: Lookup<'_>) -> Result<Self, Error> {
        const VARIABLE: &str = "VAULTLET_IDENTITY_ENDPOINT";
        let Some(url) = get(VARIABLE) else { return Ok(Self::Chain) };
        Url::parse(&url).map(Self::Endpoint).map_err(|why| malformed(VARIABLE, why))
    }
}

/// The role of an instance: what it serves over HTTP, with the secret that a request must present.
#[derive(Debug)]
pub enum Role {
    /// Serves tokens to the host's other roles.
    Broker(SecretString),
    /// Serves the identity endpoint that is lent to child processes.
    Front(SecretString),
    /// Serves listed secrets on a stock runtime (`wasmtime serve`).
    SecretService(SecretString),
    /// Serves nothing: reads secrets for its caller, or plans.
    Reader,
}

impl Role {
    /// The variable with the secret of the broker's callers.
    pub const BROKER_SECRET: &str = "VAULTLET_ENDPOINT_SECRET";
    /// The variable with the secret that a child process must present to the front.
    pub const FRONT_SECRET: &str = "VAULTLET_LENT_SECRET";
    /// The variable with the secret that a caller of the secret service must present.
    pub const SERVICE_SECRET: &str = "VAULTLET_SERVE_SECRET";

    /// Reads the role from the variables. The front comes first: a host that lends sets no other secret.
    pub fn read(variable: Lookup<'_>) -> Self {
        let secret = |name| set(variable, name).map(SecretString::new);
        if let Some(secret) = secret(Self::FRONT_SECRET) {
            Self::Front(secret)
        } else if let Some(secret) = secret(Self::BROKER_SECRET) {
            Self::Broker(secret)
        } else if let Some(secret) = secret(Self::SERVICE_SECRET) {
            Self::SecretService(secret)
        } else {
            Self::Reader
        }
    }
}
