//! The identity endpoint of App Service, Functions and Container Apps.
//! <https://learn.microsoft.com/azure/app-service/overview-managed-identity#rest-endpoint-reference>

use super::local::Endpoint;
use crate::{
    error::Error,
    secret::SecretString,
    settings::{Lookup, set},
    timeouts,
    token::UserAssigned,
};

/// Present when both variables are.
pub(super) fn find(variables: Lookup<'_>) -> Option<Result<Endpoint, Error>> {
    let (url, secret) = (set(variables, "IDENTITY_ENDPOINT")?, set(variables, "IDENTITY_HEADER")?);
    Some(Endpoint::named("app-service", "IDENTITY_ENDPOINT", &url).map(|endpoint| Endpoint {
        parameters: &[("api-version", "2019-08-01")],
        header: Some(("x-identity-header", SecretString::new(secret))),
        header_from: "IDENTITY_HEADER",
        id_parameter: |id| {
            Some(match id {
                UserAssigned::Client(_) => "client_id",
                UserAssigned::Object(_) => "object_id",
                UserAssigned::Resource(_) => "mi_res_id",
            })
        },
        retries: &timeouts::IDENTITY,
        ..endpoint
    }))
}
