//! The managed identity endpoint of App Service and Functions, 2019-08-01: strings.
//!
//! <https://learn.microsoft.com/azure/app-service/overview-managed-identity#rest-endpoint-reference>

use http::StatusCode;
use serde::Serialize;
use serde_json::json;
use uuid::Uuid;

use super::{Asked, Endpoints, Given, MANAGED, resource_id};
use crate::message;

pub(crate) const PATH: &str = "/msi/token";
const VERSION: &str = "2019-08-01";

pub(super) fn answer(endpoints: &Endpoints, asked: &Asked<'_>) -> Given {
    if !asked.is_get() {
        return Given::refused(message::empty(StatusCode::METHOD_NOT_ALLOWED));
    }
    if !endpoints.knows_secret(asked, "x-identity-header") {
        return refused(StatusCode::UNAUTHORIZED, "X-IDENTITY-HEADER is missing or wrong.");
    }
    if asked.query.get("api-version") != Some(VERSION) {
        return refused(StatusCode::BAD_REQUEST, "api-version must be 2019-08-01.");
    }
    let resource_id = resource_id();
    if asked.names_other(&[
        ("client_id", MANAGED.app_id),
        ("object_id", MANAGED.object_id),
        ("principal_id", MANAGED.object_id),
        ("mi_res_id", &resource_id),
    ]) {
        return refused(
            StatusCode::BAD_REQUEST,
            "No User Assigned or Delegated Managed Identity found for specified \
             ClientId/ResourceId/PrincipalId.",
        );
    }
    let Some(resource) = asked.query.filled("resource") else {
        return refused(StatusCode::BAD_REQUEST, "resource is missing.");
    };
    let Some(token) = endpoints.token(&MANAGED, resource) else {
        return Given::refused(message::empty(StatusCode::INTERNAL_SERVER_ERROR));
    };
    let body = Body {
        access_token: token.expose(),
        client_id: MANAGED.app_id,
        expires_on: token.expires.to_string(),
        resource,
        token_type: "Bearer",
    };
    Given::token(message::json(StatusCode::OK, &body, body.access_token.len()), MANAGED.who)
}

#[derive(Serialize)]
struct Body<'a> {
    access_token: &'a str,
    client_id: &'static str,
    expires_on: String,
    resource: &'a str,
    token_type: &'static str,
}

fn refused(status: StatusCode, text: &str) -> Given {
    let body = json!({
        "statusCode": status.as_u16(),
        "message": text,
        "correlationId": Uuid::new_v4().to_string(),
    });
    Given::refused(message::json(status, &body, 0))
}
