//! The answering side. Whoever cannot prove to be the host learns nothing, not even what there is.

use alloc::{
    borrow::Cow,
    string::{String, ToString},
    vec::Vec,
};
use base64ct::{Base64UrlUnpadded, Encoding as _};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::{CLAIMS_HEADER, PATH, SECRET_HEADER, SECRET_VARIABLE, lend, lifetime, read};
use crate::{
    call::{Call, Memory},
    context::Context,
    error::Error,
    json::Object,
    secret::SecretString,
    timeouts::{CLAIMS, TARGET},
    token::{self, Token, TokenRequest, UserAssigned},
    url::unescaped,
};

/// A request that came in. Its body is never read.
#[derive(Debug)]
pub struct Asked {
    /// Whether its method is `GET`.
    pub is_get: bool,
    /// Path and query.
    pub target: String,
    /// The server that was asked for, `host:port`.
    pub authority: Option<String>,
    /// Header names in lower case; values may be secrets.
    pub headers: Vec<(String, SecretString)>,
}

impl Asked {
    /// A header that is there once.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let mut found = self.headers.iter().filter(|(known, _)| known == name);
        match (found.next(), found.next()) {
            (Some((_, value)), None) => Some(value.reveal()),
            _ => None,
        }
    }

    /// Whether a header proves who asks.
    pub(super) fn shows(&self, name: &str, secret: &SecretString) -> bool {
        self.header(name).is_some_and(|shown| is_same(shown, secret))
    }

    /// The query of a request for what is at this path.
    pub(super) fn query(&self, at: &str) -> Result<&str, Served> {
        let (path, query) = self.target.split_once('?').unwrap_or((&self.target, ""));
        match path == at {
            false => Err(Served::bare(404)),
            true if !self.is_get => Err(Served::only_get()),
            true => Ok(query),
        }
    }

    /// Whether no cache may answer.
    pub(super) fn wants_fresh(&self) -> bool {
        let mut controls = self.headers.iter().filter(|(name, _)| name == "cache-control");
        controls.any(|(_, value)| value.reveal().to_ascii_lowercase().contains("no-cache"))
    }
}

/// The answer.
#[derive(Debug)]
pub struct Served {
    /// Its status.
    pub status: u16,
    /// Its headers.
    pub headers: Vec<(&'static str, String)>,
    /// Its body, which may hold a token.
    pub body: Zeroizing<String>,
}

/// Serves one request.
pub fn serve<C: Context>(context: &C, memory: &Memory, asked: &Asked) -> Served {
    let secret = |name| context.variable(name).filter(|s| !s.is_empty()).map(SecretString::new);
    if let Some(secret) = secret(lend::SECRET_VARIABLE) {
        return lend::serve(context, memory, asked, &secret);
    }
    let Some(expected) = secret(SECRET_VARIABLE) else {
        return read::serve(context, memory, asked, secret(read::SECRET_VARIABLE));
    };
    if !asked.shows(SECRET_HEADER, &expected) {
        return Served::bare(401);
    }
    let query = match asked.query(PATH) {
        Ok(query) => query,
        Err(refusal) => return refusal,
    };
    let Some(request) = request(asked, query) else { return Served::bare(400) };
    match answer(context, memory, &request) {
        Ok(served) => served,
        Err(error) => Served::json(502, lifetime::of_failure(), error.json().into()),
    }
}

fn answer<C: Context>(
    context: &C,
    memory: &Memory,
    request: &TokenRequest,
) -> Result<Served, Error> {
    let call = Call::new(context, memory)?;
    let token = token::token(&call, request)?;
    let cache = lifetime::of_token(&token, context.now());
    Ok(Served::json(200, cache, body(&token)))
}

impl Served {
    /// Without a body, which is to say without any detail.
    pub(super) fn bare(status: u16) -> Self {
        Self {
            status,
            headers: [("cache-control", "no-store".into())].into(),
            body: String::new().into(),
        }
    }

    /// What is only asked for.
    pub(super) fn only_get() -> Self {
        let mut served = Self::bare(405);
        served.headers.push(("allow", "GET".into()));
        served
    }

    pub(super) fn json(status: u16, cache: String, body: Zeroizing<String>) -> Self {
        Self::of("application/json", status, cache, body)
    }

    pub(super) fn of(kind: &str, status: u16, cache: String, body: Zeroizing<String>) -> Self {
        Self {
            status,
            headers: [("content-type", kind.into()), ("cache-control", cache)].into(),
            body,
        }
    }

    /// When to ask again, if a service has said so.
    pub(super) fn after(mut self, error: &Error) -> Self {
        if let Some(ms) = error.retry_after_ms {
            self.headers.push(("retry-after", ms.div_ceil(1000).to_string()));
        }
        self
    }
}

/// In constant time.
pub(super) fn is_same(shown: &str, secret: &SecretString) -> bool {
    shown.as_bytes().ct_eq(secret.reveal().as_bytes()).into()
}

/// The canonical request; nothing unknown, nothing twice.
fn request(asked: &Asked, query: &str) -> Option<TokenRequest> {
    if query.len() > TARGET {
        return None;
    }
    let (mut resource, mut tenant, mut identity) = (None, None, None);
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=')?;
        let value: Cow<'_, str> = unescaped(value)?;
        let repeated = match name {
            "resource" => resource.replace(value).is_some(),
            "tenant" => tenant.replace(value.into_owned()).is_some(),
            "client_id" => identity.replace(UserAssigned::client_id(&value)?).is_some(),
            "object_id" => identity.replace(UserAssigned::object_id(&value)?).is_some(),
            "resource_id" => identity.replace(UserAssigned::resource_id(&value)?).is_some(),
            _ => return None,
        };
        if repeated {
            return None;
        }
    }
    let mut headers = asked.headers.iter().filter(|(name, _)| name == CLAIMS_HEADER);
    let claims = match (headers.next(), headers.next()) {
        (None, _) => None,
        (Some((_, value)), None) if value.reveal().len() <= CLAIMS * 2 => {
            let claims = Base64UrlUnpadded::decode_vec(value.reveal()).ok()?;
            Some(String::from_utf8(claims).ok()?)
        }
        _ => return None,
    };
    let mut request = TokenRequest::of(&resource?, tenant, claims, identity).ok()?;
    request.fresh = asked.wants_fresh();
    Some(request)
}

fn body(token: &Token) -> Zeroizing<String> {
    Object::default()
        .text("access_token", token.secret.reveal())
        .some_number("expires_on", Some(token.expires_on))
        .some_number("refresh_on", Some(token.refresh_on))
        .text("resource", &token.resource)
        .text("source", &token.source)
        .some_text("endpoint", token.endpoint.as_deref())
        .some_text("client_id", token.client_id.as_deref())
        .some_text("other", token.other.as_deref())
        .finish()
}
