//! The identity endpoint of Azure Cloud Shell: a form that is posted, and no secret.
//!
//! <https://learn.microsoft.com/azure/cloud-shell/msi-authorization>

use http::StatusCode;
use serde::Serialize;
use serde_json::json;

use super::{Asked, Endpoints, Given, MANAGED};
use crate::message;

pub(crate) const PATH: &str = "/oauth2/token";

pub(super) fn answer(endpoints: &Endpoints, asked: &Asked<'_>) -> Given {
    if asked.request.method != http::Method::POST {
        return Given::refused(message::empty(StatusCode::METHOD_NOT_ALLOWED));
    }
    if !asked.has_metadata() {
        return refused("Required metadata header not specified");
    }
    let Some(resource) = asked.form.filled("resource") else {
        return refused("Required body parameter 'resource' is missing");
    };
    const IDS: [&str; 4] = ["client_id", "object_id", "msi_res_id", "mi_res_id"];
    if IDS.iter().any(|id| asked.form.filled(id).is_some()) {
        // The user's own identity is the only one there.
        return refused("Identities cannot be chosen");
    }
    let Some(token) = endpoints.token(&MANAGED, resource) else {
        return Given::refused(message::empty(StatusCode::INTERNAL_SERVER_ERROR));
    };
    let body = Body {
        access_token: token.expose(),
        refresh_token: "",
        expires_in: token.lifetime.to_string(),
        expires_on: token.expires.to_string(),
        not_before: token.not_before.to_string(),
        resource,
        token_type: "Bearer",
    };
    Given::token(message::json(StatusCode::OK, &body, body.access_token.len()), MANAGED.who)
}

#[derive(Serialize)]
struct Body<'a> {
    access_token: &'a str,
    refresh_token: &'static str,
    expires_in: String,
    expires_on: String,
    not_before: String,
    resource: &'a str,
    token_type: &'static str,
}

fn refused(text: &str) -> Given {
    let body = json!({"error": {"code": "invalid_request", "message": text}});
    Given::refused(message::json(StatusCode::BAD_REQUEST, &body, 0))
}
