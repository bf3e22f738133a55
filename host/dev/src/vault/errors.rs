//! Errors of a vault, with Key Vault's texts where these are known.
//!
//! <https://learn.microsoft.com/azure/key-vault/general/rest-error-codes>

use http::{Method, StatusCode};
use serde::Serialize;

use super::access::Action;
use crate::{
    directory::{
        token,
        who::{SUBSCRIPTION, Who, principal},
    },
    message::{self, BodyError, Response},
};

/// An error response of a vault.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct VaultError {
    status: StatusCode,
    code: &'static str,
    inner: Option<&'static str>,
    message: String,
}

impl VaultError {
    pub(super) fn unauthorized(message: String) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "Unauthorized", message)
    }

    pub(super) fn bad_parameter(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "BadParameter", message.into())
    }

    pub(super) fn bad_body(error: &BodyError) -> Self {
        match error {
            BodyError::TooLarge => Self::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "RequestEntityTooLarge",
                "The request body is too large.".to_owned(),
            ),
            BodyError::Broken => Self::bad_parameter("The request body could not be read."),
        }
    }

    pub(super) fn method_not_allowed(method: &Method) -> Self {
        let message = format!("HTTP {method} not allowed");
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed", message)
    }

    pub(super) fn no_such_path() -> Self {
        let message = "The request URI names no secret and no collection of secrets.".to_owned();
        Self::new(StatusCode::NOT_FOUND, "NotFound", message)
    }

    pub(super) fn not_found(name: &str, version: Option<&str>) -> Self {
        let version = version.map(|version| format!("/{version}")).unwrap_or_default();
        let message = format!(
            "A secret with (name/id) {name}{version} was not found in this key vault. If you \
             recently deleted this secret you may be able to recover it using the correct \
             recovery command. For help resolving this issue, please see \
             https://go.microsoft.com/fwlink/?linkid=2125182"
        );
        Self::new(StatusCode::NOT_FOUND, "SecretNotFound", message)
    }

    pub(super) fn disabled() -> Self {
        let message = "Operation get is not allowed on a disabled secret.".to_owned();
        Self::forbidden("SecretDisabled", message)
    }

    pub(super) fn forbidden_by_rbac(
        who: Who,
        action: Action,
        vault: &str,
        secret: Option<&str>,
    ) -> Self {
        let caller = principal(who);
        let secret = secret.map(|name| format!("/secrets/{name}")).unwrap_or_default();
        let vault = vault.to_ascii_lowercase();
        let message = format!(
            "Caller is not authorized to perform action on resource.\r\n\
             If role assignments, deny assignments or role definitions were changed recently, \
             please observe propagation time.\r\n\
             Caller: appid={};oid={};iss={}\r\n\
             Action: 'Microsoft.KeyVault/vaults/secrets/{}'\r\n\
             Resource: '/subscriptions/{SUBSCRIPTION}/resourcegroups/local/providers/\
             microsoft.keyvault/vaults/{vault}{secret}'\r\n\
             Assignment: (not found)\r\n\
             DenyAssignmentId: null\r\n\
             DecisionReason: null\r\n\
             Vault: {vault};location=local\r\n",
            caller.app_id,
            caller.object_id,
            token::issuer(),
            action.name(),
        );
        Self::forbidden("ForbiddenByRbac", message)
    }

    /// An operation that Key Vault has and the local vault lacks. The text says so, and is none of
    /// Key Vault's own.
    pub(super) fn not_offered(operation: &str) -> Self {
        let message = format!("The local vault does not offer the operation `{operation}`.");
        Self::new(StatusCode::NOT_IMPLEMENTED, "NotImplemented", message)
    }

    pub(super) fn into_response(self) -> Response {
        let body = Body {
            error: Detail {
                code: self.code,
                message: &self.message,
                innererror: self.inner.map(|code| Inner { code }),
            },
        };
        message::json(self.status, &body, 0)
    }

    fn forbidden(inner: &'static str, message: String) -> Self {
        let error = Self::new(StatusCode::FORBIDDEN, "Forbidden", message);
        Self { inner: Some(inner), ..error }
    }

    fn new(status: StatusCode, code: &'static str, message: String) -> Self {
        Self { status, code, inner: None, message }
    }
}

#[derive(Serialize)]
struct Body<'a> {
    error: Detail<'a>,
}

#[derive(Serialize)]
struct Detail<'a> {
    code: &'static str,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    innererror: Option<Inner>,
}

#[derive(Serialize)]
struct Inner {
    code: &'static str,
}
