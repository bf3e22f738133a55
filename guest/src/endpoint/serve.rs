//! The answering side. Whoever cannot prove to be the host learns nothing, not even what there is.

use alloc::{borrow::Cow, string::String, vec::Vec};
use base64ct::{Base64UrlUnpadded, Encoding as _};
use percent_encoding::percent_decode_str;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::{CLAIMS_HEADER, PATH, SECRET_HEADER, SECRET_VARIABLE, lifetime};
use crate::{
    call::{Call, Memory},
    context::Context,
    error::Error,
    json::Object,
    secret::SecretString,
    timeouts::{CLAIMS, TARGET},
    token::{self, Token, TokenRequest, UserAssigned},
};

/// A request that came in. Its body is never read.
#[derive(Debug)]
pub struct Asked {
    /// Whether its method is `GET`.
    pub is_get: bool,
    /// Path and query.
    pub target: String,
    /// Header names in lower case; values may be secrets.
    pub headers: Vec<(String, SecretString)>,
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
pub async fn serve<C: Context>(context: &C, memory: &Memory, asked: &Asked) -> Served {
    let expected = context.variable(SECRET_VARIABLE).map(SecretString::new);
    if !is_host(asked, expected.as_ref()) {
        return Served::bare(401);
    }
    let (path, query) = asked.target.split_once('?').unwrap_or((&asked.target, ""));
    if path != PATH {
        return Served::bare(404);
    }
    if !asked.is_get {
        let mut served = Served::bare(405);
        served.headers.push(("allow", "GET".into()));
        return served;
    }
    let Some(request) = request(asked, query) else { return Served::bare(400) };
    match answer(context, memory, &request).await {
        Ok(served) => served,
        Err(error) => Served::json(502, lifetime::of_failure(), error.json().into()),
    }
}

async fn answer<C: Context>(
    context: &C,
    memory: &Memory,
    request: &TokenRequest,
) -> Result<Served, Error> {
    let call = Call::new(context, memory)?;
    let token = token::token(&call, request).await?;
    let cache = lifetime::of_token(&token, context.now());
    Ok(Served::json(200, cache, body(&token)))
}

impl Served {
    /// Without a body, which is to say without any detail.
    fn bare(status: u16) -> Self {
        Self {
            status,
            headers: [("cache-control", "no-store".into())].into(),
            body: String::new().into(),
        }
    }

    fn json(status: u16, cache: String, body: Zeroizing<String>) -> Self {
        Self {
            status,
            headers: [("content-type", "application/json".into()), ("cache-control", cache)].into(),
            body,
        }
    }
}

fn is_host(asked: &Asked, expected: Option<&SecretString>) -> bool {
    let Some(expected) = expected.filter(|secret| !secret.reveal().is_empty()) else {
        return false;
    };
    let mut given = asked.headers.iter().filter(|(name, _)| name == SECRET_HEADER);
    let (Some((_, given)), None) = (given.next(), given.next()) else { return false };
    given.reveal().as_bytes().ct_eq(expected.reveal().as_bytes()).into()
}

/// The canonical request; nothing unknown, nothing twice.
fn request(asked: &Asked, query: &str) -> Option<TokenRequest> {
    if query.len() > TARGET {
        return None;
    }
    let (mut resource, mut tenant, mut identity) = (None, None, None);
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=')?;
        let value: Cow<'_, str> = percent_decode_str(value).decode_utf8().ok()?;
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
    TokenRequest::of(&resource?, tenant, claims, identity).ok()
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
