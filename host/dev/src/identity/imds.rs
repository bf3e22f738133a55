//! The instance metadata service of a virtual machine: strings.
//!
//! <https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-use-vm-token>

use http::StatusCode;
use serde::Serialize;
use serde_json::json;

use super::{Asked, Endpoints, Given, MANAGED, resource_id};
use crate::message;

pub(crate) const PATH: &str = "/metadata/identity/oauth2/token";

pub(super) fn answer(endpoints: &Endpoints, asked: &Asked<'_>) -> Given {
    if !asked.is_get() {
        return Given::refused(message::empty(StatusCode::METHOD_NOT_ALLOWED));
    }
    // The real one refuses forwarded requests, too: its guard against request forgery.
    if asked.is_forwarded() || !asked.has_metadata() {
        return refused("Required metadata header not specified");
    }
    if asked.query.filled("api-version").is_none() {
        return refused("Required query variable 'api-version' is missing");
    }
    let Some(resource) = asked.query.filled("resource") else {
        return refused("Required query variable 'resource' is missing");
    };
    let resource_id = resource_id();
    if asked.names_other(&[
        ("client_id", MANAGED.app_id),
        ("object_id", MANAGED.object_id),
        ("msi_res_id", &resource_id),
        ("mi_res_id", &resource_id),
    ]) {
        return refused("Identity not found");
    }
    let Some(token) = endpoints.token(&MANAGED, resource) else {
        return Given::refused(message::empty(StatusCode::INTERNAL_SERVER_ERROR));
    };
    let body = Body {
        access_token: token.expose(),
        client_id: MANAGED.app_id,
        expires_in: token.lifetime.to_string(),
        expires_on: token.expires.to_string(),
        ext_expires_in: token.lifetime.to_string(),
        not_before: token.not_before.to_string(),
        resource,
        token_type: "Bearer",
    };
    Given::token(message::json(StatusCode::OK, &body, body.access_token.len()), MANAGED.who)
}

#[derive(Serialize)]
struct Body<'a> {
    access_token: &'a str,
    client_id: &'static str,
    expires_in: String,
    expires_on: String,
    ext_expires_in: String,
    not_before: String,
    resource: &'a str,
    token_type: &'static str,
}

fn refused(text: &str) -> Given {
    let body = json!({"error": "invalid_request", "error_description": text});
    Given::refused(message::json(StatusCode::BAD_REQUEST, &body, 0))
}
