//! Reading a secret.

use alloc::format;

use super::{
    Reference, Secret, client, pointer,
    request::{API_VERSION, RequestKind, VaultRequest},
    secret,
};
use crate::{call::Call, context::Context, error::Error, token::UserAssigned};

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

fn request(reference: &Reference) -> VaultRequest {
    let Reference { vault, name, version, .. } = reference;
    let mut url = vault.clone();
    url.target = format!("/secrets/{name}");
    if let Some(version) = version {
        url.target.push('/');
        url.target.push_str(version);
    }
    url.push("api-version", API_VERSION);
    VaultRequest {
        url,
        doing: format!("reading secret `{name}` of {}", vault.short_host_and_port()),
        kind: if version.is_some() { RequestKind::Version } else { RequestKind::Secret },
    }
}
