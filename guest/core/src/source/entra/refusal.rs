//! Errors of the token authority.

use alloc::{format, string::String, vec::Vec};

use super::{
    aadsts,
    client::{Client, Proof},
};
use crate::{
    context::Response,
    error::{Error, Id},
    message,
    retry::{self, ErrorIds, Stopped},
    words::{date, form, json, secret::SecretString, url::Url},
};

const IDS: ErrorIds = ErrorIds {
    throttled: Id::AuthorityThrottled,
    unexpected: Id::AuthorityUnexpected,
    unreachable: Id::AuthorityUnreachable,
};

/// The error of a request without a response.
pub(super) fn unanswered(doing: &str, url: &Url, stopped: Stopped) -> Error {
    stopped.into_error(doing, &url.host_and_port(), &IDS)
}

/// The error of a response that is not a success: the status decides, the code adds the meaning. Nothing
/// that was sent is repeated.
pub(super) fn explain(
    client: &Client,
    sent: &SecretString,
    response: &Response,
    now: i64,
) -> Error {
    let doing = client.doing();
    let status = response.status;
    let id = match status {
        429 => {
            let after = retry::retry_after(response, now);
            return retry::throttled_error(&doing, status, after, &IDS);
        }
        400 | 401 | 403 => Id::AuthorityRefused,
        408 | 500.. => Id::AuthorityFailed,
        _ => Id::AuthorityUnexpected,
    };
    let body = ErrorBody::read(response, &form::secrets(sent));
    // Any proxy can respond with 403, but only the authority responds with an OAuth error.
    let id = match id {
        Id::AuthorityRefused if body.code.is_none() => Id::AuthorityUnexpected,
        id => id,
    };
    let known = body.code.as_deref().and_then(aadsts::find);
    let mut text = format!("{doing}: ");
    text.push_str(&match (&known, &body.message) {
        (Some(known), Some(message)) => format!("{}: {message}", known.meaning),
        (Some(known), None) => String::from(known.meaning),
        (None, Some(message)) if body.code.is_some() => message.clone(),
        (None, Some(message)) => format!("it answered {status}: {message}"),
        (None, None) => {
            let detail = message::Fault::default().detail(response);
            format!("it answered {status}{detail}")
        }
    });
    if let (Some(skew), Some(true)) = (skew(response, now), known.map(|known| known.clock_related))
    {
        text = format!("{text}: this machine's clock is {skew} s from the authority's");
    }
    if let (Id::AuthorityRefused, Some(name)) = (id, client.spaced_variable()) {
        text = format!("{text}: `{name}` begins or ends with white space, which was sent with it");
    }
    let mut error = Error::new(id, text).with_answer(status, body.code);
    error.request_id = body.trace;
    match known {
        Some(known) => error.with_help(aadsts::help(known, client, is_secret_odd(client))),
        None => error,
    }
}

/// Whether the client secret has around it what no secret of Entra has.
fn is_secret_odd(client: &Client) -> bool {
    let Proof::Secret(secret) = &client.proof else { return false };
    secret.reveal().trim_matches(|c: char| c.is_whitespace() || c == '"' || c == '\'')
        != secret.reveal()
}

/// The body of an error response.
/// <https://learn.microsoft.com/entra/identity-platform/reference-error-codes>
struct ErrorBody {
    /// The code `AADSTS…`, or else the OAuth error code.
    code: Option<String>,
    /// The first sentence of the description.
    message: Option<String>,
    /// The authority's id of the request.
    trace: Option<String>,
}

impl ErrorBody {
    fn read(response: &Response, hidden: &[SecretString]) -> Self {
        let hidden: Vec<_> = hidden.iter().collect();
        let Some(body) = json::parse(&response.body) else {
            return Self {
                code: None,
                message: message::fault(response, &hidden).message,
                trace: None,
            };
        };
        let description = body.text("error_description").unwrap_or_default();
        let (first, rest) =
            description.split_once(':').unwrap_or((description.as_str(), description.as_str()));
        let is_code = first.strip_prefix("AADSTS").is_some_and(|number| {
            (1..=12).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_digit())
        });
        let oauth = body.text("error").filter(|code| is_plain(code));
        let code = if is_code { Some(first.into()) } else { oauth };
        let rest = if is_code { rest } else { &description };
        // ErrorIds and a time follow the sentence.
        let sentence = rest.split("Trace ID").next().unwrap_or_default();
        let sentence = sentence.lines().next().unwrap_or_default();
        let message = message::excerpt(sentence, &hidden);
        Self {
            code,
            message: Some(message).filter(|message| !message.is_empty()),
            trace: body.text("trace_id").filter(|id| is_plain(id)),
        }
    }
}

/// Whether a text is an id or a code, and does not look like a token.
fn is_plain(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && !text.contains("eyJ")
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
}

/// The difference between this machine's clock and the authority's, in seconds, if network delay does not
/// explain it.
fn skew(response: &Response, now: i64) -> Option<i64> {
    let server_time = date::parse(response.header("date")?)?;
    Some(server_time.abs_diff(now)).filter(|skew| *skew > 60).and_then(|skew| skew.try_into().ok())
}
