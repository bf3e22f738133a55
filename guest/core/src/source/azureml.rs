//! The managed identity endpoint of Azure Machine Learning's compute.
//! <https://learn.microsoft.com/azure/machine-learning/how-to-identity-based-service-authentication>

use super::{
    found::{Found, Ready},
    local::Endpoint,
};
use crate::{
    settings::{Lookup, set},
    token::UserAssigned,
    words::secret::SecretString,
};

const FORM: &str = "azure-ml";

/// Present when `MSI_ENDPOINT` and `MSI_SECRET` are set.
pub(super) fn find(variables: Lookup<'_>) -> Option<Found> {
    let (url, secret) = (set(variables, "MSI_ENDPOINT")?, set(variables, "MSI_SECRET")?);
    let endpoint = Endpoint::from_variable(FORM, "MSI_ENDPOINT", &url).map(|endpoint| Endpoint {
        parameters: &[("api-version", "2017-09-01")],
        header: Some(("secret", SecretString::new(secret))),
        header_variable: "MSI_SECRET",
        id_parameter: |id| matches!(id, UserAssigned::Client(_)).then_some("clientid"),
        ..endpoint
    });
    Some(Found::from_form(Some(FORM), endpoint.map(Ready::endpoint)))
}
