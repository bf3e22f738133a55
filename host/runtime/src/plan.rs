//! Asks the component what its roles must see, in instances without any capability.

use std::sync::Arc;

use crate::authority::{Authority, Purpose};
use crate::bindings::exports::vaultlet::keyvault::plan as wit;
use crate::error::Error;
use crate::level::Level;
use crate::state::Grant;

type Variables = [(String, String)];

/// The plan of one handle.
pub(crate) struct Plan {
    pub(crate) level: Arc<Level>,
    pub(crate) nothing: Arc<Grant>,
}

/// What the credentials need.
pub(crate) struct Needs {
    pub(crate) variables: Vec<String>,
    pub(crate) authorities: Vec<Authority>,
}

impl Plan {
    /// The vault that a reference leads to.
    pub(crate) async fn resolve(
        &self,
        reference: &str,
        settings: &Variables,
    ) -> Result<Authority, Error> {
        let mut lease = self.level.lease(&self.nothing).await?;
        let (store, provider) = lease.parts();
        let resolved = provider
            .vaultlet_keyvault_plan()
            .call_resolve(store, reference, settings)
            .await
            .map_err(|e| trapped(&e))?;
        lease.keep();
        authority(resolved?.authority)
    }

    pub(crate) async fn needs(
        &self,
        settings: &Variables,
        values: &Variables,
    ) -> Result<Needs, Error> {
        let mut lease = self.level.lease(&self.nothing).await?;
        let (store, provider) = lease.parts();
        let needs = provider
            .vaultlet_keyvault_plan()
            .call_needs(store, settings, values)
            .await
            .map_err(|e| trapped(&e))?;
        lease.keep();
        let needs = needs?;
        let authorities = needs.authorities.into_iter().map(authority).collect::<Result<_, _>>()?;
        Ok(Needs { variables: needs.variables, authorities })
    }
}

pub(crate) fn trapped(trap: &wasmtime::Error) -> Error {
    tracing::error!(target: "vaultlet", "the component trapped: {trap:#}");
    Error::internal(format!("running the component: {}", trap.root_cause()))
}

fn authority(planned: wit::Authority) -> Result<Authority, Error> {
    let wit::Authority { host, port, trust, purpose } = planned;
    if host.is_empty() || port == 0 {
        return Err(Error::internal("reading the plan: it names no server"));
    }
    let tls = match trust {
        wit::Trust::None => false,
        wit::Trust::Roots => true,
        wit::Trust::Pinned(_) | wit::Trust::Private(_) => {
            return Err(Error::internal("reading the plan: this trust is not supported"));
        }
    };
    let purpose = match purpose {
        wit::Purpose::IdentityEndpoint => Purpose::IdentityEndpoint,
        wit::Purpose::TokenAuthority => Purpose::TokenAuthority,
        wit::Purpose::Vault => Purpose::Vault,
    };
    Ok(Authority { host, port, tls, purpose })
}
