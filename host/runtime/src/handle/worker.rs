//! A worker: one thread with its runtime, connection pools, instance pool and caches. Calls of the
//! handle run here, in instances that are granted one vault.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::bindings::exports::vaultlet::keyvault::plan::Subject;
use crate::bindings::exports::vaultlet::keyvault::secrets::Listed;
use crate::error::{Error, Kind};
use crate::grant::{Grant, Role};
use crate::instance::Pool;
use crate::internal::{IDENTITY_HOST, IdentityEndpoint};
use crate::limits;
use crate::net::{Client, PlannedServer};
use crate::role::{Front, Planner, vault};
use crate::secret::{Properties, Secret};
use crate::token::{Token, TokenRequest, UserAssigned};

#[cfg(feature = "plugins")]
use crate::bindings::exports::vaultlet::keyvault::{plan::Resolved, secrets::Page};

use super::thread::RuntimeThread;

pub(super) struct Worker {
    pub(super) thread: RuntimeThread,
    pub(super) planner: Arc<Planner>,
    /// Instances of the vault role and of the front role.
    pub(super) pool: Arc<Pool>,
    pub(super) client: Arc<Client>,
    /// The identity endpoint, which all workers of a handle share.
    pub(super) identity: Arc<IdentityEndpoint>,
    /// The component's settings, as variables.
    pub(super) settings: Arc<[(String, String)]>,
    /// The grants of the vault role, one for each vault; the newest last.
    pub(super) grants: Mutex<Vec<(Option<PlannedServer>, Arc<Grant>)>>,
    /// Vaults by reference, for programs that get the same secrets repeatedly.
    pub(super) vaults: Mutex<HashMap<String, PlannedServer>>,
}

impl Worker {
    pub(super) async fn get(
        &self,
        reference: &str,
        identity: Option<UserAssigned>,
    ) -> Result<Secret, Error> {
        let grant = self.vault_grant(Some(self.vault_of_reference(reference).await?));
        vault::get(&self.pool, &grant, reference, identity.as_ref()).await
    }

    pub(super) async fn token(
        &self,
        request: TokenRequest,
        identity: Option<UserAssigned>,
    ) -> Result<Token, Error> {
        vault::get_token(&self.pool, &self.vault_grant(None), request, identity).await
    }

    /// Lists everything, page by page; each page in an instance of its own.
    pub(super) async fn list(
        &self,
        what: Listed,
        identity: Option<UserAssigned>,
    ) -> Result<Vec<Properties>, Error> {
        let grant = self.vault_grant(Some(self.vault_of_listing(&what).await?));
        let mut items: Vec<Properties> = Vec::new();
        let mut marker = None;
        loop {
            let (marked, identity) = (marker.as_deref(), identity.as_ref());
            let page = vault::list_page(&self.pool, &grant, &what, marked, identity).await?;
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
    pub(super) async fn list_page(
        &self,
        what: &Listed,
        marker: Option<&str>,
        identity: Option<UserAssigned>,
    ) -> Result<Page, Error> {
        let grant = self.vault_grant(Some(self.vault_of_listing(what).await?));
        vault::list_page(&self.pool, &grant, what, marker, identity.as_ref()).await
    }

    #[cfg(feature = "plugins")]
    pub(super) async fn resolve(&self, what: &Subject) -> Result<Resolved, Error> {
        self.planner.resolve(what, &self.settings).await
    }

    /// The front role with these variables besides the settings.
    pub(super) fn front(&self, variables: &[(&str, &str)]) -> Front {
        let grant = self.new_grant(Role::Front, None, variables);
        Front { pool: Arc::clone(&self.pool), grant }
    }

    async fn vault_of_listing(&self, what: &Listed) -> Result<PlannedServer, Error> {
        match what {
            Listed::Secrets(vault) => {
                self.planner.vault(&Subject::Vault(vault.clone()), &self.settings).await
            }
            Listed::Versions(reference) => self.vault_of_reference(reference).await,
        }
    }

    async fn vault_of_reference(&self, reference: &str) -> Result<PlannedServer, Error> {
        let vaults = || self.vaults.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(vault) = vaults().get(reference) {
            return Ok(vault.clone());
        }
        let what = Subject::Secret(reference.to_owned());
        let vault = self.planner.vault(&what, &self.settings).await?;
        let mut vaults = vaults();
        if vaults.len() >= limits::REFERENCES_KEPT {
            vaults.clear();
        }
        vaults.insert(reference.to_owned(), vault.clone());
        Ok(vault)
    }

    /// The vault role's grant for a vault, or for tokens only.
    fn vault_grant(&self, vault: Option<PlannedServer>) -> Arc<Grant> {
        let mut grants = self.grants.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, grant)) = grants.iter().find(|(v, _)| *v == vault) {
            return Arc::clone(grant);
        }
        let grant = self.new_grant(Role::Vault, vault.as_ref(), &[]);
        if grants.len() >= limits::VAULTS_KEPT {
            grants.remove(0);
        }
        grants.push((vault, Arc::clone(&grant)));
        grant
    }

    /// A grant of the settings, the identity endpoint, and this vault if any.
    fn new_grant(
        &self,
        role: Role,
        vault: Option<&PlannedServer>,
        more: &[(&str, &str)],
    ) -> Arc<Grant> {
        let mut variables = self.settings.to_vec();
        let endpoint = format!("http://{IDENTITY_HOST}/token");
        variables.push(("VAULTLET_IDENTITY_ENDPOINT".into(), endpoint));
        variables.extend(more.iter().map(|(name, value)| ((*name).into(), (*value).into())));
        let identity = Arc::clone(&self.identity);
        Arc::new(Grant {
            role,
            variables,
            servers: vault.into_iter().cloned().collect(),
            client: Some(Arc::clone(&self.client)),
            services: vec![identity],
            ..Grant::default()
        })
    }
}
