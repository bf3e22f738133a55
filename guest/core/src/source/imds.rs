//! The instance metadata service (IMDS) of virtual machines.
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
};

const FORM: &str = "imds";
const HOST_VARIABLE: &str = "AZURE_POD_IDENTITY_AUTHORITY_HOST";

/// Always assumed to be present: only a request can tell. Unless a setting names the endpoint, a
/// probe precedes the token request.
pub(super) fn find(variables: Lookup<'_>, settings: &Settings) -> Found {
    Found::from_form(Some(FORM), endpoint(variables, settings).map(Ready::endpoint))
}

/// The IMDS endpoint.
pub(super) fn endpoint(variables: Lookup<'_>, settings: &Settings) -> Result<Endpoint, Error> {
    let host = set(variables, HOST_VARIABLE);
    let base = host.as_deref().unwrap_or("http://169.254.169.254").trim_end_matches('/');
    let url = format!("{base}/metadata/identity/oauth2/token");
    let endpoint = Endpoint::from_variable(variables, FORM, HOST_VARIABLE, &url);
    endpoint.map(|endpoint| Endpoint {
        parameters: &[("api-version", "2018-02-01")],
        metadata: true,
        id_parameter: arc::id_parameter,
        retries: &limits::IMDS,
        agent: if host.is_none() { arc::agent().ok().map(Box::new) } else { None },
        guessed: host.is_none(),
        probe: host.is_none() && !settings.chain.is_alone(),
        ..endpoint
    })
}
