//! A service principal or user in the environment variables.
//! <https://learn.microsoft.com/python/api/azure-identity/azure.identity.environmentcredential>

use alloc::string::String;

use super::{
    entra::{self, Client, Grant, Proof},
    found::{Found, Ready},
};
use crate::{
    error::Error,
    settings::{Lookup, Settings, set},
    words::secret::SecretString,
};

pub(super) const VARIABLES: &[&str] = &[
    CLIENT,
    TENANT,
    "AZURE_CLIENT_SECRET",
    "AZURE_CLIENT_CERTIFICATE_PATH",
    "AZURE_CLIENT_SEND_CERTIFICATE_CHAIN",
    "AZURE_USERNAME",
    "AZURE_PASSWORD",
];

const CLIENT: &str = "AZURE_CLIENT_ID";
const TENANT: &str = "AZURE_TENANT_ID";

pub(super) fn find(variables: Lookup<'_>, settings: &Settings) -> Found {
    if let Some((form, proof)) = proof(variables) {
        let client = client(variables, settings, Some(form), proof, Grant::Client);
        return Found::from_form(Some(form), client.map(Ready::client));
    }
    let user = (
        set(variables, CLIENT),
        set(variables, "AZURE_USERNAME"),
        set(variables, "AZURE_PASSWORD"),
    );
    if let (Some(_), Some(user), Some(password)) = user {
        let form = Some("user-password");
        let grant = Grant::Password { user, password: SecretString::new(password) };
        let client = client(variables, settings, form, Proof::Nothing, grant);
        return Found::from_form(form, client.map(Ready::client));
    }
    Found::Absent(
        "`AZURE_CLIENT_ID`, `AZURE_TENANT_ID` and `AZURE_CLIENT_SECRET` are not all set".into(),
    )
}

/// The proof of the application in the environment variables, and the name of that form.
pub(super) fn proof(variables: Lookup<'_>) -> Option<(&'static str, Proof)> {
    set(variables, CLIENT)?;
    set(variables, TENANT)?;
    if let Some(secret) = set(variables, "AZURE_CLIENT_SECRET") {
        return Some(("client-secret", Proof::Secret(SecretString::new(secret))));
    }
    let path = set(variables, "AZURE_CLIENT_CERTIFICATE_PATH")?;
    let chain = set(variables, "AZURE_CLIENT_SEND_CERTIFICATE_CHAIN");
    let chain = chain.is_some_and(|it| it == "1" || it.eq_ignore_ascii_case("true"));
    Some(("client-certificate", Proof::Certificate { path, chain }))
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
    Ok(Client {
        form,
        id: id(CLIENT, set(variables, CLIENT).unwrap_or_default())?,
        id_variable: CLIENT,
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
    let id: String = id.trim().into();
    if (1..=128).contains(&id.len()) && id.bytes().all(plain) {
        Ok(id)
    } else {
        Err(crate::settings::malformed(name, "the id of an application"))
    }
}
