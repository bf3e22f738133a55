//! The managed identity endpoint of Azure Machine Learning's compute.
//! <https://learn.microsoft.com/azure/machine-learning/how-to-identity-based-service-authentication>

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

const FORM: &str = "azure-ml";

/// Present when `MSI_ENDPOINT` and `MSI_SECRET` are set.
pub(super) fn find(variables: Lookup<'_>) -> Option<Found> {
    let (url, secret) = (set(variables, "MSI_ENDPOINT")?, set(variables, "MSI_SECRET")?);
    let endpoint = endpoint(variables, &url, secret);
    Some(Found::from_form(Some(FORM), endpoint.map(Ready::endpoint)))
}

fn endpoint(variables: Lookup<'_>, url: &str, secret: String) -> Result<Endpoint, Error> {
    let endpoint = Endpoint::from_variable(variables, FORM, "MSI_ENDPOINT", url)?;
    Ok(Endpoint {
        parameters: &[("api-version", "2017-09-01")],
        id_parameter: |id| matches!(id, UserAssigned::Client(_)).then_some("clientid"),
        ..endpoint.with_header("secret", "MSI_SECRET", secret)?
    })
}
