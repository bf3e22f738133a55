//! Managed identity: the first local endpoint that is configured, in the order of most of Azure's SDKs.
//! <https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/overview>

use alloc::string::String;

use super::{
    appservice, arc, azureml, cloudshell, exchange,
    found::{Found, Ready, missing},
    imds,
    local::Endpoint,
    servicefabric,
};
use crate::settings::{Lookup, Settings, set};

pub(super) const VARIABLES: &[&str] = &[
    "IDENTITY_ENDPOINT",
    "IDENTITY_HEADER",
    "IDENTITY_SERVER_THUMBPRINT",
    "IMDS_ENDPOINT",
    "MSI_ENDPOINT",
    "MSI_SECRET",
    "DEFAULT_IDENTITY_CLIENT_ID",
    "AZURE_POD_IDENTITY_AUTHORITY_HOST",
    "AZURE_CLIENT_ID",
    "AZURE_TENANT_ID",
    // Beside one of these variables, `AZURE_CLIENT_ID` is the id of a service principal.
    "AZURE_CLIENT_SECRET",
    "AZURE_CLIENT_CERTIFICATE_PATH",
    "AZURE_FEDERATED_TOKEN_FILE",
    arc::FOLDER_VARIABLE,
];

pub(super) fn find(variables: Lookup<'_>, settings: &Settings) -> Found {
    let forms = [servicefabric::find, appservice::find, azureml::find, cloudshell::find, arc::find];
    for find in forms {
        if let Some(found) = find(variables) {
            return found;
        }
    }
    match exchange::find(variables, settings) {
        Some(found) => found,
        None => match imds::find(variables, settings) {
            Found::Here(Ready::Endpoint(endpoint)) => {
                let hint = half_a_pair(variables);
                Found::Here(Ready::endpoint(Endpoint { hint, ..*endpoint }))
            }
            found => found,
        },
    }
}

/// What is missing for an endpoint of which some variables are set.
fn half_a_pair(variables: Lookup<'_>) -> Option<String> {
    const PAIRS: [&[&str]; 3] = [
        &["IDENTITY_ENDPOINT", "IDENTITY_HEADER"],
        &["IDENTITY_ENDPOINT", "IMDS_ENDPOINT"],
        &["MSI_ENDPOINT", "MSI_SECRET"],
    ];
    let begun = |pair: &&&[&str]| pair.iter().any(|name| set(variables, name).is_some());
    PAIRS.iter().find(begun).and_then(|pair| missing(variables, pair))
}
