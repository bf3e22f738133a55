//! What runs on one thread: a call of the component, in an instance that is granted one vault.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use zeroize::Zeroizing;

use crate::authority::PlannedServer;
use crate::bindings::exports::vaultlet::keyvault::credentials::TokenRequest as WitTokenRequest;
use crate::bindings::exports::vaultlet::keyvault::types::UserAssigned as WitUserAssigned;
use crate::error::{Error, Kind};
use crate::grant::Grant;
use crate::http::Client;
use crate::identity::{self, IdentityEndpoint};
use crate::level::Level;
use crate::limits;
use crate::planner::{Planner, Subject, trapped};
use crate::secret::{Properties, Secret, Token};
use crate::shard::Shard;
use crate::{TokenRequest, UserAssigned};

pub(crate) use crate::bindings::exports::vaultlet::keyvault::secrets::{Listed, Page};

/// What runs on one thread.
pub(crate) struct Engine {
    pub(crate) shard: Shard,
    pub(crate) planner: Arc<Planner>,
    pub(crate) level: Arc<Level>,
    pub(crate) client: Arc<Client>,
    pub(crate) identity: Arc<IdentityEndpoint>,
    pub(crate) settings: Arc<[(String, String)]>,
    /// One grant for each vault, most recent last.
    pub(crate) grants: Mutex<Vec<(Option<PlannedServer>, Arc<Grant>)>>,
    /// References that were resolved, for programs that ask for the same again and again.
    pub(crate) resolved: Mutex<HashMap<String, PlannedServer>>,
}

impl Engine {
    pub(crate) async fn get(
        &self,
        reference: &str,
        identity: Option<UserAssigned>,
    ) -> Result<Secret, Error> {
        let grant = self.grant(Some(self.resolve(reference).await?));
        let mut lease = self.level.lease(&grant).await?;
        let (store, provider) = lease.parts();
        let secrets = provider.vaultlet_keyvault_secrets();
        let identity = identity.map(Into::into);
        let got = secrets.call_get(&mut *store, reference, identity.as_ref()).await;
        let result = match got.map_err(|e| trapped(&e))? {
            Ok(handle) => {
                // Revealed and dropped within this lease: no handle leaves it.
                let secret = secrets.secret();
                let properties = secret.call_properties(&mut *store, handle).await;
                let value = secret.call_reveal(&mut *store, handle).await;
                let value = Zeroizing::new(value.map_err(|e| trapped(&e))?);
                handle.resource_drop_async(&mut *store).await.map_err(|e| trapped(&e))?;
                Ok(Secret::new(properties.map_err(|e| trapped(&e))?, value))
            }
            Err(error) => Err(Error::from(error).with_cause(store.data().take_failure())),
        };
        lease.keep();
        result
    }

    /// Everything that is listed, page by page; each page in an instance of its own.
    pub(crate) async fn list(
        &self,
        what: Listed,
        identity: Option<UserAssigned>,
    ) -> Result<Vec<Properties>, Error> {
        let grant = self.grant(Some(self.vault_of(&what).await?));
        let identity = identity.map(Into::into);
        let mut items: Vec<Properties> = Vec::new();
        let mut marker = None;
        loop {
            let page = self.page(&grant, &what, marker.as_deref(), identity.as_ref()).await?;
            items.extend(page.items.into_iter().map(Into::into));
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
            // A vault has them in the order of their ids.
            items.sort_by_key(|item| Reverse(item.created));
        }
        Ok(items)
    }

    /// One page, in an instance of its own.
    #[cfg(feature = "plugins")]
    pub(crate) async fn list_page(
        &self,
        what: &Listed,
        marker: Option<&str>,
        identity: Option<UserAssigned>,
    ) -> Result<Page, Error> {
        let grant = self.grant(Some(self.vault_of(what).await?));
        self.page(&grant, what, marker, identity.map(Into::into).as_ref()).await
    }

