//! The service that acts on behalf of the user of an Azure ML Spark job, on the port of the
//! loopback authority with TLS.
//!
//! <https://github.com/Azure/azure-sdk-for-python/blob/a6c0acbbb27eaeac85d08ceb9f537b3e4eda6e2c/sdk/ml/azure-ai-ml/azure/ai/ml/identity/_credentials/_AzureMLSparkOnBehalfOfCredential.py>

use http::StatusCode;
use serde::Deserialize;
use subtle::ConstantTimeEq;

use super::{Endpoints, azureml, reply::Reply, request::Request};
use crate::directory::who::{SUBSCRIPTION, TENANT, USER};

/// Every path of this service begins with it.
pub(crate) const PREFIX: &str = "/api/v1/proxy/obotoken/";
/// Last segment of the path, unless a variable of the job changes it.
const OPERATION: &str = "getuseraccesstokenforspark";
pub(crate) const GROUP: &str = "local";
pub(crate) const WORKSPACE: &str = "local";
pub(crate) const CLUSTER: &str = "local-cluster";
pub(crate) const SERVICE: &str = "local.api.azureml.ms";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    obo_token: String,
    oid: String,
    tid: String,
    resource: String,
}

pub(super) fn respond(endpoints: &Endpoints, request: &Request<'_>, body: &[u8]) -> Reply {
    if !request.is_post() {
        return Reply::empty(StatusCode::METHOD_NOT_ALLOWED);
    }
    let path = format!(
        "{PREFIX}v1.0/subscriptions/{SUBSCRIPTION}/resourceGroups/{GROUP}/providers/\
         Microsoft.MachineLearningServices/workspaces/{WORKSPACE}/{OPERATION}"
    );
    if request.parts.uri.path() != path {
        return Reply::error(StatusCode::NOT_FOUND, "NotFound", "there is no such workspace");
    }
    let Ok(body) = serde_json::from_slice::<Body>(body) else {
        return bad_request("the body is not understood");
    };
    let expected = endpoints.secret().as_bytes();
    let header = request.header("obo-access-token").unwrap_or_default();
    let is_known = [header, &body.obo_token].iter().all(|it| it.as_bytes().ct_eq(expected).into());
    if !is_known || body.oid != USER.object_id || body.tid != TENANT {
        return Reply::error(StatusCode::UNAUTHORIZED, "Unauthorized", "the token is not known");
    }
    for (name, value) in [("x-ms-proxy-host", SERVICE), ("x-ms-cluster-identifier", CLUSTER)] {
        if request.header(name) != Some(value) {
            return bad_request("a header is missing or wrong");
        }
    }
    azureml::token(endpoints, Some(&body.resource), &USER)
}

fn bad_request(text: &str) -> Reply {
    Reply::error(StatusCode::BAD_REQUEST, "BadRequest", text)
}
