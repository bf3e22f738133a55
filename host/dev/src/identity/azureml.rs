//! The managed identity endpoint of Azure ML (`MSI_ENDPOINT`), which is App Service's of 2017 with
//! numbers in its answers.
//!
//! <https://learn.microsoft.com/azure/machine-learning/how-to-identity-based-service-authentication>

use http::StatusCode;
use serde::Serialize;
use serde_json::json;

use super::{Asked, Endpoints, Given, MANAGED, Principal};
use crate::message::{self, Answer};

pub(crate) const PATH: &str = "/MSI/auth";
const VERSION: &str = "2017-09-01";

pub(super) fn answer(endpoints: &Endpoints, asked: &Asked<'_>) -> Given {
    if !asked.is_get() {
        return Given::refused(message::empty(StatusCode::METHOD_NOT_ALLOWED));
    }
    if !endpoints.knows_secret(asked, "secret") {
        let text = "Invalid secret token header: .";
        return Given::refused(message::text(StatusCode::UNAUTHORIZED, text));
    }
    if asked.query.get("api-version") != Some(VERSION) {
        return refused("BadRequest", "api-version must be 2017-09-01");
    }
    if ["object_id", "msi_res_id", "mi_res_id"].iter().any(|id| asked.query.get(id).is_some()) {
        // What the real one does is not known; the default identity would be a silent surprise.
        return refused("BadRequest", "an identity is named by clientid only");
    }
    if asked.names_other(&[("clientid", MANAGED.app_id)]) {
        let text = "InternalError - :{\nInfo: Request failure status code: 404\n\n}";
        return Given::refused(message::text(StatusCode::BAD_REQUEST, text));
    }
    token(endpoints, asked.query.filled("resource"), &MANAGED)
}

/// The token of an identity, in the numbers that the endpoints of Azure ML answer with.
pub(super) fn token(endpoints: &Endpoints, resource: Option<&str>, principal: &Principal) -> Given {
    let Some(resource) = resource.filter(|it| !it.is_empty()) else {
        return refused("BadRequest", "resource is missing");
    };
    let Some(token) = endpoints.token(principal, resource) else {
        return Given::refused(message::empty(StatusCode::INTERNAL_SERVER_ERROR));
    };
    let body = Body {
        access_token: token.expose(),
        expires_in: token.lifetime,
        expires_on: token.expires,
        resource,
        token_type: "Bearer",
    };
    Given::token(message::json(StatusCode::OK, &body, body.access_token.len()), principal.who)
}

#[derive(Serialize)]
struct Body<'a> {
    access_token: &'a str,
    expires_in: u64,
    expires_on: u64,
    resource: &'a str,
    token_type: &'static str,
}

fn refused(code: &str, text: &str) -> Given {
    Given::refused(error(StatusCode::BAD_REQUEST, code, text))
}

fn error(status: StatusCode, code: &str, text: &str) -> Answer {
    message::json(status, &json!({"error": {"code": code, "message": text}}), 0)
}
