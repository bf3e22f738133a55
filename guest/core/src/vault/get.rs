//! Reading a secret.

use alloc::format;

use super::{
    Reference, Secret,
    ask::{API_VERSION, About, Question, ask},
    failure, pointer, secret,
};
use crate::{call::Call, context::Context, error::Error, token::UserAssigned};

/// Gets a secret.
pub fn get<C: Context>(
    call: &Call<'_, C>,
    reference: &str,
    identity: Option<UserAssigned>,
) -> Result<Secret, Error> {
    let reference = Reference::parse(reference, &call.settings)?;
    let question = question(&reference);
    let response = ask(call, &question, identity)?;
    let mut secret = secret::parse(&response.body, &reference)
        .map_err(|why| failure::unexpected(&question, &response, why))?;
    if let Some(pointer) = &reference.pointer {
        secret.value = pointer::follow(&secret.value, pointer)?;
    }
    Ok(secret)
}

fn question(reference: &Reference) -> Question {
    let Reference { vault, name, version, .. } = reference;
    let mut url = vault.clone();
    url.target = format!("/secrets/{name}");
    if let Some(version) = version {
        url.target.push('/');
        url.target.push_str(version);
    }
    url.push("api-version", API_VERSION);
    Question {
        url,
        doing: format!("reading secret `{name}` of {}", vault.short_authority()),
        about: if version.is_some() { About::Version } else { About::Secret },
    }
}
