//! The service that acts for the user of a Spark job of Azure ML, at the loopback authority's port
//! with TLS.
//!
//! <https://github.com/Azure/azure-sdk-for-python/tree/main/sdk/ml/azure-ai-ml/azure/ai/ml/identity>

use http::StatusCode;
use serde::Deserialize;
use serde_json::json;
use subtle::ConstantTimeEq;

use super::{Asked, Endpoints, Given, SUBSCRIPTION, TENANT, USER, azureml};
use crate::message;

/// Begins every path of that service.
pub(crate) const PREFIX: &str = "/api/v1/proxy/obotoken/";
/// What the last segment is, unless a variable says otherwise.
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

pub(super) fn answer(endpoints: &Endpoints, asked: &Asked<'_>, body: &[u8]) -> Given {
    if asked.request.method != http::Method::POST {
        return Given::refused(message::empty(StatusCode::METHOD_NOT_ALLOWED));
    }
    let path = format!(
        "{PREFIX}v1.0/subscriptions/{SUBSCRIPTION}/resourceGroups/{GROUP}/providers/\
         Microsoft.MachineLearningServices/workspaces/{WORKSPACE}/{OPERATION}"
    );
    if asked.request.uri.path() != path {
        return refused(StatusCode::NOT_FOUND, "NotFound", "there is no such workspace");
    }
    let Ok(body) = serde_json::from_slice::<Body>(body) else {
        return refused(StatusCode::BAD_REQUEST, "BadRequest", "the body is not understood");
    };
    let ours = endpoints.secret().as_bytes();
    let header = message::header(&asked.request.headers, "obo-access-token").unwrap_or_default();
    let is_known = [header, &body.obo_token].iter().all(|it| it.as_bytes().ct_eq(ours).into());
    if !is_known || body.oid != USER.object_id || body.tid != TENANT {
        return refused(StatusCode::UNAUTHORIZED, "Unauthorized", "the token is not known");
    }
    for (name, value) in [("x-ms-proxy-host", SERVICE), ("x-ms-cluster-identifier", CLUSTER)] {
        if message::header(&asked.request.headers, name) != Some(value) {
            return refused(StatusCode::BAD_REQUEST, "BadRequest", "a header is missing or wrong");
        }
    }
    azureml::token(endpoints, Some(&body.resource), &USER)
}

fn refused(status: StatusCode, code: &str, text: &str) -> Given {
    let body = json!({"error": {"code": code, "message": text}});
    Given::refused(message::json(status, &body, 0))
}
