//! The managed identity endpoint of Azure ML (`MSI_ENDPOINT`): the App Service protocol of 2017,
//! but with numbers in the response.
//!
//! <https://learn.microsoft.com/azure/machine-learning/how-to-identity-based-service-authentication>

use http::StatusCode;

use super::{
    Endpoints,
    reply::{Reply, TokenBody},
    request::Request,
};
use crate::{
    directory::who::{MANAGED, Principal},
    message,
};

pub(crate) const PATH: &str = "/MSI/auth";
const VERSION: &str = "2017-09-01";

pub(super) fn respond(endpoints: &Endpoints, request: &Request<'_>) -> Reply {
    if !request.is_get() {
        return Reply::empty(StatusCode::METHOD_NOT_ALLOWED);
    }
    if !endpoints.knows_secret(request, "secret") {
        let text = "Invalid secret token header: .";
        return Reply::plain(message::text(StatusCode::UNAUTHORIZED, text));
    }
    if request.query.get("api-version") != Some(VERSION) {
        return refused("api-version must be 2017-09-01");
    }
    if ["object_id", "msi_res_id", "mi_res_id"].iter().any(|id| request.query.get(id).is_some()) {
        // How the real endpoint responds is not known; a token of the default identity would be
        // silently wrong.
        return refused("an identity is named by clientid only");
    }
    if request.names_other(&[("clientid", MANAGED.app_id)]) {
        let text = "InternalError - :{\nInfo: Request failure status code: 404\n\n}";
        return Reply::plain(message::text(StatusCode::BAD_REQUEST, text));
    }
    token(endpoints, request.query.filled("resource"), &MANAGED)
}

/// A token for an identity, with the numbers of Azure ML's endpoints.
pub(super) fn token(endpoints: &Endpoints, resource: Option<&str>, principal: &Principal) -> Reply {
    let Some(resource) = resource.filter(|it| !it.is_empty()) else {
        return refused("resource is missing");
    };
    let Some(token) = endpoints.token(principal, resource) else {
        return Reply::empty(StatusCode::INTERNAL_SERVER_ERROR);
    };
    let body =
        TokenBody { expires_in: Some(token.lifetime), ..TokenBody::in_numbers(&token, resource) };
    Reply::token(&body, &token, principal.who)
}

fn refused(text: &str) -> Reply {
    Reply::error(StatusCode::BAD_REQUEST, "BadRequest", text)
}
