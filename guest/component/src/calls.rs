//! Calls into the core that both worlds have, with the arguments of the WIT bindings.

use alloc::rc::Rc;

use crate::{
    bindings::exports::vaultlet::keyvault::types,
    convert::{identity, to_page},
};
use vaultlet_core::{
    call::Call,
    context::Context,
    error::Error,
    token::{Token, TokenRequest},
    tokens,
    vault::{self, Listed, Secret},
};

/// Gets a secret.
pub(crate) fn get<C: Context>(
    call: &Call<'_, C>,
    reference: &str,
    given: Option<types::UserAssigned>,
) -> Result<Secret, Error> {
    vault::get(call, reference, identity(given)?)
}

/// Gets a page of a list.
pub(crate) fn list_page<C: Context>(
    call: &Call<'_, C>,
    what: types::Listed,
    marker: Option<&str>,
    given: Option<types::UserAssigned>,
) -> Result<types::Page, Error> {
    let listed = match what {
        types::Listed::Secrets(vault) => Listed::secrets(&vault, call.settings()),
        types::Listed::Versions(of) => Listed::versions(&of, call.settings()),
    };
    vault::page(call, &listed?, marker, identity(given)?).map(to_page)
}

/// Gets a token.
pub(crate) fn get_token<C: Context>(
    call: &Call<'_, C>,
    request: types::TokenRequest,
) -> Result<Rc<Token>, Error> {
    let resource = match request.resource {
        Some(resource) => resource,
        None => call.settings().known_cloud()?.resource().into(),
    };
    let given = identity(request.identity)?;
    let request = TokenRequest::parse(&resource, request.tenant, request.claims, given)?;
    tokens::token(call, &request)
}
