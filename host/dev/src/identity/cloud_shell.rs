//! The identity endpoint of Azure Cloud Shell, which takes a form by POST and no secret.
//!
//! <https://learn.microsoft.com/azure/cloud-shell/msi-authorization>

use http::StatusCode;

use super::{
    Endpoints,
    reply::{Reply, TokenBody},
    request::Request,
};
use crate::directory::who::MANAGED;

pub(crate) const PATH: &str = "/oauth2/token";

pub(super) fn respond(endpoints: &Endpoints, request: &Request<'_>) -> Reply {
    if !request.is_post() {
        return Reply::empty(StatusCode::METHOD_NOT_ALLOWED);
    }
    if !request.has_metadata() {
        return refused("Required metadata header not specified");
    }
    let Some(resource) = request.form.filled("resource") else {
        return refused("Required body parameter 'resource' is missing");
    };
    const IDS: [&str; 4] = ["client_id", "object_id", "msi_res_id", "mi_res_id"];
    if IDS.iter().any(|id| request.form.filled(id).is_some()) {
        // Cloud Shell has one identity only, that of its user.
        return refused("Identities cannot be chosen");
    }
    let Some(token) = endpoints.token(&MANAGED, resource) else {
        return Reply::empty(StatusCode::INTERNAL_SERVER_ERROR);
    };
    let body = TokenBody {
        refresh_token: Some(""),
        expires_in: Some(token.lifetime.to_string()),
        not_before: Some(token.not_before.to_string()),
        ..TokenBody::in_strings(&token, resource)
    };
    Reply::token(&body, &token, MANAGED.who)
}

fn refused(text: &str) -> Reply {
    Reply::error(StatusCode::BAD_REQUEST, "invalid_request", text)
}
