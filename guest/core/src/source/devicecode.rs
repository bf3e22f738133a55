//! A user who logs in by a device code.
//! <https://learn.microsoft.com/entra/identity-platform/v2-oauth2-device-code>

use super::{
    entra::{self, Client, Grant, Proof},
    environment,
    found::{Found, Ready},
};
use crate::{
    error::Error,
    settings::{Lookup, Settings, set},
};

pub(super) const VARIABLES: &[&str] = &[CLIENT, TENANT];

const CLIENT: &str = "AZURE_CLIENT_ID";
const TENANT: &str = "AZURE_TENANT_ID";
/// The client id of Azure's own developer tools.
const DEVELOPER_TOOLS: &str = "04b07795-8ddb-461a-bbee-02f9e1bf7b46";

pub(super) fn find(variables: Lookup<'_>, settings: &Settings) -> Found {
    Found::from_form(None, client(variables, settings).map(Ready::client))
}

fn client(variables: Lookup<'_>, settings: &Settings) -> Result<Client, Error> {
    let get = |name, default: &str| set(variables, name).unwrap_or_else(|| default.into());
    Ok(Client {
        form: None,
        id: environment::id(CLIENT, get(CLIENT, DEVELOPER_TOOLS))?,
        id_variable: CLIENT,
        tenant: entra::parse_tenant(TENANT, &get(TENANT, "organizations"))?,
        tenant_variable: TENANT,
        proof: Proof::Nothing,
        grant: Grant::Device,
        authority: settings.authority.clone(),
        trust: None,
        fallback: None,
    })
}
