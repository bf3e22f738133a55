//! Azure Machine Learning on behalf of the user who submitted the job.
//! <https://learn.microsoft.com/python/api/azure-ai-ml/azure.ai.ml.identity.azuremlonbehalfofcredential>

use super::{Found, local::Endpoint, unsupported};
use crate::{
    settings::{Lookup, Settings, set},
    timeouts,
};

pub(super) const VARIABLES: &[&str] = &["OBO_ENDPOINT", "AZUREML_DATAPREP_TOKEN_PROVIDER"];

pub(super) fn find(variables: Lookup<'_>, _: &Settings) -> Found {
    if set(variables, "AZUREML_DATAPREP_TOKEN_PROVIDER").as_deref() == Some("sparkobo") {
        return unsupported(Some("spark"), "the on-behalf-of identity of a Spark job");
    }
    let Some(url) = set(variables, "OBO_ENDPOINT") else {
        return Found::Absent(
            "`OBO_ENDPOINT` is not set (the job has no `identity: type: user_identity`)".into(),
        );
    };
    match Endpoint::named("job", "OBO_ENDPOINT", &url) {
        Ok(endpoint) => {
            Found::Here(Endpoint { of_user: true, retries: &timeouts::IDENTITY, ..endpoint })
        }
        Err(error) => Found::Unusable(Some("job"), error),
    }
}
