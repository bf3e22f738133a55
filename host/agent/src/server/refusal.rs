//! Requests that are refused, and errors, as responses: the JSON that the command line prints.

use std::time::Duration;

use http::{HeaderValue, StatusCode, header};
use vaultlet_host::{Error, ErrorJson, Kind};
use zeroize::Zeroizing;

use super::body::Answer;

/// A request of ours that is malformed or asks for what there is not.
pub(super) fn bad(status: StatusCode, what: &str, help: &str) -> Answer {
    let message = format!("reading the request to the agent: {what}");
    answer(status, &Error::new(Kind::Usage, "agent-request", message, help))
}

/// A request that did not come from a program on this machine that speaks to the agent itself.
pub(super) fn foreign(what: &str) -> Answer {
    let message = format!("reading the request to the agent: {what}");
    let help =
        "ask the agent itself, from a program on this machine, by the address that it printed";
    answer(StatusCode::FORBIDDEN, &Error::new(Kind::Denied, "agent-foreign", message, help))
}

/// A request by HTTP on loopback that does not show the token.
pub(super) fn unauthorized() -> Answer {
    let message = "reading the request to the agent: it does not have the agent's token";
    let help = "send `Authorization: Bearer` with the content of the agent's token file, which \
                `VAULTLET_AGENT_TOKEN_FILE` names";
    let error = Error::new(Kind::Denied, "agent-token", message, help);
    let bearer = HeaderValue::from_static("Bearer");
    answer(StatusCode::UNAUTHORIZED, &error).with(header::WWW_AUTHENTICATE, bearer)
}

/// The response for a failure to get a secret.
pub(super) fn failed(error: &Error) -> Answer {
    let retry = error.retry_after.filter(|_| error.kind == Kind::Throttled);
    let answer = answer(status(error.kind), error);
    match retry.map(|wait| HeaderValue::from(seconds(wait))) {
        Some(wait) => answer.with(header::RETRY_AFTER, wait),
        None => answer,
    }
}

/// The status of a response for each kind of failure.
fn status(kind: Kind) -> StatusCode {
    match kind {
        Kind::Usage | Kind::InvalidArgument => StatusCode::BAD_REQUEST,
        Kind::Denied => StatusCode::FORBIDDEN,
        Kind::NotFound | Kind::Disabled => StatusCode::NOT_FOUND,
        Kind::Conflict => StatusCode::CONFLICT,
        Kind::Throttled => StatusCode::TOO_MANY_REQUESTS,
        Kind::Configuration | Kind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        Kind::Unavailable | Kind::NotConfigured | Kind::Unauthenticated => StatusCode::BAD_GATEWAY,
        Kind::Timeout => StatusCode::GATEWAY_TIMEOUT,
    }
}

/// Whole seconds, rounded up.
fn seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

fn answer(status: StatusCode, error: &Error) -> Answer {
    Answer::json(status, Zeroizing::new(json(error)))
}

/// The bytes of a response in place of the one that hyper makes when it cannot read a header section, by its first
/// bytes.
pub(super) fn in_place_of(response: &[u8]) -> Vec<u8> {
    let status = response.get(9..12).and_then(|it| StatusCode::from_bytes(it).ok());
    let status = status.unwrap_or(StatusCode::BAD_REQUEST);
    let what = match status {
        StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE | StatusCode::URI_TOO_LONG => {
            "its header section is too large"
        }
        _ => "it is no HTTP request",
    };
    let message = format!("reading the request to the agent: {what}");
    let body = json(&Error::new(Kind::Usage, "agent-request", message, HELP));
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    [head.into_bytes(), body.into_bytes()].concat()
}

/// What a program that asks the agent finds its paths by.
pub(super) const HELP: &str = "see the interface in host/cli/AGENT.md";

/// An error as the command line prints it with `-o json`.
fn json(error: &Error) -> String {
    ErrorJson::from(error).line() + "\n"
}
