//! The client of the host's identity endpoint. It never retries, because the broker behind the
//! endpoint does.

use alloc::{format, vec::Vec};
use base64ct::{Base64UrlUnpadded, Encoding as _};

use super::CLAIMS_HEADER;
use crate::{
    call::Call,
    context::{Context, Method, Request},
    error::{Error, Id},
    limits,
    retry::{self, Stopped},
    token::{Token, TokenRequest, is_token},
    words::{json, secret::SecretString, url::Url},
};

/// Requests a token from the host's identity endpoint.
pub(crate) fn request_token<C: Context>(
    call: &Call<'_, C>,
    endpoint: &Url,
    request: &TokenRequest,
) -> Result<Token, Error> {
    let mut url = endpoint.clone();
    url.push("resource", &request.resource);
    if let Some(tenant) = &request.tenant {
        url.push("tenant", tenant);
    }
    if let Some(identity) = &request.identity {
        url.push(identity.parameter(), identity.id());
    }
    let claims =
        request.claims.as_ref().map(|claims| Base64UrlUnpadded::encode_string(claims.as_bytes()));
    let doing = || format!("getting a token for {}", request.resource);
    let response =
        retry::send(call, &limits::ONCE, &|| build(&url, claims.as_deref(), request.fresh))
            .map_err(|stopped| match stopped {
                Stopped::Send(error) => Error::new(
                    Id::IdentityUnreachable,
                    format!("{}: {}", doing(), error.describe(&url.host_and_port())),
                ),
                Stopped::TimedOut | Stopped::Throttled { .. } => {
                    Error::new(Id::Timeout, format!("{}: the time has run out", doing()))
                }
            })?;
    let unexpected = || {
        Error::new(
            Id::IdentityUnexpected,
            format!("{}: the response of the host's identity endpoint is malformed", doing()),
        )
        .with_answer(response.status, None)
    };
    if response.status != 200 {
        return Err(Error::from_json(&response.body).unwrap_or_else(unexpected));
    }
    parse(&response.body).ok_or_else(unexpected)
}

fn parse(body: &[u8]) -> Option<Token> {
    let body = json::parse(body)?;
    Some(Token {
        secret: body.secret("access_token").filter(|token| is_token(token.reveal()))?,
        expires_on: body.integer("expires_on")?,
        refresh_on: body.integer("refresh_on")?,
        resource: body.text("resource")?,
        source: body.text("source")?,
        endpoint: body.text("endpoint"),
        client_id: body.text("client_id"),
        other: body.text("other"),
    })
}

fn build(url: &Url, claims: Option<&str>, fresh: bool) -> Request {
    let mut headers: Vec<(&'static str, SecretString)> = Vec::new();
    // A child may ask for a new token as often as it likes: one that is some seconds old is new.
    let control = if claims.is_some() { "no-cache" } else { "max-age=5" };
    if claims.is_some() || fresh {
        headers.push(("cache-control", control.into()));
    }
    if let Some(claims) = claims {
        headers.push((CLAIMS_HEADER, claims.into()));
    }
    Request {
        method: Method::Get,
        url: url.clone(),
        headers,
        body: None,
        connect_timeout: limits::IDENTITY_CONNECT,
        // The broker retries within the time of the call, so one request may take all of it.
        first_byte_timeout: limits::CALL_MAX,
        total_timeout: limits::CALL_MAX,
        max_body: limits::TOKEN_BODY,
    }
}
