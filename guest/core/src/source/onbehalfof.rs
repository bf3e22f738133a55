//! An application that acts on behalf of a user, whose token is in a file.
//! <https://learn.microsoft.com/entra/identity-platform/v2-oauth2-on-behalf-of-flow>

use super::{
    entra::{Grant, Proof},
    environment,
    found::{Found, Ready, missing},
};
use crate::settings::{Lookup, Settings, set};

pub(super) const VARIABLES: &[&str] = &[
    FILE,
    "AZURE_CLIENT_ID",
    "AZURE_TENANT_ID",
    SECRET,
    CERTIFICATE,
    "AZURE_CLIENT_SEND_CERTIFICATE_CHAIN",
    TOKEN_FILE,
];

const FILE: &str = "VAULTLET_USER_ASSERTION_FILE";
const SECRET: &str = "AZURE_CLIENT_SECRET";
const CERTIFICATE: &str = "AZURE_CLIENT_CERTIFICATE_PATH";
const TOKEN_FILE: &str = "AZURE_FEDERATED_TOKEN_FILE";
/// What a workload identity needs.
const REQUIRED: [&str; 3] = ["AZURE_CLIENT_ID", "AZURE_TENANT_ID", TOKEN_FILE];

/// Present when the user's token and an application are configured: a service principal as in
/// `environment`, or a workload identity.
pub(super) fn find(variables: Lookup<'_>, settings: &Settings) -> Found {
    let Some(file) = set(variables, FILE) else {
        return Found::Absent("`VAULTLET_USER_ASSERTION_FILE` is not set".into());
    };
    let proof = match environment::proof(variables) {
        Some((_, Ok(proof))) => proof,
        Some((_, Err(error))) => return Found::Unusable(None, error),
        None if REQUIRED.iter().all(|name| set(variables, name).is_some()) => {
            let file = set(variables, TOKEN_FILE).unwrap_or_default();
            Proof::File(file)
        }
        None => {
            let first = [SECRET, CERTIFICATE, TOKEN_FILE]
                .into_iter()
                .find(|name| set(variables, name).is_some())
                .unwrap_or(SECRET);
            let needed = ["AZURE_CLIENT_ID", "AZURE_TENANT_ID", first];
            return Found::Absent(missing(variables, &needed).unwrap_or_default());
        }
    };
    let client = environment::client(variables, settings, None, proof, Grant::OnBehalfOf(file));
    Found::from_form(None, client.map(Ready::client))
}
