//! Sending authenticated requests to a vault: which token a request carries, and what follows a 401.

use alloc::{format, rc::Rc, string::String, vec::Vec};

use super::{challenge::Challenge, request::VaultRequest};
use crate::{
    call::Call,
    context::{Context, Method, Request, Response},
    error::{Error, Id},
    limits::{self, REMEMBERED},
    message, retry,
    settings::Cloud,
    token::{Audience, Token, TokenRequest, UserAssigned},
    tokens,
    words::{secret::SecretString, url::Url},
};

/// Sends a request with a token, and returns the response if it is a success.
///
/// For a vault of a known cloud, the first request carries a token. Any other vault first gets a
/// request without one; its challenge says which tokens it takes, and is trusted only if it names
/// the vault itself. After a 401 a second token is sent only if the challenge asks for a different
/// one, and never a third.
pub(super) fn send<C: Context>(
    call: &Call<'_, C>,
    request: &VaultRequest<'_>,
    identity: Option<UserAssigned>,
) -> Result<Response, Error> {
    let (audience, discovered) = match known_audience(call, &request.url) {
        Some(audience) => (audience, false),
        None => (discover_audience(call, request)?, true),
    };
    let first = token(call, &audience, None, identity.clone())?;
    let response = send_with_token(call, request, Some(&first))?;
    if response.status != 401 {
        return success(call, request, response, &first);
    }
    let refused = |response: &Response| request.refused(response, Some(&first), call.context.now());
    let challenge = Challenge::parse(response.headers_named("www-authenticate"));
    let Some(challenge) = challenge else { return Err(refused(&response)) };
    let second = if challenge.claims.is_some() {
        token(call, &audience, challenge.claims, identity)?
    } else if discovered {
        // The token is the one that the vault's challenge has just asked for.
        return Err(refused(&response));
    } else {
        let requested = challenge.verify(&request.url, own_origin(call, &request.url))?;
        if requested == audience
            || (requested.resource == audience.resource && !first.has_tenants())
        {
            return Err(refused(&response));
        }
        remember(call, &request.url, &requested);
        token(call, &requested, None, identity)?
    };
    let response = send_with_token(call, request, Some(&second))?;
    success(call, request, response, &second)
}

/// The response, unless it is an error. Where another identity may have been meant, the error names it.
fn success<C: Context>(
    call: &Call<'_, C>,
    request: &VaultRequest<'_>,
    response: Response,
    token: &Token,
) -> Result<Response, Error> {
    if response.status == 200 {
        return Ok(response);
    }
    let mut error = request.refused(&response, Some(token), call.context.now());
    if let Some(other) = token.other.as_deref().filter(|_| error.is(Id::VaultForbidden)) {
        let source = &token.source;
        error.help = format!(
            "{}; it was asked as `{source}`, and `{other}` is here, too: choose by `--identity` (`VAULTLET_IDENTITY`)",
            error.help
        );
    }
    Err(error)
}

/// The audience of the vault's tokens, if an earlier challenge or the vault's cloud defines it.
fn known_audience<C: Context>(call: &Call<'_, C>, vault: &Url) -> Option<Audience> {
    let vaults = call.memory.vaults.borrow();
    vaults.iter().find(|(known, _)| known.has_origin_of(vault)).map_or_else(
        || Some(Audience { resource: Cloud::of_vault(vault)?.resource().into(), tenant: None }),
        |(_, known)| Some(known.clone()),
    )
}

/// Learns the audience of the vault's tokens from a request without a token. Anything but a challenge is
/// final: a firewall responds before the vault does.
fn discover_audience<C: Context>(
    call: &Call<'_, C>,
    request: &VaultRequest<'_>,
) -> Result<Audience, Error> {
    let response = send_with_token(call, request, None)?;
    match response.status {
        401 => {}
        200 => {
            return Err(request
                .unexpected(&response, "the server does not ask for a token, as a vault must"));
        }
        _ => return Err(request.refused(&response, None, call.context.now())),
    }
    let challenge = Challenge::parse(response.headers_named("www-authenticate"));
    let Some(challenge) = challenge else {
        let detail = message::fault(&response, &[]).detail(&response);
        let what = format!("{}: it asks for a token without a challenge{detail}", request.doing());
        return Err(Error::new(Id::ChallengeMalformed, what).with_answer(401, None));
    };
    let audience = challenge.verify(&request.url, own_origin(call, &request.url))?;
    remember(call, &request.url, &audience);
    Ok(audience)
}

/// Whether the vault's challenge may name the vault itself.
fn own_origin<C>(call: &Call<'_, C>, vault: &Url) -> bool {
    call.settings.allow_http_loopback && !vault.secure && vault.is_loopback()
}

/// Caches an audience, which [`Challenge::verify`] has made.
fn remember<C: Context>(call: &Call<'_, C>, vault: &Url, audience: &Audience) {
    let mut vaults = call.memory.vaults.borrow_mut();
    vaults.retain(|(known, _)| !known.has_origin_of(vault));
    if vaults.len() >= REMEMBERED {
        vaults.remove(0);
    }
    vaults.push((vault.clone(), audience.clone()));
}

fn token<C: Context>(
    call: &Call<'_, C>,
    audience: &Audience,
    claims: Option<String>,
    identity: Option<UserAssigned>,
) -> Result<Rc<Token>, Error> {
    let request =
        TokenRequest::parse(&audience.resource, audience.tenant.clone(), claims, identity)?;
    tokens::token(call, &request)
}

/// Sends a request with this token, or none, and retries transient failures.
fn send_with_token<C: Context>(
    call: &Call<'_, C>,
    request: &VaultRequest<'_>,
    token: Option<&Rc<Token>>,
) -> Result<Response, Error> {
    retry::send(call, &limits::VAULT, &|| {
        let mut headers: Vec<(&'static str, SecretString)> = Vec::with_capacity(2);
        headers.push(("accept", "application/json".into()));
        if let Some(token) = token {
            headers.push(("authorization", ["Bearer ", token.secret.reveal()].concat().into()));
        }
        Request {
            method: Method::Get,
            url: request.url.clone(),
            headers,
            body: None,
            connect_timeout: limits::VAULT_CONNECT,
            first_byte_timeout: limits::VAULT_FIRST_BYTE,
            total_timeout: limits::CALL_MAX,
            max_body: match request.kind.is_page() {
                true => limits::PAGE_BODY,
                false => limits::VAULT_BODY,
            },
        }
    })
    .map_err(|stopped| request.unanswered(stopped))
}
