//! Getting a token: from the instance's cache, the host's identity endpoint, or the chain of sources.

use alloc::rc::Rc;

use crate::{
    call::{Call, RememberedToken, TokenKey},
    context::Context,
    endpoint,
    error::Error,
    limits::{MOMENT, REMEMBERED, RENEWAL_GAP},
    settings::TokenOrigin,
    source,
    token::{Token, TokenRequest},
};

/// Gets a token: from the instance's cache, or else from the host's identity endpoint if the
/// settings name one, or else from the chain of sources.
pub fn token<C: Context>(call: &Call<'_, C>, request: &TokenRequest) -> Result<Rc<Token>, Error> {
    let now = call.context.now();
    if let TokenOrigin::Endpoint(url) = &call.settings.token_origin {
        if !request.bypasses()
            && let Some(token) = recent(call, request, now)
        {
            return Ok(token);
        }
        let token = Rc::new(endpoint::request_token(call, url, request)?);
        remember(call, request, Rc::clone(&token));
        return Ok(token);
    }
    let cached = if request.bypasses() { None } else { cached(call, request, now) };
    if let Some((token, true)) = cached {
        return Ok(token);
    }
    match (source::token(call, request), cached) {
        (Ok(token), _) => {
            let token = Rc::new(token);
            remember(call, request, Rc::clone(&token));
            Ok(token)
        }
        // A token that is due for renewal is used until it expires.
        (Err(_), Some((token, _))) if token.expires_on > call.context.now() => Ok(token),
        (Err(error), _) => Err(error),
    }
}

/// A token that the host's endpoint returned within the last [`MOMENT`], so that a burst of calls
/// makes one request. The time is short because only the endpoint knows when a token was replaced.
fn recent<C: Context>(call: &Call<'_, C>, request: &TokenRequest, now: i64) -> Option<Rc<Token>> {
    let tokens = call.memory.tokens.borrow();
    let (_, cached) = tokens.iter().find(|(key, _)| key.matches(request))?;
    let moment = cached.tried..cached.tried.saturating_add(MOMENT);
    (moment.contains(&now) && now < cached.token.refresh_on).then(|| Rc::clone(&cached.token))
}

/// A cached token that has not expired, and whether it may be used without an attempt to renew it.
fn cached<C: Context>(
    call: &Call<'_, C>,
    request: &TokenRequest,
    now: i64,
) -> Option<(Rc<Token>, bool)> {
    let mut tokens = call.memory.tokens.borrow_mut();
    let (_, cached) = tokens.iter_mut().find(|(key, _)| key.matches(request))?;
    if cached.token.expires_on <= now {
        return None;
    }
    let fresh = now < cached.token.refresh_on || now < cached.tried.saturating_add(RENEWAL_GAP);
    if !fresh {
        cached.tried = now;
    }
    Some((Rc::clone(&cached.token), fresh))
}

/// Caches a token; the oldest one makes room.
fn remember<C: Context>(call: &Call<'_, C>, request: &TokenRequest, token: Rc<Token>) {
    let cached = RememberedToken { token, tried: call.context.now() };
    let mut tokens = call.memory.tokens.borrow_mut();
    tokens.retain(|(key, _)| !key.matches(request));
    if tokens.len() >= REMEMBERED {
        tokens.remove(0);
    }
    tokens.push((TokenKey::new(request), cached));
}
