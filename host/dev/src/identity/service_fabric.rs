//! The managed identity endpoint of a Service Fabric cluster, over TLS with a self-signed
//! certificate that clients recognise by its thumbprint.
//!
//! <https://learn.microsoft.com/azure/service-fabric/how-to-managed-identity-service-fabric-app-code>

use http::StatusCode;
use serde::Serialize;
use serde_json::json;
use uuid::Uuid;

use super::{Endpoints, reply::Reply, request::Request};
use crate::{
    directory::{
        token::Terms,
        who::{MANAGED, resource_id},
    },
    message,
};

pub(crate) const PATH: &str = "/metadata/identity/oauth2/token";
const VERSIONS: [&str; 2] = ["2019-07-01-preview", "2020-05-01"];

pub(super) fn respond(endpoints: &Endpoints, request: &Request<'_>) -> Reply {
    if request.parts.uri.path() != PATH {
        return Reply::empty(StatusCode::NOT_FOUND);
    }
    if !request.is_get() {
        return Reply::empty(StatusCode::METHOD_NOT_ALLOWED);
    }
    if !endpoints.knows_secret(request, "secret") {
        let text = "The secret header is missing or wrong.";
        return refused(StatusCode::UNAUTHORIZED, "SecretHeaderNotFound", text);
    }
    if !request.query.get("api-version").is_some_and(|version| VERSIONS.contains(&version)) {
        let text = "The api-version is not supported.";
        return refused(StatusCode::BAD_REQUEST, "InvalidApiVersion", text);
    }
    let Some(resource) = request.query.filled("resource") else {
        let text = "resource is null or empty.";
        return refused(StatusCode::BAD_REQUEST, "ArgumentNullOrEmpty", text);
    };
    if request.names_other(&[
        ("client_id", MANAGED.app_id),
        ("principalId", MANAGED.object_id),
        ("object_id", MANAGED.object_id),
        ("msi_res_id", &resource_id()),
    ]) {
        let text = "The managed identity is not found.";
        return refused(StatusCode::NOT_FOUND, "ManagedIdentityNotFound", text);
    }
    let capabilities = request.query.get("xms_cc").unwrap_or_default();
    let is_cae = capabilities.split(',').any(|it| it.trim().eq_ignore_ascii_case("cp1"));
    let terms = Terms { is_cae, ..Terms::new(&MANAGED, resource) };
    let Some(token) = endpoints.issuer.issue_as(&terms) else {
        return Reply::empty(StatusCode::INTERNAL_SERVER_ERROR);
    };
    let body = Body {
        token_type: "Bearer",
        access_token: token.expose(),
        expires_on: token.expires.to_string(),
        resource,
    };
    Reply::token(&body, &token, MANAGED.who)
}

/// The body of a token response, in the order in which Service Fabric sends its fields.
#[derive(Serialize)]
struct Body<'a> {
    token_type: &'static str,
    access_token: &'a str,
    expires_on: String,
    resource: &'a str,
}

fn refused(status: StatusCode, code: &str, text: &str) -> Reply {
    let correlation = Uuid::new_v4().to_string();
    let body = json!({"error": {"correlationId": correlation, "code": code, "message": text}});
    Reply::plain(message::json(status, &body, 0))
}
