//! Secrets over HTTP, for a runtime that serves this component (`wasmtime serve`):
//! `GET /secret?reference=…`, percent-encoded. Whoever may open the port is not meant: it takes the
//! service's secret, and gives what is listed.

use alloc::borrow::Cow;
use zeroize::Zeroizing;

use super::http::{Incoming, Reply};
use crate::{
    call::{Call, Memory},
    context::Context,
    error::{Error, ErrorKind, Id},
    settings::{Settings, malformed},
    vault::{self, Reference, Secret},
    words::{secret::SecretString, url::unescaped},
};

/// The path of the request.
const PATH: &str = "/secret";
/// The header with the service's secret.
const SECRET_HEADER: &str = "vaultlet-secret";
/// The variable with the references that may be read, separated by commas (in a JSON pointer a comma
/// is `%2C`), compared in their canonical form.
const REFERENCES_VARIABLE: &str = "VAULTLET_SERVE_REFERENCES";

/// Refuses a request where no role serves; the error says what to set.
pub(super) fn not_served() -> Reply {
    fail(&Error::new(Id::NotServed, "serving: no secret is set for those who ask"))
}

/// Serves one request.
pub(super) fn serve<C: Context>(
    context: &C,
    memory: &Memory,
    incoming: &Incoming,
    secret: &SecretString,
) -> Reply {
    let query = match admitted(incoming, secret) {
        Ok(query) => query,
        Err(refusal) => return refusal,
    };
    match answer(context, memory, query) {
        Ok(secret) => {
            let value = Zeroizing::new(secret.value.reveal().into());
            Reply::new("text/plain; charset=utf-8", 200, NOT_KEPT.into(), value)
        }
        Err(error) => fail(&error),
    }
}

/// The query of a caller that shows the secret, if it is for secrets.
fn admitted<'a>(incoming: &'a Incoming, secret: &SecretString) -> Result<&'a str, Reply> {
    if !incoming.shows(SECRET_HEADER, secret) {
        return Err(Reply::bare(401));
    }
    incoming.query(PATH)
}

fn fail(error: &Error) -> Reply {
    Reply::json(status(error.kind), NOT_KEPT.into(), error.json().into()).after(error)
}

fn answer<C: Context>(context: &C, memory: &Memory, query: &str) -> Result<Secret, Error> {
    let call = Call::new(context, memory)?;
    let listed = call.variable(REFERENCES_VARIABLE).unwrap_or_default();
    let reference = allowed(query, &listed, &call.settings)?;
    vault::get(&call, &reference, None)
}

/// The reference that a query asks for, if it is listed.
fn allowed<'a>(query: &'a str, listed: &str, settings: &Settings) -> Result<Cow<'a, str>, Error> {
    let canonical =
        |text: &str| Reference::parse(text, settings).map(|reference| reference.canonical());
    let asked = reference(query);
    let wanted = canonical(&asked)?;
    let mut is_listed = false;
    for one in listed.split(',').filter(|one| !one.is_empty()) {
        let one = canonical(one)
            .map_err(|_| malformed(REFERENCES_VARIABLE, "references, separated by commas"))?;
        is_listed |= one == wanted;
    }
    if is_listed {
        return Ok(asked);
    }
    Err(Error::new(Id::NotServed, "serving a secret: its reference is not listed"))
}

/// The one parameter; what is not of this form is no reference either.
fn reference(query: &str) -> Cow<'_, str> {
    let value = query.strip_prefix("reference=").filter(|value| !value.contains('&'));
    value.and_then(unescaped).unwrap_or_default()
}

/// Of whoever asks, of the vault, of this service.
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

/// The service's secret stands in front of each answer.
const NOT_KEPT: &str = "no-store";
