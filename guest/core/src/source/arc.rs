//! The identity endpoint of the Azure Arc agent, which asks for proof by a key file.
//! <https://learn.microsoft.com/azure/azure-arc/servers/managed-identity-authentication>

use alloc::borrow::ToOwned;

use super::{
    found::{Found, Ready},
    local::{Agent, Endpoint, Protocol},
};
use crate::{
    error::Error,
    settings::{Lookup, set},
    token::UserAssigned,
};

/// The agent's program, which exists where the agent is installed.
const AGENT: &str = "/opt/azcmagent/bin/himds";
/// The variable with another folder for key files, honored for an endpoint on loopback: the local
/// Azure's.
pub(super) const FOLDER_VARIABLE: &str = "VAULTLET_ARC_KEY_FOLDER";

const FORM: &str = "azure-arc";
const FOLDER: &str = "/var/opt/azcmagent/tokens";

/// Present when `IDENTITY_ENDPOINT` and `IMDS_ENDPOINT` are set.
pub(super) fn find(variables: Lookup<'_>) -> Option<Found> {
    let url = set(variables, "IDENTITY_ENDPOINT")?;
    set(variables, "IMDS_ENDPOINT")?;
    let endpoint =
        endpoint(variables, &url).map(|endpoint| match set(variables, FOLDER_VARIABLE) {
            Some(folder) if endpoint.url.is_loopback() => Endpoint {
                protocol: Protocol::KeyFile(folder.trim_end_matches('/').to_owned()),
                ..endpoint
            },
            _ => endpoint,
        });
    Some(Found::from_form(Some(FORM), endpoint.map(Ready::endpoint)))
}

/// The agent at its default address, for a machine where no variable names the endpoint.
pub(super) fn agent() -> Result<Agent, Error> {
    let endpoint = endpoint(&|_| None, "http://127.0.0.1:40342/metadata/identity/oauth2/token")?;
    Ok(Agent { program: AGENT, endpoint })
}

fn endpoint(variables: Lookup<'_>, url: &str) -> Result<Endpoint, Error> {
    let endpoint = Endpoint::from_variable(variables, FORM, "IDENTITY_ENDPOINT", url)?;
    Ok(Endpoint {
        protocol: Protocol::KeyFile(FOLDER.to_owned()),
        parameters: &[("api-version", "2020-06-01")],
        metadata: true,
        id_parameter,
        ..endpoint
    })
}

/// The parameter for a user-assigned identity, which is the same for the agent and for IMDS.
pub(super) fn id_parameter(id: &UserAssigned) -> Option<&'static str> {
    Some(match id {
        UserAssigned::Client(_) => "client_id",
        UserAssigned::Object(_) => "object_id",
        UserAssigned::Resource(_) => "msi_res_id",
    })
}
