//! Errors of the authority, with Entra's texts where these are known.
//!
//! <https://learn.microsoft.com/entra/identity-platform/reference-error-codes>

use std::{fmt, str::FromStr};

use http::StatusCode;
use serde::Serialize;
use uuid::Uuid;

use super::timestamp;
use crate::message::{self, Response};

/// The number of an error, written `AADSTS` and the number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Code(u32);

/// A kind of error: number, OAuth error, sub-error, default text.
type Row = (u32, &'static str, &'static str, &'static str);

#[rustfmt::skip]
const ROWS: [Row; 34] = [
    (50013, "invalid_grant", "", "Assertion failed signature validation."),
    (50020, "invalid_grant", "", "User account does not exist in tenant."),
    (50034, "invalid_grant", "", "The user account does not exist in this directory."),
    (50049, "invalid_instance", "", "Unknown or invalid instance."),
    (50053, "invalid_grant", "", "The account is locked, it was signed in to with a wrong password too often."),
    (50055, "invalid_grant", "user_password_expired", "The password is expired."),
    (50057, "invalid_grant", "", "The user account is disabled."),
    (50076, "interaction_required", "basic_action", "Due to a configuration change made by your administrator, or because you moved to a new location, you must use multi-factor authentication to access the resource."),
    (50079, "interaction_required", "basic_action", "Due to a configuration change made by your administrator, or because you moved to a new location, you must enroll in multi-factor authentication to access the resource."),
    (50126, "invalid_grant", "", "Error validating credentials due to invalid username or password."),
    (50173, "invalid_grant", "bad_token", "The provided grant has expired due to it being revoked, a fresh auth token is needed."),
    (53000, "interaction_required", "message_only", "Device is not in required device state. Conditional Access policy requires a compliant device, and the device is not compliant."),
    (53003, "invalid_grant", "message_only", "Access has been blocked by Conditional Access policies. The access policy does not allow token issuance."),
    (65001, "invalid_grant", "consent_required", "The user or administrator has not consented to use the application. Send an interactive authorization request for this user and resource."),
    (65004, "authorization_declined", "", "User declined to consent to access the app."),
    (70003, "unsupported_grant_type", "", "The app requested an unsupported grant type."),
    (70011, "invalid_scope", "", "The provided request must include a 'scope' input parameter. The provided value for the input parameter 'scope' is not valid."),
    (70016, "authorization_pending", "", "OAuth 2.0 device flow error. Authorization is pending. Continue polling."),
    (70018, "bad_verification_code", "", "Invalid verification code. The device code is not known."),
    (70019, "expired_token", "", "The verification code expired before it was used."),
    (70020, "expired_token", "", "The provided value for the input parameter 'device_code' is not valid. This device code has expired."),
    (90002, "invalid_request", "", "Tenant not found."),
    (90033, "temporarily_unavailable", "", "A transient error has occurred. Please try again."),
    (500011, "invalid_resource", "", "The resource principal was not found in the tenant."),
    (500131, "invalid_grant", "", "Assertion audience does not match the Client app presenting the assertion."),
    (500133, "invalid_grant", "", "Assertion is not within its valid time range. Ensure that the access token is not expired before using it for user assertion, or request a new token."),
    (700016, "unauthorized_client", "", "Application was not found in the directory. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You may have sent your authentication request to the wrong tenant."),
    (700021, "invalid_client", "", "Client assertion application identifier doesn't match 'client_id' parameter."),
    (700023, "invalid_client", "", "Client assertion audience claim does not match Realm issuer. Review the documentation at https://learn.microsoft.com/entra/identity-platform/certificate-credentials."),
    (700024, "invalid_client", "", "Client assertion is not within its valid time range."),
    (700027, "invalid_client", "", "The certificate with identifier used to sign the client assertion is not registered on application."),
    (700082, "invalid_grant", "bad_token", "The refresh token has expired due to inactivity."),
    (900023, "invalid_request", "", "Specified tenant identifier is neither a valid DNS name, nor a valid external domain."),
    (900144, "invalid_request", "", "The request body must contain a parameter that it has not."),
];

#[rustfmt::skip]
const CLIENT_ROWS: [Row; 9] = [
    (700211, "invalid_client", "", "No matching federated identity record found for presented assertion issuer."),
    (700212, "invalid_client", "", "No matching federated identity record found for presented assertion audience."),
    (700213, "invalid_client", "", "No matching federated identity record found for presented assertion subject."),
    (1002012, "invalid_scope", "", "The provided value for scope is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier (application ID URI)."),
    (7000215, "invalid_client", "", "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to the app."),
    (7000218, "invalid_client", "", "The request body must contain the following parameter: 'client_assertion' or 'client_secret'."),
    (7000222, "invalid_client", "", "The provided client secret keys for the app are expired. Visit the Azure portal to create new keys for your app: https://aka.ms/NewClientSecret, or consider using certificate credentials for added security: https://aka.ms/certCreds."),
    (9002313, "invalid_request", "", "Invalid request. Request is malformed or invalid."),
    (50027, "invalid_grant", "", "JWT token is invalid or malformed."),
];

impl Code {
    fn row(self) -> Option<&'static Row> {
        ROWS.iter().chain(&CLIENT_ROWS).find(|(number, ..)| *number == self.0)
    }
}

