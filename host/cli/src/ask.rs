//! What commands share that ask for a token.

use std::time::{SystemTime, UNIX_EPOCH};

use clap::Args;
use vaultlet_host::{Token, TokenRequest};

use crate::failure::Failure;
use crate::options::{Options, explain};

/// Which token.
#[derive(Args)]
pub(crate) struct Ask {
    /// The resource to ask a token for [default: Key Vault of the cloud]
    #[arg(long, value_name = "URI", conflicts_with = "scope")]
    resource: Option<String>,
    /// The same as a scope, which ends in /.default
    #[arg(long, value_name = "SCOPE")]
    scope: Option<String>,
    /// The tenant, where a source has a choice
    #[arg(long, value_name = "ID")]
    tenant: Option<String>,
}

impl Ask {
    pub(crate) fn token(self, options: &Options, claims: Option<String>) -> Result<Token, Failure> {
        let resource = self.resource.or(self.scope);
        let request = TokenRequest { resource, tenant: self.tenant, claims };
        options.open(1)?.token_blocking(request).map_err(explain)
    }
}

/// Unix seconds.
pub(crate) fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs())
}
