//! Secrets over HTTP, for a runtime that serves this component (`wasmtime serve`):
//! `GET /secret?reference=…`, percent-encoded. Whoever may open the port is not meant: it takes the
//! service's secret, and gives what is listed.

use alloc::{
    borrow::Cow,
    format,
    string::{String, ToString},
    vec::Vec,
};
use percent_encoding::percent_decode_str;
use zeroize::Zeroizing;

use super::serve::{Asked, Served, is_same};
use crate::{
    call::{Call, Memory},
    context::Context,
    error::{Error, ErrorKind, Id},
    secret::SecretString,
    settings::{Settings, malformed},
    timeouts::TARGET,
    vault::{self, Reference},
};

/// The path of the request.
const PATH: &str = "/secret";
/// The header with the service's secret.
const SECRET_HEADER: &str = "vaultlet-secret";
/// The variable that switches it on: what the header must be.
pub(super) const SECRET_VARIABLE: &str = "VAULTLET_SERVE_SECRET";
/// The variable with the references that may be read, separated by commas (in a JSON pointer a comma
/// is `%2C`), compared in their canonical form.
const REFERENCES_VARIABLE: &str = "VAULTLET_SERVE_REFERENCES";

/// Serves one request.
pub(super) async fn serve<C: Context>(
    context: &C,
    memory: &Memory,
    asked: &Asked,
    secret: &SecretString,
) -> Served {
    if !asked.header(SECRET_HEADER).is_some_and(|shown| is_same(shown, secret)) {
        return Served::bare(401);
    }
    let (path, query) = asked.target.split_once('?').unwrap_or((&asked.target, ""));
    if path != PATH {
        return Served::bare(404);
    }
    if !asked.is_get {
        return Served::only_get();
    }
    let Some(reference) = reference(query) else {
        let error = Error::new(
            Id::ReferenceMalformed,
            "reading the request: its query is not `reference=<percent-encoded>`",
        );
        return fail(400, &error);
    };
    match answer(context, memory, &reference).await {
        Ok(value) => Served::text(value),
        Err(error) => fail(status(error.kind), &error),
    }
}

/// Nothing is served: what must be set for it, in so many words.
pub(super) fn refuse() -> Served {
    let error = Error::new(Id::NotServed, "serving: no secret is set for those who ask");
    fail(401, &error)
}

async fn answer<C: Context>(
    context: &C,
    memory: &Memory,
    reference: &str,
) -> Result<Zeroizing<String>, Error> {
    let call = Call::new(context, memory)?;
    let asked = Reference::parse(reference, call.settings())?.canonical();
    let listed = call.variable(REFERENCES_VARIABLE).unwrap_or_default();
    if !listed_in(&listed, call.settings())?.contains(&asked) {
        return Err(Error::new(Id::NotServed, format!("serving {asked}: it is not listed")));
    }
    let secret = vault::get(&call, reference, None).await?;
    Ok(Zeroizing::new(secret.value.reveal().into()))
}

fn listed_in(list: &str, settings: &Settings) -> Result<Vec<String>, Error> {
    list.split(',')
        .filter(|one| !one.trim().is_empty())
        .map(|one| Reference::parse(one, settings).map(|reference| reference.canonical()))
        .collect::<Result<_, _>>()
        .map_err(|_| malformed(REFERENCES_VARIABLE, "references, separated by commas"))
}

/// The one parameter that there is.
fn reference(query: &str) -> Option<Cow<'_, str>> {
    let value = query.strip_prefix("reference=").filter(|value| !value.contains('&'))?;
    if query.len() > TARGET {
        return None;
    }
    percent_decode_str(value).decode_utf8().ok()
}

/// Of whoever asks, of the vault, of this service.
fn status(kind: ErrorKind) -> u16 {
    match kind {
        ErrorKind::Usage | ErrorKind::InvalidArgument => 400,
        ErrorKind::Denied => 403,
        ErrorKind::NotFound => 404,
        ErrorKind::Disabled | ErrorKind::Conflict => 409,
        ErrorKind::Throttled => 429,
        ErrorKind::Unavailable => 503,
        ErrorKind::Timeout => 504,
        ErrorKind::Configuration
        | ErrorKind::NotConfigured
        | ErrorKind::Unauthenticated
        | ErrorKind::Internal => 500,
    }
}

fn fail(status: u16, error: &Error) -> Served {
    let mut served = Served::json(status, NOT_KEPT.into(), error.json().into());
    if let Some(ms) = error.retry_after_ms {
        served.headers.push(("retry-after", ms.div_ceil(1000).to_string()));
    }
    served
}

impl Served {
    fn text(value: Zeroizing<String>) -> Self {
        let headers = [
            ("content-type", "text/plain; charset=utf-8".into()),
            ("cache-control", NOT_KEPT.into()),
        ];
        Self { status: 200, headers: headers.into(), body: value }
    }
}

/// The service's secret stands in front of each answer.
const NOT_KEPT: &str = "no-store";
