//! The identity endpoint of App Service, Functions and Container Apps.
//! <https://learn.microsoft.com/azure/app-service/overview-managed-identity#rest-endpoint-reference>

use alloc::string::String;

use super::{
    found::{Found, Ready},
    local::Endpoint,
};
use crate::{
    error::Error,
    settings::{Lookup, set},
    token::UserAssigned,
};

const FORM: &str = "app-service";

/// Present when `IDENTITY_ENDPOINT` and `IDENTITY_HEADER` are set.
pub(super) fn find(variables: Lookup<'_>) -> Option<Found> {
    let (url, secret) = (set(variables, "IDENTITY_ENDPOINT")?, set(variables, "IDENTITY_HEADER")?);
    let endpoint = endpoint(variables, &url, secret);
    Some(Found::from_form(Some(FORM), endpoint.map(Ready::endpoint)))
}

fn endpoint(variables: Lookup<'_>, url: &str, secret: String) -> Result<Endpoint, Error> {
    let endpoint = Endpoint::from_variable(variables, FORM, "IDENTITY_ENDPOINT", url)?;
    Ok(Endpoint {
        parameters: &[("api-version", "2019-08-01")],
        id_parameter: |id| {
            Some(match id {
                UserAssigned::Client(_) => "client_id",
                UserAssigned::Object(_) => "object_id",
                UserAssigned::Resource(_) => "mi_res_id",
            })
        },
        ..endpoint.with_header("x-identity-header", "IDENTITY_HEADER", secret)?
    })
}
