//! Workload identity: an application, authenticated by a federated token that the cluster writes
//! into a file.
//! <https://learn.microsoft.com/azure/aks/workload-identity-overview>

use alloc::string::String;

use super::{
    entra::{Client, Grant, Proof},
    environment,
    found::{Found, Ready},
};
use crate::{
    error::{Error, Id},
    plan::Certificates,
    settings::{Lookup, Settings, malformed, set},
    token::UserAssigned,
    words::url::Url,
};

pub(super) const VARIABLES: &[&str] =
    &["AZURE_CLIENT_ID", "AZURE_TENANT_ID", FILE, PROXY, SNI, CA_FILE, CA_DATA];

/// The variables that must all be set. The setting of a client id stands for the variable.
pub(super) fn required(settings: &Settings) -> &'static [&'static str] {
    const REQUIRED: &[&str] = &["AZURE_CLIENT_ID", "AZURE_TENANT_ID", FILE];
    match settings.identity {
        Some((UserAssigned::Client(_), _)) => &["AZURE_TENANT_ID", FILE],
        _ => REQUIRED,
    }
}

const FILE: &str = "AZURE_FEDERATED_TOKEN_FILE";
const PROXY: &str = "AZURE_KUBERNETES_TOKEN_PROXY";
const SNI: &str = "AZURE_KUBERNETES_SNI_NAME";
const CA_FILE: &str = "AZURE_KUBERNETES_CA_FILE";
const CA_DATA: &str = "AZURE_KUBERNETES_CA_DATA";

pub(super) fn find(variables: Lookup<'_>, settings: &Settings) -> Found {
    if let Some(absent) = Found::without(variables, required(settings)) {
        return absent;
    }
    Found::from_form(None, client(variables, settings, None).map(Ready::client))
}

/// The client that the environment variables describe.
pub(super) fn client(
    variables: Lookup<'_>,
    settings: &Settings,
    form: Option<&'static str>,
) -> Result<Client, Error> {
    let file = set(variables, FILE).unwrap_or_default();
    let client = environment::client(variables, settings, form, Proof::File(file), Grant::Client)?;
    match set(variables, PROXY) {
        Some(url) => use_proxy(variables, client, &url),
        None => Ok(client),
    }
}

/// Redirects the client to the cluster's token proxy, which knows the identities that a pod is bound to.
/// <https://learn.microsoft.com/azure/aks/identity-bindings-concepts>
fn use_proxy(variables: Lookup<'_>, client: Client, url: &str) -> Result<Client, Error> {
    let url = Url::parse(url)
        .ok()
        .filter(|url| url.secure && !url.target.contains('?'))
        .ok_or_else(|| malformed(PROXY, "an `https` URL without user, query and fragment"))?;
    let issuers = match (set(variables, CA_FILE), set(variables, CA_DATA)) {
        (Some(_), Some(_)) => {
            let what = "reading settings: `AZURE_KUBERNETES_CA_FILE` and \
                        `AZURE_KUBERNETES_CA_DATA` are both set";
            return Err(Error::new(Id::SettingsConflict, what));
        }
        (Some(file), None) => Some(Certificates::File(file)),
        (None, Some(text)) => Some(Certificates::Text(text)),
        (None, None) => None,
    };
    let name: Option<String> = set(variables, SNI);
    let trust = match (issuers, name) {
        (Some(issuers), name) => Some((issuers, name)),
        (None, None) => None,
        (None, Some(_)) => {
            return Err(malformed(
                SNI,
                "unset, though neither `AZURE_KUBERNETES_CA_FILE` nor `AZURE_KUBERNETES_CA_DATA` is set",
            ));
        }
    };
    Ok(Client { authority: url, trust, ..client })
}
