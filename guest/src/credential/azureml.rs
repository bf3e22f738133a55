//! The managed identity endpoint of Azure Machine Learning's compute.
//! <https://learn.microsoft.com/azure/machine-learning/how-to-identity-based-service-authentication>

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
    let (url, secret) = (set(variables, "MSI_ENDPOINT")?, set(variables, "MSI_SECRET")?);
    Some(Endpoint::named("azure-ml", "MSI_ENDPOINT", &url).map(|endpoint| Endpoint {
        parameters: &[("api-version", "2017-09-01")],
        header: Some(("secret", SecretString::new(secret))),
        header_from: "MSI_SECRET",
        id_parameter: |id| matches!(id, UserAssigned::Client(_)).then_some("clientid"),
        retries: &timeouts::IDENTITY,
        ..endpoint
    }))
}
