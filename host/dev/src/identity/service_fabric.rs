//! The managed identity endpoint of a Service Fabric cluster: TLS with a certificate that signs
//! itself, which clients know by its thumbprint.
//!
//! <https://learn.microsoft.com/azure/service-fabric/how-to-managed-identity-service-fabric-app-code>

use http::StatusCode;
use serde::Serialize;
use serde_json::json;
use uuid::Uuid;

use super::{Asked, Endpoints, Given, MANAGED, resource_id, token::Terms};
use crate::message;

pub(crate) const PATH: &str = "/metadata/identity/oauth2/token";
const VERSIONS: [&str; 2] = ["2019-07-01-preview", "2020-05-01"];

pub(super) fn answer(endpoints: &Endpoints, asked: &Asked<'_>) -> Given {
    if asked.request.uri.path() != PATH {
        return Given::refused(message::empty(StatusCode::NOT_FOUND));
    }
    if !asked.is_get() {
        return Given::refused(message::empty(StatusCode::METHOD_NOT_ALLOWED));
    }
    if !endpoints.knows_secret(asked, "secret") {
        let text = "The secret header is missing or wrong.";
        return refused(StatusCode::UNAUTHORIZED, "SecretHeaderNotFound", text);
    }
    if !asked.query.get("api-version").is_some_and(|version| VERSIONS.contains(&version)) {
        let text = "The api-version is not supported.";
        return refused(StatusCode::BAD_REQUEST, "InvalidApiVersion", text);
    }
    let Some(resource) = asked.query.filled("resource") else {
        let text = "resource is null or empty.";
        return refused(StatusCode::BAD_REQUEST, "ArgumentNullOrEmpty", text);
    };
    if asked.names_other(&[
        ("client_id", MANAGED.app_id),
        ("principalId", MANAGED.object_id),
        ("object_id", MANAGED.object_id),
        ("msi_res_id", &resource_id()),
    ]) {
        let text = "The managed identity is not found.";
        return refused(StatusCode::NOT_FOUND, "ManagedIdentityNotFound", text);
    }
    let capabilities = asked.query.get("xms_cc").unwrap_or_default();
    let is_cae = capabilities.split(',').any(|it| it.trim().eq_ignore_ascii_case("cp1"));
    let token = endpoints.issuer.issue_as(&Terms { is_cae, ..Terms::of(&MANAGED, resource) });
    let Some(token) = token else {
        return Given::refused(message::empty(StatusCode::INTERNAL_SERVER_ERROR));
    };
    let body = Body {
        token_type: "Bearer",
        access_token: token.expose(),
        expires_on: token.expires.to_string(),
        resource,
    };
    Given::token(message::json(StatusCode::OK, &body, body.access_token.len()), MANAGED.who)
}

#[derive(Serialize)]
struct Body<'a> {
    token_type: &'static str,
    access_token: &'a str,
    expires_on: String,
    resource: &'a str,
}

fn refused(status: StatusCode, code: &str, text: &str) -> Given {
    let correlation = Uuid::new_v4().to_string();
    let body = json!({"error": {"correlationId": correlation, "code": code, "message": text}});
    Given::refused(message::json(status, &body, 0))
}
