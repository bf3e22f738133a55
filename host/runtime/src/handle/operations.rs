//! What a handle does, on the thread of its caller: finds the vault, and makes the call in an instance
//! that is granted that vault.

use std::cmp::Reverse;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::bindings::exports::vaultlet::keyvault::types::Listed;
use crate::call::Call;
use crate::error::{Error, Kind};
use crate::grant::{Grant, Role};
use crate::instance::Pool;
use crate::internal::{IDENTITY_HOST, IdentityEndpoint};
use crate::limits;
use crate::net::{Client, PlannedServer};
use crate::role::{Planner, vault};
use crate::secret::{Properties, Secret};
use crate::token::{Token, TokenRequest, UserAssigned};

use super::plan::Server;
use super::probe::Probe;

#[cfg(feature = "plugins")]
use crate::bindings::exports::vaultlet::keyvault::types::Page;
#[cfg(feature = "lend")]
use crate::role::Front;

pub(crate) struct Operations {
    pub(crate) planner: Planner,
    /// Instances of the vault role and of the front role.
    pub(super) pool: Arc<Pool>,
    pub(super) client: Arc<Client>,
    pub(super) identity: Arc<IdentityEndpoint>,
    /// Whether the connection to a vault is begun before there is a token for it: a process that makes
    /// one call has nothing else to do meanwhile.
    pub(super) prepares: bool,
    /// The component's settings, as variables.
    pub(crate) settings: Vec<(String, String)>,
    pub(super) known: Mutex<Known>,
}

/// What was found out before.
#[derive(Default)]
pub(super) struct Known {
    /// The grants of the vault role, one for each vault; the newest last.
    grants: Vec<(Option<PlannedServer>, Arc<Grant>)>,
    /// The grants by what references begin with; the newest last.
    routes: Vec<(String, Arc<Grant>)>,
}

impl Operations {
    /// Gets a secret without a policy.
    pub(super) fn read(
        &self,
        reference: &str,
        identity: Option<&UserAssigned>,
        call: &Arc<Call>,
    ) -> Result<Secret, Error> {
        let grant = self.grant_of_reference(reference, call)?;
        vault::get(&self.pool, &grant, call, reference, identity)
    }

    pub(super) fn probe(&self, reference: &str, call: &Arc<Call>) -> Result<Probe, Error> {
        let (server, _) = self.planner.route(reference, &self.settings, call)?;
        let seen = self.client.probe(&server, call);
        Ok(Probe { server: server.into(), seen })
    }

    pub(super) fn proxy_of(&self, server: &Server) -> Option<String> {
        self.client.proxy_of(&server.planned())
    }

    pub(super) fn token(
        &self,
        request: TokenRequest,
        identity: Option<UserAssigned>,
        call: &Arc<Call>,
    ) -> Result<Token, Error> {
        vault::get_token(&self.pool, &self.vault_grant(None), call, request, identity)
    }

    /// Lists everything, page by page.
    pub(super) fn list(
        &self,
        what: &Listed,
        identity: Option<&UserAssigned>,
        call: &Arc<Call>,
    ) -> Result<Vec<Properties>, Error> {
        let grant = self.grant_of_listing(what, call)?;
        let mut items: Vec<Properties> = Vec::new();
        let mut marker = None;
        loop {
            let marked = marker.as_deref();
            let page = vault::list_page(&self.pool, &grant, call, what, marked, identity)?;
            items.extend(page.items);
            if items.len() > limits::LISTED_MAX {
                let most = limits::LISTED_MAX;
                return Err(Error::new(
                    Kind::Unavailable,
                    "vault-unexpected",
                    format!("listing what is in a vault: there are more than {most}"),
                    "check the vault's name, and what stands between",
                ));
            }
            marker = page.next;
            if marker.is_none() {
                break;
            }
        }
        if matches!(what, Listed::Versions(_)) {
            // A vault lists versions in the order of their ids.
            items.sort_by_key(|item| Reverse(item.created));
        }
        Ok(items)
    }

    #[cfg(feature = "plugins")]
    pub(super) fn list_page(
        &self,
        what: &Listed,
        marker: Option<&str>,
        identity: Option<&UserAssigned>,
        call: &Arc<Call>,
    ) -> Result<Page, Error> {
        let grant = self.grant_of_listing(what, call)?;
        vault::list_page(&self.pool, &grant, call, what, marker, identity)
    }

    #[cfg(feature = "lend")]
    /// The front role with these variables besides the settings.
    pub(crate) fn front(&self, variables: &[(&str, &str)]) -> Front {
        let grant = self.new_grant(Role::Front, None, variables);
        Front { pool: Arc::clone(&self.pool), grant }
    }

    /// The identity that the settings or the environment name, as a parameter of a token request;
    /// empty if they name none.
    #[cfg(feature = "lend")]
    pub(crate) fn named_identity(&self, call: &Arc<Call>) -> Result<String, Error> {
        self.identity.named(call)
    }

    fn grant_of_listing(&self, what: &Listed, call: &Arc<Call>) -> Result<Arc<Grant>, Error> {
        match what {
            Listed::Secrets(vault) => {
                Ok(self.vault_grant(Some(self.planner.vault(vault, &self.settings, call)?)))
            }
            Listed::Versions(reference) => self.grant_of_reference(reference, call),
        }
    }

    fn grant_of_reference(&self, reference: &str, call: &Arc<Call>) -> Result<Arc<Grant>, Error> {
        {
            let known = self.known();
            let mut routes = known.routes.iter().rev();
            if let Some((_, grant)) = routes.find(|(prefix, _)| reference.starts_with(prefix)) {
                return Ok(Arc::clone(grant));
            }
        }
        let (server, prefix) = self.planner.route(reference, &self.settings, call)?;
        crate::phases::mark("route found");
        if self.prepares {
            self.client.prepare(&server, call);
            crate::phases::mark("vault: connection begun");
        }
        let grant = self.vault_grant(Some(server));
        if let Some(prefix) = prefix.filter(|prefix| reference.starts_with(prefix.as_str())) {
            let mut known = self.known();
            if known.routes.len() >= limits::VAULTS_KEPT {
                known.routes.remove(0);
            }
            known.routes.push((prefix, Arc::clone(&grant)));
        }
        Ok(grant)
    }

    /// The vault role's grant for a vault, or for tokens only.
    fn vault_grant(&self, vault: Option<PlannedServer>) -> Arc<Grant> {
        let mut known = self.known();
        if let Some((_, grant)) = known.grants.iter().find(|(v, _)| *v == vault) {
            return Arc::clone(grant);
        }
        let grant = self.new_grant(Role::Vault, vault.as_ref(), &[]);
        if known.grants.len() >= limits::VAULTS_KEPT {
            known.grants.remove(0);
        }
        known.grants.push((vault, Arc::clone(&grant)));
        grant
    }

    /// A grant of the settings, the identity endpoint, and this vault if any.
    fn new_grant(
        &self,
        role: Role,
        vault: Option<&PlannedServer>,
        more: &[(&str, &str)],
    ) -> Arc<Grant> {
        let mut variables = self.settings.clone();
        let endpoint = format!("http://{IDENTITY_HOST}/token");
        variables.push(("VAULTLET_IDENTITY_ENDPOINT".into(), endpoint));
        variables.extend(more.iter().map(|(name, value)| ((*name).into(), (*value).into())));
        let identity = Arc::clone(&self.identity);
        Arc::new(Grant {
            role,
            variables: variables.into(),
            servers: vault.into_iter().cloned().collect(),
            client: Some(Arc::clone(&self.client)),
            services: vec![identity],
            ..Grant::default()
        })
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