    async fn page(
        &self,
        grant: &Arc<Grant>,
        what: &Listed,
        marker: Option<&str>,
        identity: Option<&WitUserAssigned>,
    ) -> Result<Page, Error> {
        let mut lease = self.level.lease(grant).await?;
        let (store, provider) = lease.parts();
        let secrets = provider.vaultlet_keyvault_secrets();
        let got = secrets.call_list_page(&mut *store, what, marker, identity).await;
        let result = got.map_err(|e| trapped(&e))?;
        let result =
            result.map_err(|error| Error::from(error).with_cause(store.data().take_failure()));
        lease.keep();
        result
    }

    async fn vault_of(&self, what: &Listed) -> Result<PlannedServer, Error> {
        match what {
            Listed::Secrets(vault) => {
                self.planner.vault(&Subject::Vault(vault.clone()), &self.settings).await
            }
            Listed::Versions(reference) => self.resolve(reference).await,
        }
    }

    /// The vault of a reference.
    async fn resolve(&self, reference: &str) -> Result<PlannedServer, Error> {
        let resolved = || self.resolved.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(authority) = resolved().get(reference) {
            return Ok(authority.clone());
        }
        let what = Subject::Secret(reference.to_owned());
        let authority = self.planner.vault(&what, &self.settings).await?;
        let mut resolved = resolved();
        if resolved.len() >= limits::REFERENCES_KEPT {
            resolved.clear();
        }
        resolved.insert(reference.to_owned(), authority.clone());
        Ok(authority)
    }

    pub(crate) async fn token(
        &self,
        request: TokenRequest,
        identity: Option<UserAssigned>,
    ) -> Result<Token, Error> {
        let mut lease = self.level.lease(&self.grant(None)).await?;
        let (store, provider) = lease.parts();
        let credentials = provider.vaultlet_keyvault_credentials();
        let request = WitTokenRequest {
            resource: request.resource,
            tenant: request.tenant,
            claims: request.claims,
            identity: identity.map(Into::into),
        };
        let got = credentials.call_get_token(&mut *store, &request).await;
        let result = match got.map_err(|e| trapped(&e))? {
            Ok(handle) => {
                let token = credentials.token();
                let properties = token.call_properties(&mut *store, handle).await;
                let holder = token.call_holder(&mut *store, handle).await;
                let value = token.call_reveal(&mut *store, handle).await;
                let value = Zeroizing::new(value.map_err(|e| trapped(&e))?);
                handle.resource_drop_async(&mut *store).await.map_err(|e| trapped(&e))?;
                let properties = properties.map_err(|e| trapped(&e))?;
                Ok(Token::new(properties, holder.map_err(|e| trapped(&e))?, value))
            }
            Err(error) => Err(Error::from(error).with_cause(store.data().take_failure())),
        };
        lease.keep();
        result
    }

    /// The vault role's grant: its vault, the identity endpoint, and the settings.
    fn grant(&self, vault: Option<PlannedServer>) -> Arc<Grant> {
        let mut grants = self.grants.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, grant)) = grants.iter().find(|(v, _)| *v == vault) {
            return Arc::clone(grant);
        }
        let grant = self.new_grant(vault.as_ref(), &[]);
        if grants.len() >= limits::VAULTS_KEPT {
            grants.remove(0);
        }
        grants.push((vault, Arc::clone(&grant)));
        grant
    }

    pub(crate) fn new_grant(
        &self,
        vault: Option<&PlannedServer>,
        more: &[(&str, &str)],
    ) -> Arc<Grant> {
        let mut variables = self.settings.to_vec();
        let endpoint = format!("http://{}/token", identity::HOST);
        variables.push(("VAULTLET_IDENTITY_ENDPOINT".into(), endpoint));
        variables.extend(more.iter().map(|(name, value)| ((*name).into(), (*value).into())));
        Arc::new(Grant {
            variables,
            servers: vault.into_iter().cloned().collect(),
            client: Some(Arc::clone(&self.client)),
            identity: Some(Arc::clone(&self.identity)),
            ..Grant::default()
        })
    }
}

impl From<UserAssigned> for WitUserAssigned {
    fn from(identity: UserAssigned) -> Self {
        match identity {
            UserAssigned::ClientId(id) => Self::ClientId(id),
            UserAssigned::ObjectId(id) => Self::ObjectId(id),
            UserAssigned::ResourceId(id) => Self::ResourceId(id),
        }
    }
}
