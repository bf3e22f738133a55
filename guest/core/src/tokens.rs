//! Where tokens come from: this instance's memory, the host's identity endpoint, or the chain of
//! sources.

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

/// A token: from the host's endpoint if there is one, else by the chain, with what this instance
/// remembers before it.
pub fn token<C: Context>(call: &Call<'_, C>, request: &TokenRequest) -> Result<Rc<Token>, Error> {
    let key = TokenKey {
        resource: request.resource.clone(),
        tenant: request.tenant.clone(),
        identity: request.identity.clone(),
    };
    let now = call.context.now();
    if let TokenOrigin::Endpoint(url) = &call.settings.token_origin {
        if !request.bypasses()
            && let Some(token) = just_had(call, &key, now)
        {
            return Ok(token);
        }
        let token = Rc::new(endpoint::request_token(call, url, request)?);
        remember(call, key, Rc::clone(&token));
        return Ok(token);
    }
    let held = if request.bypasses() { None } else { remembered(call, &key, now) };
    if let Some((token, true)) = held {
        return Ok(token);
    }
    match (source::token(call, request), held) {
        (Ok(token), _) => {
            let token = Rc::new(token);
            remember(call, key, Rc::clone(&token));
            Ok(token)
        }
        // One that is due for renewal still serves until it expires.
        (Err(_), Some((token, _))) if token.expires_on > call.context.now() => Ok(token),
        (Err(error), _) => Err(error),
    }
}

/// What the host's endpoint answered a moment ago: a burst of calls need not ask it each time. It is
/// the endpoint that knows when a token was replaced, so the moment is short.
fn just_had<C: Context>(call: &Call<'_, C>, key: &TokenKey, now: i64) -> Option<Rc<Token>> {
    let tokens = call.memory.tokens.borrow();
    let (_, held) = tokens.iter().find(|(held, _)| held == key)?;
    let moment = held.tried..held.tried.saturating_add(MOMENT);
    (moment.contains(&now) && now < held.token.refresh_on).then(|| Rc::clone(&held.token))
}

/// A held token that has not expired, and whether it may be used without asking.
fn remembered<C: Context>(
    call: &Call<'_, C>,
    key: &TokenKey,
    now: i64,
) -> Option<(Rc<Token>, bool)> {
    let mut tokens = call.memory.tokens.borrow_mut();
    let (_, held) = tokens.iter_mut().find(|(held, _)| held == key)?;
    if held.token.expires_on <= now {
        return None;
    }
    let fresh = now < held.token.refresh_on || now < held.tried.saturating_add(RENEWAL_GAP);
    if !fresh {
        held.tried = now;
    }
    Some((Rc::clone(&held.token), fresh))
}

fn remember<C: Context>(call: &Call<'_, C>, key: TokenKey, token: Rc<Token>) {
    let held = RememberedToken { token, tried: call.context.now() };
    let mut tokens = call.memory.tokens.borrow_mut();
    tokens.retain(|(other, _)| *other != key);
    if tokens.len() >= REMEMBERED {
        tokens.remove(0);
    }
    tokens.push((key, held));
}
