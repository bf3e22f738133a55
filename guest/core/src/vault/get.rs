//! Reading a secret.

use alloc::format;

use super::{
    Reference, Secret, client, pointer,
    request::{API_VERSION, RequestKind, VaultRequest},
    secret,
};
use crate::{call::Call, context::Context, error::Error, token::UserAssigned, words::url::Url};

/// Reads a secret, or what a pointer in the reference leads to.
pub fn get<C: Context>(
    call: &Call<'_, C>,
    reference: &str,
    identity: Option<UserAssigned>,
) -> Result<Secret, Error> {
    let reference = Reference::parse(reference, &call.settings)?;
    let request = request(&reference);
    let response = client::send(call, &request, identity)?;
    let mut secret = secret::parse(&response.body, &reference)
        .map_err(|why| request.unexpected(&response, why))?;
    if let Some(pointer) = &reference.pointer {
        secret.value = pointer::follow(&secret.value, pointer)?;
    }
    Ok(secret)
}

fn request(reference: &Reference) -> VaultRequest<'_> {
    let Reference { vault, name, version, .. } = reference;
    let (target, kind) = match version {
        None => (format!("/secrets/{name}?{API_VERSION}"), RequestKind::Secret(name)),
        Some(version) => {
            (format!("/secrets/{name}/{version}?{API_VERSION}"), RequestKind::Version(name))
        }
    };
    VaultRequest { url: Url { target, host: vault.host.clone(), ..*vault }, kind }
}
