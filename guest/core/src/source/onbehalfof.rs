//! An application that acts on behalf of a user, whose token is in a file.
//! <https://learn.microsoft.com/entra/identity-platform/v2-oauth2-on-behalf-of-flow>

use super::{
    entra::{Grant, Proof},
    environment,
    found::{Found, Ready},
    workload,
};
use crate::settings::{Lookup, Settings, set};

pub(super) const VARIABLES: &[&str] = &[
    FILE,
    "AZURE_CLIENT_ID",
    "AZURE_TENANT_ID",
    "AZURE_CLIENT_SECRET",
    "AZURE_CLIENT_CERTIFICATE_PATH",
    "AZURE_CLIENT_SEND_CERTIFICATE_CHAIN",
    "AZURE_FEDERATED_TOKEN_FILE",
];

const FILE: &str = "VAULTLET_USER_ASSERTION_FILE";

/// Present when the user's token and an application are configured: a service principal as in
/// `environment`, or a workload identity.
pub(super) fn find(variables: Lookup<'_>, settings: &Settings) -> Found {
    let Some(file) = set(variables, FILE) else {
        return Found::Absent("`VAULTLET_USER_ASSERTION_FILE` is not set".into());
    };
    let proof = match environment::proof(variables) {
        Some((_, proof)) => proof,
        None if workload::REQUIRED.iter().all(|name| set(variables, name).is_some()) => {
            let file = set(variables, "AZURE_FEDERATED_TOKEN_FILE").unwrap_or_default();
            Proof::File(file)
        }
        None => {
            return Found::Absent(
                "`AZURE_CLIENT_ID`, `AZURE_TENANT_ID` and a secret, a certificate or a federated \
                 token of the application's are not all set"
                    .into(),
            );
        }
    };
    let client = environment::client(variables, settings, None, proof, Grant::OnBehalfOf(file));
    Found::from_form(None, client.map(Ready::client))
}
