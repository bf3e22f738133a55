//! The instance metadata service of a virtual machine, which answers in strings.
//!
//! <https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-use-vm-token>

use http::StatusCode;

use super::{
    Endpoints,
    reply::{Reply, TokenBody},
    request::Request,
};
use crate::directory::who::{MANAGED, resource_id};

pub(crate) const PATH: &str = "/metadata/identity/oauth2/token";

pub(super) fn respond(endpoints: &Endpoints, request: &Request<'_>) -> Reply {
    if !request.is_get() {
        return Reply::empty(StatusCode::METHOD_NOT_ALLOWED);
    }
    // The real service also refuses forwarded requests, as a guard against request forgery.
    if request.is_forwarded() || !request.has_metadata() {
        return refused("Required metadata header not specified");
    }
    if request.query.filled("api-version").is_none() {
        return refused("Required query variable 'api-version' is missing");
    }
    let Some(resource) = request.query.filled("resource") else {
        return refused("Required query variable 'resource' is missing");
    };
    let resource_id = resource_id();
    if request.names_other(&[
        ("client_id", MANAGED.app_id),
        ("object_id", MANAGED.object_id),
        ("msi_res_id", &resource_id),
        ("mi_res_id", &resource_id),
    ]) {
        return refused("Identity not found");
    }
    let Some(token) = endpoints.token(&MANAGED, resource) else {
        return Reply::empty(StatusCode::INTERNAL_SERVER_ERROR);
    };
    let body = TokenBody {
        client_id: Some(MANAGED.app_id),
        expires_in: Some(token.lifetime.to_string()),
        ext_expires_in: Some(token.lifetime.to_string()),
        not_before: Some(token.not_before.to_string()),
        ..TokenBody::in_strings(&token, resource)
    };
    Reply::token(&body, &token, MANAGED.who)
}

fn refused(text: &str) -> Reply {
    Reply::oauth_error(StatusCode::BAD_REQUEST, text)
}
