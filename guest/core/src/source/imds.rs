//! The instance metadata service of virtual machines.
//! <https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-use-vm-token>

use alloc::{boxed::Box, format};

use super::{
    arc,
    found::{Found, Ready},
    local::Endpoint,
};
use crate::{
    error::Error,
    limits,
    settings::{Lookup, Settings, set},
    token::UserAssigned,
};

const FORM: &str = "imds";
const HOST_VARIABLE: &str = "AZURE_POD_IDENTITY_AUTHORITY_HOST";

/// Perhaps present: only asking tells, which the probe does unless somebody named it.
pub(super) fn find(variables: Lookup<'_>, settings: &Settings) -> Found {
    Found::from_form(Some(FORM), endpoint(variables, settings).map(Ready::endpoint))
}

/// The endpoint itself.
pub(super) fn endpoint(variables: Lookup<'_>, settings: &Settings) -> Result<Endpoint, Error> {
    let host = set(variables, HOST_VARIABLE);
    let base = host.as_deref().unwrap_or("http://169.254.169.254").trim().trim_end_matches('/');
    let url = format!("{base}/metadata/identity/oauth2/token");
    let endpoint = Endpoint::named(FORM, HOST_VARIABLE, &url);
    endpoint.map(|endpoint| Endpoint {
        parameters: &[("api-version", "2018-02-01")],
        metadata: true,
        id_parameter,
        retries: &limits::IMDS,
        agent: if host.is_none() { arc::agent().ok().map(Box::new) } else { None },
        guessed: host.is_none(),
        probe: host.is_none() && !settings.chain.named,
        ..endpoint
    })
}

/// What an id is called here, and on Arc.
pub(super) fn id_parameter(id: &UserAssigned) -> Option<&'static str> {
    Some(match id {
        UserAssigned::Client(_) => "client_id",
        UserAssigned::Object(_) => "object_id",
        UserAssigned::Resource(_) => "msi_res_id",
    })
}
