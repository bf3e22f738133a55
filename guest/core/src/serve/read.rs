//! Secrets over HTTP, for a runtime that serves this component (`wasmtime serve`):
//! `GET /secret?reference=…`, percent-encoded. Access to the port is not enough: a request must carry the
//! service's secret, and only listed references are served.

use alloc::borrow::Cow;

use super::http::{Incoming, Reply};
use crate::{
    call::{Call, Memory},
    context::Context,
    error::{Error, ErrorKind, Id},
    settings::{Settings, malformed},
    vault::{self, Reference, Secret},
    words::{scrub::Scrubbed, secret::SecretString, url::unescaped},
};

/// The path of requests for a secret.
const PATH: &str = "/secret";
/// The header with the service's secret.
const SECRET_HEADER: &str = "vaultlet-secret";
/// The variable with the references that may be read, separated by commas (`%2C` within a JSON pointer).
/// References are compared in canonical form.
const REFERENCES_VARIABLE: &str = "VAULTLET_SERVE_REFERENCES";

/// The reply of a component that has no role to serve; the error says what to set.
pub(super) fn not_served() -> Reply {
    failure_reply(&Error::new(Id::NotServed, "serving: no secret is set for callers"))
}

/// Serves one request for a secret.
pub(super) fn serve<C: Context>(
    context: &C,
    memory: &Memory,
    incoming: &Incoming,
    secret: &SecretString,
) -> Reply {
    let query = match admit(incoming, secret) {
        Ok(query) => query,
        Err(refusal) => return refusal,
    };
    match get_secret(context, memory, query) {
        Ok(secret) => {
            let value = Scrubbed::new(secret.value.reveal().into());
            Reply::new("text/plain; charset=utf-8", 200, NO_STORE.into(), value)
        }
        Err(error) => failure_reply(&error),
    }
}

/// The query of a request that carries the secret and is for the right path.
fn admit<'a>(incoming: &'a Incoming, secret: &SecretString) -> Result<&'a str, Reply> {
    if !incoming.has_secret(SECRET_HEADER, secret) {
        return Err(Reply::without_body(401));
    }
    incoming.query(PATH)
}

/// The reply to a failure.
fn failure_reply(error: &Error) -> Reply {
    Reply::json(status(error.kind), NO_STORE.into(), error.json().into()).with_retry_after(error)
}

fn get_secret<C: Context>(context: &C, memory: &Memory, query: &str) -> Result<Secret, Error> {
    let call = Call::new(context, memory)?;
    let listed = call.variable(REFERENCES_VARIABLE).unwrap_or_default();
    let reference = listed_reference(query, &listed, &call.settings)?;
    vault::get(&call, &reference, None)
}

/// The reference in a query, if it is listed.
fn listed_reference<'a>(
    query: &'a str,
    listed: &str,
    settings: &Settings,
) -> Result<Cow<'a, str>, Error> {
    let canonical =
        |text: &str| Reference::parse(text, settings).map(|reference| reference.canonical());
    let requested = reference(query);
    let wanted = canonical(&requested)?;
    let mut is_listed = false;
    for one in listed.split(',').filter(|one| !one.is_empty()) {
        let one = canonical(one)
            .map_err(|_| malformed(REFERENCES_VARIABLE, "references, separated by commas"))?;
        is_listed |= one == wanted;
    }
    if is_listed {
        return Ok(requested);
    }
    Err(Error::new(Id::NotServed, "serving a secret: its reference is not listed"))
}

/// The only parameter. A query of another form yields an empty text, which is no reference.
fn reference(query: &str) -> Cow<'_, str> {
    let value = query.strip_prefix("reference=").filter(|value| !value.contains('&'));
    value.and_then(unescaped).unwrap_or_default()
}

/// The status of a failure: 4xx for the caller, 503 for the vault, 500 for this service's configuration.
fn status(kind: ErrorKind) -> u16 {
    match kind {
        ErrorKind::Usage | ErrorKind::InvalidArgument => 400,
        ErrorKind::Denied => 403,
        ErrorKind::NotFound => 404,
        ErrorKind::Disabled | ErrorKind::Conflict => 409,
        ErrorKind::Throttled => 429,
        ErrorKind::Unavailable | ErrorKind::Timeout => 503,
        _ => 500,
    }
}

/// The `cache-control` of every reply: a reply is for the caller that has shown the secret.
const NO_STORE: &str = "no-store";
