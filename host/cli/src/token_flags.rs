//! The flags of commands that request a token.

use clap::Args;
use vaultlet_host::{Token, TokenRequest, Vaultlet};

use crate::failure::Failure;
use crate::trimmed;

/// The flags that say which token to request.
#[derive(Args)]
pub(crate) struct TokenFlags {
    /// The resource to request a token for [default: Key Vault of the cloud]
    #[arg(long, value_name = "URI", value_parser = trimmed::text(), conflicts_with = "scope")]
    resource: Option<String>,
    /// The resource as a scope, which ends in /.default
    #[arg(long, value_name = "SCOPE", value_parser = trimmed::text())]
    scope: Option<String>,
    /// The tenant to request the token in, where a source has a choice
    #[arg(long, value_name = "ID", value_parser = trimmed::text())]
    tenant: Option<String>,
}

impl TokenFlags {
    pub(crate) fn token(
        self,
        vaultlet: &Vaultlet,
        claims: Option<String>,
    ) -> Result<Token, Failure> {
        let resource = self.resource.or(self.scope);
        let request = TokenRequest { resource, tenant: self.tenant, claims };
        Ok(vaultlet.token_blocking(request)?)
    }
}
