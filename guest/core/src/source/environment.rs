//! A service principal or user in the environment variables.
//! <https://learn.microsoft.com/python/api/azure-identity/azure.identity.environmentcredential>

use alloc::string::String;

use super::{
    entra::{self, Client, Grant, Proof},
    found::{Found, Ready, missing},
};
use crate::{
    error::Error,
    settings::{BOOLEAN, Lookup, Settings, boolean, malformed, set, set_exactly},
    token::UserAssigned,
    words::secret::SecretString,
};

pub(super) const VARIABLES: &[&str] = &[CLIENT, TENANT, SECRET, CERTIFICATE, CHAIN, USER, PASSWORD];

const CLIENT: &str = "AZURE_CLIENT_ID";
const TENANT: &str = "AZURE_TENANT_ID";
const SECRET: &str = "AZURE_CLIENT_SECRET";
const CERTIFICATE: &str = "AZURE_CLIENT_CERTIFICATE_PATH";
const CHAIN: &str = "AZURE_CLIENT_SEND_CERTIFICATE_CHAIN";
const USER: &str = "AZURE_USERNAME";
const PASSWORD: &str = "AZURE_PASSWORD";

pub(super) fn find(variables: Lookup<'_>, settings: &Settings) -> Found {
    if let Some((form, proof)) = proof(variables) {
        let client =
            proof.and_then(|proof| client(variables, settings, Some(form), proof, Grant::Client));
        return Found::from_form(Some(form), client.map(Ready::client));
    }
    let user = (set(variables, CLIENT), set(variables, USER), set_exactly(variables, PASSWORD));
    if let (Some(_), Some(user), Some(password)) = user {
        let form = Some("user-password");
        let grant = Grant::Password { user, password: SecretString::new(password) };
        let client = client(variables, settings, form, Proof::Nothing, grant);
        return Found::from_form(form, client.map(Ready::client));
    }
    // The kind of proof that was begun says what else it needs.
    let begun = |name: &&str| set(variables, name).is_some();
    let needed = match [SECRET, CERTIFICATE, USER, PASSWORD].into_iter().find(begun) {
        Some(USER | PASSWORD) => [CLIENT, USER, PASSWORD],
        Some(proof) => [CLIENT, TENANT, proof],
        None => [CLIENT, TENANT, SECRET],
    };
    Found::Absent(missing(variables, &needed).unwrap_or_default())
}

/// The proof of the application in the environment variables, and the name of that form.
pub(super) fn proof(variables: Lookup<'_>) -> Option<(&'static str, Result<Proof, Error>)> {
    set(variables, CLIENT)?;
    set(variables, TENANT)?;
    if let Some(secret) = set_exactly(variables, SECRET) {
        return Some(("client-secret", Ok(Proof::Secret(SecretString::new(secret)))));
    }
    let path = set(variables, CERTIFICATE)?;
    let chain = match set(variables, CHAIN) {
        None => Ok(false),
        Some(text) => boolean(&text).ok_or_else(|| malformed(CHAIN, BOOLEAN)),
    };
    Some(("client-certificate", chain.map(|chain| Proof::Certificate { path, chain })))
}

/// The client that the environment variables describe.
pub(super) fn client(
    variables: Lookup<'_>,
    settings: &Settings,
    form: Option<&'static str>,
    proof: Proof,
    grant: Grant,
) -> Result<Client, Error> {
    // `organizations` stands for the tenant of the user who logs in.
    let tenant = set(variables, TENANT).unwrap_or_else(|| "organizations".into());
    // A workload's client id may be given by the setting alone.
    let (id_variable, id) = match (set(variables, CLIENT), &settings.identity) {
        (None, Some((UserAssigned::Client(id), name))) => (name.text(), id.clone()),
        (id, _) => (CLIENT, self::id(CLIENT, id.unwrap_or_default())?),
    };
    Ok(Client {
        form,
        id,
        id_variable,
        tenant: entra::parse_tenant(TENANT, &tenant)?,
        tenant_variable: TENANT,
        proof,
        grant,
        authority: settings.authority.clone(),
        trust: None,
        fallback: None,
    })
}

/// Checks a client id in an environment variable.
pub(super) fn id(name: &'static str, id: String) -> Result<String, Error> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
    if (1..=128).contains(&id.len()) && id.bytes().all(plain) {
        Ok(id)
    } else {
        Err(malformed(name, "the id of an application"))
    }
}
