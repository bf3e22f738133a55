//! The planner role: asks the component what its other roles must see, in instances without any
//! capability.

use std::sync::Arc;

use crate::bindings::exports::vaultlet::keyvault::plan as wit;
use crate::call::Call;
use crate::error::Error;
use crate::grant::{Grant, Role};
use crate::instance::{Guest, Pool, Route, Variables};
use crate::net::{Issuers, PlannedServer, Purpose, Trust};
use crate::settings::Settings;

use wit::{File, Key, Program, Resolved, Subject};

/// Calls the component's pure functions of the interface `plan`.
pub(crate) struct Planner {
    pool: Arc<Pool>,
    /// The planner's grant, which allows nothing.
    grant: Arc<Grant>,
}

/// What the credentials need.
pub(crate) struct CredentialPlan {
    variables: Vec<String>,
    /// Variables that hold a secret or lead to one.
    pub(crate) secrets: Vec<String>,
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

    /// Calls a pure function of the component, in an instance without any capability.
    pub(crate) fn call<T>(
        &self,
        call: &Arc<Call>,
        work: impl FnOnce(&mut Guest) -> wasmtime::Result<T>,
    ) -> Result<T, Error> {
        self.pool.call(&self.grant, call, work)
    }

    /// The vault of a reference, and what all references begin with that lead there, too.
    pub(crate) fn route(
        &self,
        reference: &str,
        settings: &Variables,
        call: &Arc<Call>,
    ) -> Result<(PlannedServer, Option<String>), Error> {
        let Route { server, prefix } =
            self.call(call, |guest| guest.route(call, reference, settings))??;
        Ok((planned_server(server)?, prefix))
    }

    /// A subject in canonical form, which is what policies compare.
    pub(crate) fn resolve(
        &self,
        what: &Subject,
        settings: &Variables,
        call: &Arc<Call>,
    ) -> Result<Resolved, Error> {
        Ok(self.call(call, |guest| guest.resolve(call, what, settings))??)
    }

    /// The server of a vault, as it is given for a listing.
    pub(crate) fn vault(
        &self,
        vault: &str,
        settings: &Variables,
        call: &Arc<Call>,
    ) -> Result<PlannedServer, Error> {
        planned_server(self.resolve(&Subject::Vault(vault.to_owned()), settings, call)?.server)
    }

    /// What the credentials need under these settings, and the variables that decided it. An unset
    /// variable has an empty value.
    pub(crate) fn credentials(
        &self,
        settings: &Settings,
        call: &Arc<Call>,
    ) -> Result<(CredentialPlan, Vec<(String, String)>), Error> {
        let component_variables = settings.component_variables()?;
        let named = self.plan_credentials(&component_variables, &[], call)?.variables;
        // Unset variables have an empty value: a call without any values would ask for the
        // variables again.
        let value = |name: String| {
            let value = settings.environment.for_component(&name)?.unwrap_or_default();
            Ok((name, value))
        };
        let values = named.into_iter().map(value).collect::<Result<Vec<_>, Error>>()?;
        let mut plan = self.plan_credentials(&component_variables, &values, call)?;
        for server in &mut plan.servers {
            if let Trust::Private { issuers: Issuers::File(path), .. } = &mut server.trust {
                *path = settings.environment.path_of(&path.to_string_lossy());
            }
        }
        Ok((plan, values))
    }

    /// Has the component check settings.
    #[cfg(feature = "lend")]
    pub(crate) fn check(&self, settings: &Variables, call: &Arc<Call>) -> Result<(), Error> {
        self.plan_credentials(settings, &[], call).map(drop)
    }

    fn plan_credentials(
        &self,
        settings: &Variables,
        values: &Variables,
        call: &Arc<Call>,
    ) -> Result<CredentialPlan, Error> {
        let planned = self.call(call, |guest| guest.plan_credentials(call, settings, values))??;
        let wit::CredentialPlan { variables, secrets, servers, files, keys, programs, tells } =
            planned;
        let servers = servers.into_iter().map(planned_server).collect::<Result<_, _>>()?;
        Ok(CredentialPlan { variables, secrets, servers, files, keys, programs, tells })
    }

    /// The variables by which a child process finds the endpoint that is lent to it.
    #[cfg(feature = "lend")]
    pub(crate) fn lent_variables(
        &self,
        address: &str,
        secret: &str,
        call: &Arc<Call>,
    ) -> Result<Vec<(String, String)>, Error> {
        self.call(call, |guest| guest.lent(call, address, secret))
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
