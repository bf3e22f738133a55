//! The identity endpoint of App Service, Functions and Container Apps.
//! <https://learn.microsoft.com/azure/app-service/overview-managed-identity#rest-endpoint-reference>

use super::{
    found::{Found, Ready},
    local::Endpoint,
};
use crate::{
    settings::{Lookup, set},
    token::UserAssigned,
    words::secret::SecretString,
};

const FORM: &str = "app-service";

/// Present when `IDENTITY_ENDPOINT` and `IDENTITY_HEADER` are set.
pub(super) fn find(variables: Lookup<'_>) -> Option<Found> {
    let (url, secret) = (set(variables, "IDENTITY_ENDPOINT")?, set(variables, "IDENTITY_HEADER")?);
    let endpoint =
        Endpoint::from_variable(FORM, "IDENTITY_ENDPOINT", &url).map(|endpoint| Endpoint {
            parameters: &[("api-version", "2019-08-01")],
            header: Some(("x-identity-header", SecretString::new(secret))),
            header_variable: "IDENTITY_HEADER",
            id_parameter: |id| {
                Some(match id {
                    UserAssigned::Client(_) => "client_id",
                    UserAssigned::Object(_) => "object_id",
                    UserAssigned::Resource(_) => "mi_res_id",
                })
            },
            ..endpoint
        });
    Some(Found::from_form(Some(FORM), endpoint.map(Ready::endpoint)))
}
