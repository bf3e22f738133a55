//! The identity of the user who submitted a job of Azure Machine Learning.
//! <https://learn.microsoft.com/python/api/azure-ai-ml/azure.ai.ml.identity.azuremlonbehalfofcredential>

use super::{
    found::{Found, Ready},
    local::Endpoint,
    spark,
};
use crate::settings::{Lookup, Settings, set};

pub(super) const VARIABLES: &[&str] = &[
    "OBO_ENDPOINT",
    spark::MARKER,
    "AZUREML_OBO_CANARY_TOKEN",
    "AZUREML_OBO_SERVICE_ENDPOINT",
    "AZUREML_OBO_USER_TOKEN_FOR_SPARK_RETRIEVAL_API",
    "AZUREML_SYNAPSE_CLUSTER_IDENTIFIER",
    "AZUREML_SYNAPSE_TOKEN_SERVICE_ENDPOINT",
    "AZUREML_ARM_SUBSCRIPTION",
    "AZUREML_ARM_RESOURCEGROUP",
    "AZUREML_ARM_WORKSPACE_NAME",
    "AZUREML_ARM_PROJECT_NAME",
    "AZUREML_RUN_ID",
    "OID",
    "TID",
];

const FORM: &str = "job";

pub(super) fn find(variables: Lookup<'_>, _: &Settings) -> Found {
    if let Some(found) = spark::find(variables) {
        return found;
    }
    let Some(url) = set(variables, "OBO_ENDPOINT") else {
        return Found::Absent(
            "`OBO_ENDPOINT` is not set (the job has no `identity: type: user_identity`)".into(),
        );
    };
    let endpoint = Endpoint::from_variable(variables, FORM, "OBO_ENDPOINT", &url)
        .map(|endpoint| Endpoint { is_user: true, ..endpoint });
    Found::from_form(Some(FORM), endpoint.map(Ready::endpoint))
}
