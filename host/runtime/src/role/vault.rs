//! The vault role: reads and lists the secrets of one vault, and asks the in-process identity
//! endpoint for tokens.

use std::sync::Arc;

use zeroize::Zeroizing;

use crate::bindings::exports::vaultlet::keyvault::types::{self, Listed, Page};
use crate::call::Call;
use crate::error::Error;
use crate::grant::Grant;
use crate::instance::{Guest, Pool, SecretRecord, TokenRecord};
use crate::secret::Secret;
use crate::token::{Token, TokenRequest, UserAssigned};

/// Gets a secret by its reference.
pub(crate) fn get(
    pool: &Pool,
    grant: &Arc<Grant>,
    call: &Arc<Call>,
    reference: &str,
    identity: Option<&UserAssigned>,
) -> Result<Secret, Error> {
    let secret = with_cause(pool, grant, call, |guest| guest.get(call, reference, identity))?;
    let SecretRecord { properties, value } = secret;
    Ok(Secret::new(properties, Zeroizing::new(value)))
}

/// Gets one page of a listing: the first, or the one that a marker names.
pub(crate) fn list_page(
    pool: &Pool,
    grant: &Arc<Grant>,
    call: &Arc<Call>,
    what: &Listed,
    marker: Option<&str>,
    identity: Option<&UserAssigned>,
) -> Result<Page, Error> {
    with_cause(pool, grant, call, |guest| guest.list_page(call, what, marker, identity))
}

/// Gets a token for a resource and an identity.
pub(crate) fn get_token(
    pool: &Pool,
    grant: &Arc<Grant>,
    call: &Arc<Call>,
    request: TokenRequest,
    identity: Option<UserAssigned>,
) -> Result<Token, Error> {
    let TokenRequest { resource, tenant, claims } = request;
    let request = types::TokenRequest { resource, tenant, claims, identity };
    let token = with_cause(pool, grant, call, |guest| guest.get_token(call, &request))?;
    let TokenRecord { properties, holder, value } = token;
    Ok(Token::new(properties, holder, Zeroizing::new(value)))
}

/// Makes a call whose error gets what the transport knows of it.
fn with_cause<T>(
    pool: &Pool,
    grant: &Arc<Grant>,
    call: &Arc<Call>,
    work: impl FnOnce(&mut Guest) -> wasmtime::Result<Result<T, types::Error>>,
) -> Result<T, Error> {
    pool.call(grant, call, |guest| {
        let result = work(guest)?;
        Ok(result.map_err(|error| Error::from(error).with_cause(guest.take_failure())))
    })?
}
