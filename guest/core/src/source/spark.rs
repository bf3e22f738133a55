//! The identity of the user who submitted a job to serverless Spark in Azure Machine Learning; the
//! endpoint is a service of the workspace.
//! <https://github.com/Azure/azure-sdk-for-python/tree/main/sdk/ml/azure-ai-ml/azure/ai/ml/identity>

use alloc::{format, string::String};

use super::{
    found::{Found, Ready},
    local::{Endpoint, Job, Protocol},
};
use crate::{
    error::Error,
    settings::{Lookup, header, malformed, set},
    words::url,
};

/// The variable that marks such a job.
pub(super) const MARKER: &str = "AZUREML_DATAPREP_TOKEN_PROVIDER";

const FORM: &str = "spark";
const ENDPOINT: &str = "AZUREML_SYNAPSE_TOKEN_SERVICE_ENDPOINT";
const API: &str = "AZUREML_OBO_USER_TOKEN_FOR_SPARK_RETRIEVAL_API";

/// Present when [`MARKER`] marks the job as one of serverless Spark.
pub(super) fn find(variables: Lookup<'_>) -> Option<Found> {
    if set(variables, MARKER)? != "sparkobo" {
        return None;
    }
    let Some(canary) = set(variables, "AZUREML_OBO_CANARY_TOKEN") else {
        return Some(Found::Absent(
            "`AZUREML_OBO_CANARY_TOKEN` is not set (the job has no `identity: type: user_identity`)"
                .into(),
        ));
    };
    Some(Found::from_form(Some(FORM), endpoint(variables, canary).map(Ready::endpoint)))
}

fn endpoint(variables: Lookup<'_>, canary: String) -> Result<Endpoint, Error> {
    let required = |name| set(variables, name).ok_or_else(|| malformed(name, "set"));
    let host = required(ENDPOINT)?;
    let host = host.trim_start_matches("https://").trim_end_matches('/');
    let mut path = String::from("api/v1/proxy/obotoken/v1.0");
    let api = set(variables, API).unwrap_or_else(|| "getuseraccesstokenforspark".into());
    for (name, value) in [
        ("subscriptions", required("AZUREML_ARM_SUBSCRIPTION")?),
        ("resourceGroups", required("AZUREML_ARM_RESOURCEGROUP")?),
        ("providers", "Microsoft.MachineLearningServices".into()),
        ("workspaces", required("AZUREML_ARM_WORKSPACE_NAME")?),
    ] {
        path.push('/');
        path.push_str(name);
        path.push('/');
        url::escape(&mut path, &value);
    }
    path.push('/');
    url::escape(&mut path, &api);
    let endpoint =
        Endpoint::from_variable(variables, FORM, ENDPOINT, &format!("https://{host}/{path}"))?;
    let required_header = |name| header(name, required(name)?);
    let job = Job {
        canary: header("AZUREML_OBO_CANARY_TOKEN", canary)?.into(),
        object: set(variables, "OID"),
        tenant: set(variables, "TID"),
        experiment: set(variables, "AZUREML_ARM_PROJECT_NAME"),
        run: set(variables, "AZUREML_RUN_ID"),
        service: required_header("AZUREML_OBO_SERVICE_ENDPOINT")?,
        cluster: required_header("AZUREML_SYNAPSE_CLUSTER_IDENTIFIER")?,
    };
    Ok(Endpoint { protocol: Protocol::Spark(job), is_user: true, ..endpoint })
}
