//! Replies of the identity endpoints: tokens and errors, in the shapes that several services share.

use http::StatusCode;
use serde::Serialize;
use serde_json::json;

use crate::{
    directory::{token::Token, who::Who},
    log::Served,
    message::{self, Response},
};

/// A response of an identity endpoint, and the identity whose token is in it.
pub(super) struct Reply {
    response: Response,
    who: Option<Who>,
}

impl Reply {
    /// A response whose JSON body contains a token of this identity.
    pub(super) fn token(body: &impl Serialize, token: &Token, who: Who) -> Self {
        let response = message::json(StatusCode::OK, body, token.expose().len());
        Self { response, who: Some(who) }
    }

    /// A response without an access token.
    pub(super) fn plain(response: Response) -> Self {
        Self { response, who: None }
    }

    pub(super) fn empty(status: StatusCode) -> Self {
        Self::plain(message::empty(status))
    }

    /// An error as most Azure services write it: an object with code and message.
    pub(super) fn error(status: StatusCode, code: &str, text: &str) -> Self {
        let body = json!({"error": {"code": code, "message": text}});
        Self::plain(message::json(status, &body, 0))
    }

    /// An error as the metadata service and the Arc agent write it: that of OAuth.
    pub(super) fn oauth_error(status: StatusCode, text: &str) -> Self {
        let body = json!({"error": "invalid_request", "error_description": text});
        Self::plain(message::json(status, &body, 0))
    }

    /// The response to be sent, under this name in counters and log.
    pub(super) fn serve(self, operation: &'static str) -> Served {
        Served { response: self.response, operation, who: self.who, is_reused: false }
    }
}

/// The JSON body of a token response. Each service sends some of these fields.
///
/// `S` is the type of times and durations: most services send strings, Azure ML sends numbers.
#[derive(Serialize)]
pub(super) struct TokenBody<'a, S> {
    pub(super) access_token: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) refresh_token: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) client_id: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) expires_in: Option<S>,
    pub(super) expires_on: S,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) ext_expires_in: Option<S>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) not_before: Option<S>,
    pub(super) resource: &'a str,
    pub(super) token_type: &'static str,
}

impl<'a> TokenBody<'a, String> {
    /// The fields that every service sends, with the time as a string.
    pub(super) fn in_strings(token: &'a Token, resource: &'a str) -> Self {
        Self::new(token, resource, token.expires.to_string())
    }
}

impl<'a> TokenBody<'a, u64> {
    /// The fields that every service sends, with the time as a number.
    pub(super) fn in_numbers(token: &'a Token, resource: &'a str) -> Self {
        Self::new(token, resource, token.expires)
    }
}

impl<'a, S> TokenBody<'a, S> {
    fn new(token: &'a Token, resource: &'a str, expires_on: S) -> Self {
        Self {
            access_token: token.expose(),
            refresh_token: None,
            client_id: None,
            expires_in: None,
            expires_on,
            ext_expires_in: None,
            not_before: None,
            resource,
            token_type: "Bearer",
        }
    }
}
