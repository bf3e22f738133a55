//! What it means when the authority gives no token.

use alloc::{format, string::String, vec::Vec};

use super::{Client, aadsts};
use crate::{
    context::Response,
    error::{Error, Id},
    message,
    retry::{self, Ids, Stopped},
    words::{date, form, json, secret::SecretString, url::Url},
};

const IDS: Ids = Ids {
    throttled: Id::AuthorityThrottled,
    unexpected: Id::AuthorityUnexpected,
    unreachable: Id::AuthorityUnreachable,
};

/// There was no answer.
pub(in crate::source) fn unanswered(doing: &str, url: &Url, stopped: Stopped) -> Error {
    stopped.explain(doing, &url.authority(), &IDS)
}

/// What an answer that is not a success means: its status decides, its code explains.
/// Of what was sent nothing is repeated.
pub(super) fn refusal(
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
            return retry::patience(&doing, status, after, &IDS);
        }
        400 | 401 | 403 => Id::AuthorityRefused,
        408 | 500.. => Id::AuthorityFailed,
        _ => Id::AuthorityUnexpected,
    };
    let said = Said::read(response, &form::secrets(sent));
    // Anybody can answer 403, but an error of OAuth's is the authority's.
    let id = match id {
        Id::AuthorityRefused if said.code.is_none() => Id::AuthorityUnexpected,
        id => id,
    };
    let known = said.code.as_deref().and_then(aadsts::known);
    let mut text = format!("{doing}: ");
    text.push_str(&match (&known, &said.message) {
        (Some(known), _) => String::from(known.means),
        (None, Some(message)) => message.clone(),
        (None, None) => format!("it answered {status}"),
    });
    if let (Some(skew), Some(true)) = (skew(response, now), known.map(|known| known.of_time)) {
        text = format!("{text}: this machine's clock is {skew} s from the authority's");
    }
    let mut error = Error::new(id, text).with_answer(status, said.code);
    error.request_id = said.trace;
    match known {
        Some(known) => error.with_help(aadsts::help(known, client)),
        None => error,
    }
}

/// An error of the authority's.
/// <https://learn.microsoft.com/entra/identity-platform/reference-error-codes>
struct Said {
    /// `AADSTS…`, else that of OAuth.
    code: Option<String>,
    /// Its first sentence.
    message: Option<String>,
    /// Its own id of the request.
    trace: Option<String>,
}

impl Said {
    fn read(response: &Response, hidden: &[SecretString]) -> Self {
        let hidden: Vec<_> = hidden.iter().collect();
        let Some(body) = json::parse(&response.body) else {
            return Self { code: None, message: None, trace: None };
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
        // What follows are ids and a time.
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

/// An id or a code, and nothing that looks like a token.
fn is_plain(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && !text.contains("eyJ")
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
}

/// By how much the clocks differ, seconds, if that is more than a delay.
fn skew(response: &Response, now: i64) -> Option<i64> {
    let theirs = date::parse(response.header("date")?)?;
    Some(theirs.abs_diff(now)).filter(|skew| *skew > 60).and_then(|skew| skew.try_into().ok())
}
