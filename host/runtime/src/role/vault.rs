//! The vault role: reads and lists the secrets of one vault, and asks the in-process identity
//! endpoint for tokens.

use std::sync::Arc;

use zeroize::Zeroizing;

use crate::bindings::exports::vaultlet::keyvault::credentials;
use crate::bindings::exports::vaultlet::keyvault::secrets::{Listed, Page};
use crate::error::Error;
use crate::grant::Grant;
use crate::instance::Pool;
use crate::secret::Secret;
use crate::token::{Token, TokenRequest, UserAssigned};

use super::trap::trapped;

/// Gets a secret by its reference.
pub(crate) async fn get(
    pool: &Arc<Pool>,
    grant: &Arc<Grant>,
    reference: &str,
    identity: Option<&UserAssigned>,
) -> Result<Secret, Error> {
    let trapped = |trap| trapped(grant.role, &trap);
    let mut lease = pool.lease(grant).await?;
    let (store, provider) = lease.parts();
    let secrets = provider.vaultlet_keyvault_secrets();
    let got = secrets.call_get(&mut *store, reference, identity).await;
    let result = match got.map_err(trapped)? {
        Ok(handle) => {
            // Revealed and dropped within this lease: no handle leaves the instance.
            let secret = secrets.secret();
            let properties = secret.call_properties(&mut *store, handle).await;
            let value = secret.call_reveal(&mut *store, handle).await;
            let value = Zeroizing::new(value.map_err(trapped)?);
            handle.resource_drop_async(&mut *store).await.map_err(trapped)?;
            Ok(Secret::new(properties.map_err(trapped)?, value))
        }
        Err(error) => Err(Error::from(error).with_cause(store.data().take_failure())),
    };
    lease.keep();
    result
}

/// Gets one page of a listing: the first, or the one that a marker names.
pub(crate) async fn list_page(
    pool: &Arc<Pool>,
    grant: &Arc<Grant>,
    what: &Listed,
    marker: Option<&str>,
    identity: Option<&UserAssigned>,
) -> Result<Page, Error> {
    let mut lease = pool.lease(grant).await?;
    let (store, provider) = lease.parts();
    let secrets = provider.vaultlet_keyvault_secrets();
    let got = secrets.call_list_page(&mut *store, what, marker, identity).await;
    let result = got.map_err(|trap| trapped(grant.role, &trap))?;
    let result = result.map_err(|error| Error::from(error).with_cause(store.data().take_failure()));
    lease.keep();
    result
}

/// Gets a token for a resource and an identity.
pub(crate) async fn get_token(
    pool: &Arc<Pool>,
    grant: &Arc<Grant>,
    request: TokenRequest,
    identity: Option<UserAssigned>,
) -> Result<Token, Error> {
    let trapped = |trap| trapped(grant.role, &trap);
    let mut lease = pool.lease(grant).await?;
    let (store, provider) = lease.parts();
    let credentials = provider.vaultlet_keyvault_credentials();
    let TokenRequest { resource, tenant, claims } = request;
    let request = credentials::TokenRequest { resource, tenant, claims, identity };
    let got = credentials.call_get_token(&mut *store, &request).await;
    let result = match got.map_err(trapped)? {
        Ok(handle) => {
            let token = credentials.token();
            let properties = token.call_properties(&mut *store, handle).await;
            let holder = token.call_holder(&mut *store, handle).await;
            let value = token.call_reveal(&mut *store, handle).await;
            let value = Zeroizing::new(value.map_err(trapped)?);
            handle.resource_drop_async(&mut *store).await.map_err(trapped)?;
            let properties = properties.map_err(trapped)?;
            Ok(Token::new(properties, holder.map_err(trapped)?, value))
        }
        Err(error) => Err(Error::from(error).with_cause(store.data().take_failure())),
    };
    lease.keep();
    result
}
