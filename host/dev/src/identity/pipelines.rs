//! The endpoint at which an Azure Pipelines job requests the OIDC token of its service connection.
//!
//! <https://learn.microsoft.com/rest/api/azure/devops/distributedtask/oidctoken/create>

use http::{HeaderValue, StatusCode, header};
use secrecy::ExposeSecret;
use serde::Serialize;
use serde_json::json;
use subtle::ConstantTimeEq;

use super::{Endpoints, reply::Reply, request::Request};
use crate::{
    directory::federation::{AUDIENCE, Federation, Subject},
    limits, message,
};

pub(crate) const PATH: &str =
    "/local/project/_apis/distributedtask/hubs/build/plans/plan/jobs/job/oidctoken";
/// Id of the only service connection.
pub(crate) const CONNECTION: &str = "5e4c1ce0-0000-4000-8000-0000000000c7";

pub(super) fn respond(
    endpoints: &Endpoints,
    federation: &Federation,
    request: &Request<'_>,
) -> Reply {
    if !request.is_post() {
        return Reply::empty(StatusCode::METHOD_NOT_ALLOWED);
    }
    let given = request.header("authorization").and_then(|it| it.strip_prefix("Bearer "));
    let expected = endpoints.pipeline_token().as_bytes();
    if !given.is_some_and(|it| bool::from(it.as_bytes().ct_eq(expected))) {
        // Browsers are redirected to the sign-in page; programs send this header to prevent it.
        if request.header("x-tfs-fedauthredirect") == Some("Suppress") {
            return Reply::empty(StatusCode::UNAUTHORIZED);
        }
        let mut response = message::empty(StatusCode::FOUND);
        response.headers_mut().insert(header::LOCATION, HeaderValue::from_static("/_signin"));
        return Reply::plain(response);
    }
    if request.query.filled("api-version").is_none() {
        return refused(StatusCode::BAD_REQUEST, "No api-version was supplied for the request.");
    }
    if request.query.get("serviceConnectionId") != Some(CONNECTION) {
        return refused(StatusCode::NOT_FOUND, "The service connection does not exist.");
    }
    let subject = Subject::Pipeline.name();
    let Some(token) = federation.token(subject, AUDIENCE, limits::PIPELINE_TOKEN_LIFETIME) else {
        return Reply::empty(StatusCode::INTERNAL_SERVER_ERROR);
    };
    let body = Body { oidc_token: token.expose_secret() };
    // The token belongs to no identity of Entra: the job exchanges it for one that does.
    Reply::plain(message::json(StatusCode::OK, &body, body.oidc_token.len()))
}

#[derive(Serialize)]
struct Body<'a> {
    #[serde(rename = "oidcToken")]
    oidc_token: &'a str,
}

fn refused(status: StatusCode, text: &str) -> Reply {
    let body = json!({"$id": "1", "innerException": null, "message": text, "errorCode": 0});
    Reply::plain(message::json(status, &body, 0))
}