impl FromStr for Code {
    type Err = ();

    /// Parses `AADSTS…`; codes that the local authority does not know are an error.
    fn from_str(text: &str) -> Result<Self, ()> {
        let code = Self(text.strip_prefix("AADSTS").unwrap_or(text).parse().map_err(|_| ())?);
        code.row().map(|_| code).ok_or(())
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AADSTS{}", self.0)
    }
}

/// An error response of the authority.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct OAuthError {
    code: Code,
    /// The OAuth error, if it differs from the usual one of this code.
    error: Option<&'static str>,
    text: Option<String>,
    /// A claims challenge, which the client sends back with its next request.
    claims: Option<String>,
}

impl OAuthError {
    /// An error with the default text of its code.
    pub(super) fn new(number: u32) -> Self {
        let claims = (number == 53003 || number == 50076).then(|| {
            r#"{"access_token":{"capolids":{"essential":true,"values":["local-policy"]}}}"#.into()
        });
        Self { code: Code(number), error: None, text: None, claims }
    }

    /// An error with a text of its own.
    pub(super) fn with_text(number: u32, text: impl Into<String>) -> Self {
        Self { text: Some(text.into()), ..Self::new(number) }
    }

    /// The error of a poll that came too early.
    /// <https://www.rfc-editor.org/rfc/rfc8628#section-3.5>
    pub(super) fn slow_down() -> Self {
        Self { error: Some("slow_down"), ..Self::new(70016) }
    }

    /// An error that was requested through the control port.
    pub(super) fn injected(code: Code) -> Self {
        Self::new(code.0)
    }

    pub(super) fn into_response(self, correlation: Uuid) -> Response {
        let Some((number, error, suberror, general)) = self.code.row() else {
            return message::empty(StatusCode::INTERNAL_SERVER_ERROR);
        };
        let error = self.error.unwrap_or(error);
        let status = match error {
            "invalid_client" => StatusCode::UNAUTHORIZED,
            "temporarily_unavailable" => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::BAD_REQUEST,
        };
        let (trace, time) = (Uuid::new_v4(), timestamp());
        let text = self.text.as_deref().unwrap_or(general);
        let body = Body {
            error,
            error_description: format!(
                "{}: {text} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {time}",
                self.code
            ),
            error_codes: [*number],
            timestamp: time,
            trace_id: trace.to_string(),
            correlation_id: correlation.to_string(),
            error_uri: format!("https://login.microsoftonline.com/error?code={number}"),
            suberror: Some(*suberror).filter(|it| !it.is_empty()),
            claims: self.claims,
        };
        message::json(status, &body, 0)
    }
}

#[derive(Serialize)]
struct Body {
    error: &'static str,
    error_description: String,
    error_codes: [u32; 1],
    timestamp: String,
    trace_id: String,
    correlation_id: String,
    error_uri: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    suberror: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    claims: Option<String>,
}
