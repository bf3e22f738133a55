//! Azure Pipelines: a service connection, authenticated by the pipeline's federated token.
//! <https://learn.microsoft.com/azure/devops/pipelines/library/connect-to-azure>

use super::{
    entra::{self, Client, Grant, Proof, ServiceConnection},
    environment,
    found::{Found, Ready},
};
use crate::{
    error::Error,
    settings::{Lookup, Settings, header, malformed, set},
    words::{secret::SecretString, url::Url},
};

pub(super) const VARIABLES: &[&str] = &[CLIENT, TENANT, CONNECTION, TOKEN, URI];

const CLIENT: &str = "AZURESUBSCRIPTION_CLIENT_ID";
const TENANT: &str = "AZURESUBSCRIPTION_TENANT_ID";
const CONNECTION: &str = "AZURESUBSCRIPTION_SERVICE_CONNECTION_ID";
const TOKEN: &str = "SYSTEM_ACCESSTOKEN";
const URI: &str = "SYSTEM_OIDCREQUESTURI";

pub(super) fn find(variables: Lookup<'_>, settings: &Settings) -> Found {
    if let Some(absent) = Found::without(variables, VARIABLES) {
        return absent;
    }
    Found::from_form(None, client(variables, settings).map(Ready::client))
}

fn client(variables: Lookup<'_>, settings: &Settings) -> Result<Client, Error> {
    let get = |name| set(variables, name).unwrap_or_default();
    let mut url = Url::parse(&get(URI))
        .ok()
        .filter(|url| url.secure || (settings.allow_http_loopback && url.is_loopback()))
        .ok_or_else(|| malformed(URI, "an `https` URL"))?;
    url.push("api-version", "7.1");
    url.push("serviceConnectionId", &environment::id(CONNECTION, get(CONNECTION))?);
    Ok(Client {
        form: None,
        id: environment::id(CLIENT, get(CLIENT))?,
        id_variable: CLIENT,
        tenant: entra::parse_tenant(TENANT, &get(TENANT))?,
        tenant_variable: TENANT,
        proof: Proof::Pipelines(ServiceConnection {
            url,
            token: SecretString::new(header(TOKEN, get(TOKEN))?),
        }),
        grant: Grant::Client,
        authority: settings.authority.clone(),
        trust: None,
        fallback: None,
    })
}
