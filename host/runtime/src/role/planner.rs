//! Asks the component what its roles must see, in instances without any capability.

use std::sync::Arc;

use crate::authority::{Issuers, PlannedServer, Purpose, Trust};
use crate::bindings::exports::vaultlet::keyvault::plan as wit;
use crate::error::Error;
use crate::grant::Grant;
use crate::level::Level;
use crate::settings::Settings;

pub(crate) use wit::{File, Key, Program, Resolved, Subject};

type Variables = [(String, String)];

/// The plan of one handle.
pub(crate) struct Planner {
    pub(crate) level: Arc<Level>,
    pub(crate) nothing: Arc<Grant>,
}

/// What the credentials need.
pub(crate) struct CredentialPlan {
    variables: Vec<String>,
    pub(crate) servers: Vec<PlannedServer>,
    pub(crate) files: Vec<File>,
    pub(crate) keys: Vec<Key>,
    pub(crate) programs: Vec<Program>,
    /// Whether a person must be told something.
    pub(crate) tells: bool,
}

impl Planner {
    /// The vault that it leads to.
    pub(crate) async fn vault(
        &self,
        what: &Subject,
        settings: &Variables,
    ) -> Result<PlannedServer, Error> {
        server(self.resolved(what, settings).await?.server)
    }

    /// It in its canonical form, which is the one that policies compare.
    pub(crate) async fn resolved(
        &self,
        what: &Subject,
        settings: &Variables,
    ) -> Result<Resolved, Error> {
        let mut lease = self.level.lease(&self.nothing).await?;
        let (store, provider) = lease.parts();
        let resolved = provider
            .vaultlet_keyvault_plan()
            .call_resolve(store, what, settings)
            .await
            .map_err(|e| trapped(&e))?;
        lease.keep();
        Ok(resolved?)
    }

    /// What the credentials need under these settings, and the variables that decided it; one that
    /// is unset has an empty value.
    pub(crate) async fn of(
        &self,
        settings: &Settings,
    ) -> Result<(CredentialPlan, Vec<(String, String)>), Error> {
        let of_guest = settings.of_guest();
        let named = self.plan_credentials(&of_guest, &[]).await?.variables;
        // No values at all would ask for the variables again.
        let value = |name: String| {
            let value = settings.environment.get(&name).unwrap_or_default();
            (name, value)
        };
        let values: Vec<_> = named.into_iter().map(value).collect();
        Ok((self.plan_credentials(&of_guest, &values).await?, values))
    }

    async fn plan_credentials(
        &self,
        settings: &Variables,
        values: &Variables,
    ) -> Result<CredentialPlan, Error> {
        let mut lease = self.level.lease(&self.nothing).await?;
        let (store, provider) = lease.parts();
        let needs = provider
            .vaultlet_keyvault_plan()
            .call_plan_credentials(store, settings, values)
            .await
            .map_err(|e| trapped(&e))?;
        lease.keep();
        let needs = needs?;
        let servers = needs.servers.into_iter().map(server).collect::<Result<_, _>>()?;
        let wit::CredentialPlan { variables, files, keys, programs, tells, .. } = needs;
        Ok(CredentialPlan { variables, servers, files, keys, programs, tells })
    }

    /// The variables by which a child finds the endpoint that is lent to it.
    pub(crate) async fn lent(
        &self,
        authority: &str,
        secret: &str,
    ) -> Result<Vec<(String, String)>, Error> {
        let mut lease = self.level.lease(&self.nothing).await?;
        let (store, provider) = lease.parts();
        let plan = provider.vaultlet_keyvault_plan();
        let lent = plan.call_lent(store, authority, secret).await.map_err(|e| trapped(&e))?;
        lease.keep();
        Ok(lent)
    }
}

pub(crate) fn trapped(trap: &wasmtime::Error) -> Error {
    tracing::error!(target: "vaultlet", "the component trapped: {trap:#}");
    Error::internal(format!("running the component: {}", trap.root_cause()))
}

fn server(planned: wit::Server) -> Result<PlannedServer, Error> {
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

/// 40 hexadecimal digits.
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
