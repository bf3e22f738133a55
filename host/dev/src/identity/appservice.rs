//! The managed identity endpoint of App Service and Functions, version 2019-08-01, which answers in
//! strings.
//!
//! <https://learn.microsoft.com/azure/app-service/overview-managed-identity#rest-endpoint-reference>

use http::StatusCode;
use serde_json::json;
use uuid::Uuid;

use super::{
    Endpoints,
    reply::{Reply, TokenBody},
    request::Request,
};
use crate::{
    directory::who::{MANAGED, resource_id},
    message,
};

pub(crate) const PATH: &str = "/msi/token";
const VERSION: &str = "2019-08-01";

pub(super) fn respond(endpoints: &Endpoints, request: &Request<'_>) -> Reply {
    if !request.is_get() {
        return Reply::empty(StatusCode::METHOD_NOT_ALLOWED);
    }
    if !endpoints.knows_secret(request, "x-identity-header") {
        return refused(StatusCode::UNAUTHORIZED, "X-IDENTITY-HEADER is missing or wrong.");
    }
    if request.query.get("api-version") != Some(VERSION) {
        return refused(StatusCode::BAD_REQUEST, "api-version must be 2019-08-01.");
    }
    let resource_id = resource_id();
    if request.names_other(&[
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
    let Some(resource) = request.query.filled("resource") else {
        return refused(StatusCode::BAD_REQUEST, "resource is missing.");
    };
    let Some(token) = endpoints.token(&MANAGED, resource) else {
        return Reply::empty(StatusCode::INTERNAL_SERVER_ERROR);
    };
    let body =
        TokenBody { client_id: Some(MANAGED.app_id), ..TokenBody::in_strings(&token, resource) };
    Reply::token(&body, &token, MANAGED.who)
}

fn refused(status: StatusCode, text: &str) -> Reply {
    let body = json!({
        "statusCode": status.as_u16(),
        "message": text,
        "correlationId": Uuid::new_v4().to_string(),
    });
    Reply::plain(message::json(status, &body, 0))
}
