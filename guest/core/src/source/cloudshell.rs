//! The identity endpoint of Cloud Shell, whose identity is the user who is logged in there.
//! <https://learn.microsoft.com/azure/cloud-shell/msi-authorization>

use super::{
    found::{Found, Ready},
    local::{Endpoint, Protocol},
};
use crate::settings::{Lookup, set};

const FORM: &str = "cloud-shell";

/// Present when `MSI_ENDPOINT` is set. `azureml`, which also needs `MSI_SECRET`, is asked first.
pub(super) fn find(variables: Lookup<'_>) -> Option<Found> {
    let url = set(variables, "MSI_ENDPOINT")?;
    let endpoint = Endpoint::from_variable(variables, FORM, "MSI_ENDPOINT", &url);
    let endpoint = endpoint.map(|endpoint| Endpoint {
        protocol: Protocol::Form,
        metadata: true,
        hint: Some("`MSI_SECRET` is not set, which Azure Machine Learning sets".into()),
        ..endpoint
    });
    Some(Found::from_form(Some(FORM), endpoint.map(Ready::endpoint)))
}
