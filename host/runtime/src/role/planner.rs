//! The planner role: asks the component what its other roles must see, in instances without any
//! capability.

use std::sync::Arc;

use crate::bindings::exports::vaultlet::keyvault::plan as wit;
use crate::error::Error;
use crate::grant::{Grant, Role};
use crate::instance::{Lease, Pool};
use crate::net::{Issuers, PlannedServer, Purpose, Trust};
use crate::settings::Settings;

use super::trap::trapped;

use wit::{File, Key, Program, Resolved, Subject};

type Variables = [(String, String)];

/// Calls the component's pure functions of the interface `plan`.
pub(crate) struct Planner {
    pool: Arc<Pool>,
    /// The planner's grant, which allows nothing.
    grant: Arc<Grant>,
}

/// What the credentials need.
pub(crate) struct CredentialPlan {
    variables: Vec<String>,
    pub(crate) servers: Vec<PlannedServer>,
    pub(crate) files: Vec<File>,
    pub(crate) keys: Vec<Key>,
    pub(crate) programs: Vec<Program>,
    /// Whether a source must tell a person something.
    pub(crate) tells: bool,
}

impl Planner {
    pub(crate) fn new(pool: Arc<Pool>) -> Self {
        let grant = Grant { role: Role::Planner, ..Grant::default() };
        Self { pool, grant: Arc::new(grant) }
    }

    /// An instance without any capability, for pure functions of the component.
    pub(crate) async fn lease(&self) -> Result<Lease, Error> {
        self.pool.lease(&self.grant).await
    }

    /// The vault of a subject.
    pub(crate) async fn vault(
        &self,
        what: &Subject,
        settings: &Variables,
    ) -> Result<PlannedServer, Error> {
        planned_server(self.resolve(what, settings).await?.server)
    }

    /// A subject in canonical form, which is what policies compare.
    pub(crate) async fn resolve(
        &self,
        what: &Subject,
        settings: &Variables,
    ) -> Result<Resolved, Error> {
        let mut lease = self.lease().await?;
        let (store, provider) = lease.parts();
        let plan = provider.vaultlet_keyvault_plan();
        let resolved = plan.call_resolve(store, what, settings).await.map_err(|e| self.trapped(&e));
        let resolved = resolved?;
        lease.keep();
        Ok(resolved?)
    }

    /// What the credentials need under these settings, and the variables that decided it. An unset
    /// variable has an empty value.
    pub(crate) async fn credentials(
        &self,
        settings: &Settings,
    ) -> Result<(CredentialPlan, Vec<(String, String)>), Error> {
        let component_variables = settings.component_variables();
        let named = self.plan_credentials(&component_variables, &[]).await?.variables;
        // Unset variables have an empty value: a call without any values would ask for the
        // variables again.
        let value = |name: String| {
            let value = settings.environment.get(&name).unwrap_or_default();
            (name, value)
        };
        let values: Vec<_> = named.into_iter().map(value).collect();
        Ok((self.plan_credentials(&component_variables, &values).await?, values))
    }

    async fn plan_credentials(
        &self,
        settings: &Variables,
        values: &Variables,
    ) -> Result<CredentialPlan, Error> {
        let mut lease = self.lease().await?;
        let (store, provider) = lease.parts();
        let plan = provider.vaultlet_keyvault_plan();
        let planned = plan.call_plan_credentials(store, settings, values).await;
        let planned = planned.map_err(|e| self.trapped(&e))?;
        lease.keep();
        let wit::CredentialPlan { variables, servers, files, keys, programs, tells } = planned?;
        let servers = servers.into_iter().map(planned_server).collect::<Result<_, _>>()?;
        Ok(CredentialPlan { variables, servers, files, keys, programs, tells })
    }

    /// The variables by which a child process finds the endpoint that is lent to it.
    pub(crate) async fn lent_variables(
        &self,
        address: &str,
        secret: &str,
    ) -> Result<Vec<(String, String)>, Error> {
        let mut lease = self.lease().await?;
        let (store, provider) = lease.parts();
        let plan = provider.vaultlet_keyvault_plan();
        let lent = plan.call_lent(store, address, secret).await.map_err(|e| self.trapped(&e))?;
        lease.keep();
        Ok(lent)
    }

    pub(crate) fn trapped(&self, trap: &wasmtime::Error) -> Error {
        trapped(self.grant.role, trap)
    }
}

/// A server of the plan, with its trust checked and parsed.
fn planned_server(planned: wit::Server) -> Result<PlannedServer, Error> {
    let wit::Server { host, port, trust, purpose } = planned;
    if host.is_empty() || port == 0 {
        return Err(Error::internal("reading the plan: it names no server"));
    }
    let trust = match trust {
        wit::Trust::None => Trust::None,
        wit::Trust::Roots => Trust::Roots,
        wit::Trust::Pinned(digits) => {
            let sha1 = sha1(&digits);
            Trust::Pinned(sha1.ok_or_else(|| Error::internal("reading the plan: no thumbprint"))?)
        }
        wit::Trust::Private(wit::PrivateTrust { issuers, name }) => {
            let issuers = match issuers {
                wit::Certificates::File(path) => Issuers::File(path.into()),
                wit::Certificates::Text(text) => Issuers::Text(text),
            };
            Trust::Private { issuers, name }
        }
    };
    let purpose = match purpose {
        wit::Purpose::IdentityEndpoint => Purpose::IdentityEndpoint,
        wit::Purpose::TokenAuthority => Purpose::TokenAuthority,
        wit::Purpose::Vault => Purpose::Vault,
    };
    Ok(PlannedServer { host, port, trust, purpose })
}

/// A SHA-1 from its 40 hexadecimal digits.
fn sha1(digits: &str) -> Option<[u8; 20]> {
    let mut sha1 = [0; 20];
    if digits.len() != 2 * sha1.len() || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    for (at, byte) in sha1.iter_mut().enumerate() {
        *byte = u8::from_str_radix(digits.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    Some(sha1)
}
