//! Token requests of a Spark job to the workspace's token service.
//! <https://github.com/Azure/azure-sdk-for-python/tree/main/sdk/ml/azure-ai-ml/azure/ai/ml/identity>

use alloc::string::String;

use crate::words::{json::Object, scrub::Scrubbed, secret::SecretString};

/// The fields of a Spark job's token requests.
pub(in crate::source) struct Job {
    pub(in crate::source) canary: SecretString,
    pub(in crate::source) object: Option<String>,
    pub(in crate::source) tenant: Option<String>,
    pub(in crate::source) experiment: Option<String>,
    pub(in crate::source) run: Option<String>,
    pub(in crate::source) service: String,
    pub(in crate::source) cluster: String,
}

impl Job {
    /// The JSON body of a token request.
    pub(super) fn body(&self, resource: &str) -> SecretString {
        let mut body: Scrubbed<String> = Object::default()
            .text("oboToken", self.canary.reveal())
            .some_text("oid", self.object.as_deref())
            .some_text("tid", self.tenant.as_deref())
            .text("resource", resource)
            .some_text("experimentName", self.experiment.as_deref())
            .some_text("runId", self.run.as_deref())
            .finish();
        core::mem::take(&mut *body).into()
    }

    /// The secret that error messages must not show, even if the service repeats it.
    pub(super) fn secret(&self) -> &SecretString {
        &self.canary
    }

    /// The headers of a token request.
    pub(super) fn headers(&self) -> [(&'static str, SecretString); 4] {
        [
            ("content-type", "application/json;charset=utf-8".into()),
            ("x-ms-proxy-host", self.service.as_str().into()),
            ("obo-access-token", self.canary.reveal().into()),
            ("x-ms-cluster-identifier", self.cluster.as_str().into()),
        ]
    }
}
