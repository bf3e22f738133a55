//! Where a job of Azure Pipelines asks for the token of its service connection.
//!
//! <https://learn.microsoft.com/rest/api/azure/devops/distributedtask/oidctoken/create>

use http::{HeaderValue, StatusCode, header};
use secrecy::ExposeSecret;
use serde::Serialize;
use serde_json::json;
use subtle::ConstantTimeEq;

use super::{Asked, Endpoints, Given};
use crate::{
    authority::{AUDIENCE, Federation, Subject},
    limits, message,
};

pub(crate) const PATH: &str =
    "/local/project/_apis/distributedtask/hubs/build/plans/plan/jobs/job/oidctoken";
/// Id of the one service connection.
pub(crate) const CONNECTION: &str = "5e4c1ce0-0000-4000-8000-0000000000c7";

pub(super) fn answer(endpoints: &Endpoints, federation: &Federation, asked: &Asked<'_>) -> Given {
    if asked.request.method != http::Method::POST {
        return Given::refused(message::empty(StatusCode::METHOD_NOT_ALLOWED));
    }
    let headers = &asked.request.headers;
    let given = message::header(headers, "authorization").and_then(|it| it.strip_prefix("Bearer "));
    let ours = endpoints.pipeline_token.expose_secret().as_bytes();
    if !given.is_some_and(|it| bool::from(it.as_bytes().ct_eq(ours))) {
        // Browsers are sent to sign in, programs say that they are none.
        if message::header(headers, "x-tfs-fedauthredirect") == Some("Suppress") {
            return Given::refused(message::empty(StatusCode::UNAUTHORIZED));
        }
        let mut answer = message::empty(StatusCode::FOUND);
        answer.headers_mut().insert(header::LOCATION, HeaderValue::from_static("/_signin"));
        return Given::refused(answer);
    }
    if asked.query.filled("api-version").is_none() {
        return refused(StatusCode::BAD_REQUEST, "No api-version was supplied for the request.");
    }
    if asked.query.get("serviceConnectionId") != Some(CONNECTION) {
        return refused(StatusCode::NOT_FOUND, "The service connection does not exist.");
    }
    let subject = Subject::Pipeline.name();
    let Some(token) = federation.token(subject, AUDIENCE, limits::PIPELINE_TOKEN_LIFETIME) else {
        return Given::refused(message::empty(StatusCode::INTERNAL_SERVER_ERROR));
    };
    let body = Body { oidc_token: token.expose_secret() };
    // Nobody's token of Entra: it is exchanged for one.
    Given { answer: message::json(StatusCode::OK, &body, body.oidc_token.len()), who: None }
}

#[derive(Serialize)]
struct Body<'a> {
    #[serde(rename = "oidcToken")]
    oidc_token: &'a str,
}

fn refused(status: StatusCode, text: &str) -> Given {
    let body = json!({"$id": "1", "innerException": null, "message": text, "errorCode": 0});
    Given::refused(message::json(status, &body, 0))
}
