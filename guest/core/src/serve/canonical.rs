//! The host's identity endpoint: the broker role responds to canonical token requests.

use alloc::{borrow::Cow, format, string::String};
use base64ct::{Base64UrlUnpadded, Encoding as _};

use super::{
    http::{Incoming, Reply},
    lifetime,
};
use crate::{
    call::{Call, Memory},
    context::Context,
    endpoint::{CLAIMS_HEADER, IDENTITY_PATH, PATH, SECRET_HEADER},
    error::Error,
    limits::{CLAIMS, TARGET},
    token::{Token, TokenRequest, UserAssigned},
    tokens,
    words::{json::Object, scrub::Scrubbed, secret::SecretString, url::unescaped},
};

/// Serves one request from the host.
pub(super) fn serve<C: Context>(
    context: &C,
    memory: &Memory,
    incoming: &Incoming,
    secret: &SecretString,
) -> Reply {
    if !incoming.has_secret(SECRET_HEADER, secret) {
        return Reply::without_body(401);
    }
    if incoming.query(IDENTITY_PATH).is_ok() {
        return named_identity(context, memory)
            .unwrap_or_else(|error| Reply::json(502, NO_STORE.into(), error.json().into()));
    }
    let query = match incoming.query(PATH) {
        Ok(query) => query,
        Err(refusal) => return refusal,
    };
    let Some(request) = parse_request(incoming, query) else { return Reply::without_body(400) };
    match get_token(context, memory, &request) {
        Ok(reply) => reply,
        Err(error) => Reply::json(502, lifetime::failure_cache_control(), error.json().into()),
    }
}

/// The identity that the settings or Azure's variables name, whichever source may use it.
fn named_identity<C: Context>(context: &C, memory: &Memory) -> Result<Reply, Error> {
    let call = Call::new(context, memory)?;
    let of_variable =
        || NAMING.iter().find_map(|name| UserAssigned::client_id(&context.variable(name)?));
    let identity = call.settings().identity.as_ref().map(|(identity, _)| identity.clone());
    let body = identity
        .or_else(of_variable)
        .map_or_else(String::new, |identity| format!("{}={}", identity.parameter(), identity.id()));
    Ok(Reply::new("text/plain", 200, NO_STORE.into(), body.into()))
}

/// Azure's variables that name an identity, the first one first.
const NAMING: [&str; 2] = ["AZURE_CLIENT_ID", "DEFAULT_IDENTITY_CLIENT_ID"];
const NO_STORE: &str = "no-store";

fn get_token<C: Context>(
    context: &C,
    memory: &Memory,
    request: &TokenRequest,
) -> Result<Reply, Error> {
    let call = Call::new(context, memory)?;
    let token = tokens::token(&call, request)?;
    let cache = lifetime::token_cache_control(&token, context.now());
    Ok(Reply::json(200, cache, token_json(&token)))
}

/// Parses a canonical request. None if a parameter is unknown, repeated or malformed.
fn parse_request(incoming: &Incoming, query: &str) -> Option<TokenRequest> {
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
    let mut headers = incoming.headers.iter().filter(|(name, _)| name == CLAIMS_HEADER);
    let claims = match (headers.next(), headers.next()) {
        (None, _) => None,
        (Some((_, value)), None) if value.reveal().len() <= CLAIMS * 2 => {
            let claims = Base64UrlUnpadded::decode_vec(value.reveal()).ok()?;
            Some(String::from_utf8(claims).ok()?)
        }
        _ => return None,
    };
    let mut request = TokenRequest::for_resource(&resource?, tenant, claims, identity).ok()?;
    request.fresh = incoming.wants_fresh();
    Some(request)
}

fn token_json(token: &Token) -> Scrubbed<String> {
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
