//! Reading a secret: which token, which request, what to do with a 401.

use alloc::{format, rc::Rc, string::String, vec::Vec};

use super::{
    Reference, Secret,
    challenge::{Audience, Challenge},
    failure, pointer, secret,
};
use crate::{
    call::Call,
    context::{Context, Method, Request, Response},
    error::{Error, Id},
    retry,
    secret::SecretString,
    timeouts::{self, REMEMBERED},
    token::{self, Token, TokenRequest, UserAssigned},
    url::Url,
};

/// The version of the protocol.
const API_VERSION: &str = "2025-07-01";

/// Gets a secret.
///
/// A vault of a known cloud gets a token with the first request. Any other is asked without one
/// first, to be told what for, and is believed only if that is itself. After a 401 there is a second
/// token only if the vault has said what is different about it, and never a third.
pub async fn get<C: Context>(
    call: &Call<'_, C>,
    reference: &str,
    identity: Option<UserAssigned>,
) -> Result<Secret, Error> {
    let reference = Reference::parse(reference, &call.settings)?;
    let mut secret = read(call, &reference, identity).await?;
    if let Some(pointer) = &reference.pointer {
        secret.value = pointer::follow(&secret.value, pointer)?;
    }
    Ok(secret)
}

async fn read<C: Context>(
    call: &Call<'_, C>,
    reference: &Reference,
    identity: Option<UserAssigned>,
) -> Result<Secret, Error> {
    let (audience, discovered) = match known(call, reference) {
        Some(audience) => (audience, false),
        None => (discover(call, reference).await?, true),
    };
    let first = token(call, &audience, None, identity.clone()).await?;
    let response = send(call, reference, Some(&first)).await?;
    if response.status != 401 {
        return parse(call, reference, &response).map_err(|error| whose(error, &first));
    }
    let refused = |response: &Response| failure::refusal(reference, response, call.context.now());
    let challenge = Challenge::parse(response.headers_named("www-authenticate"));
    let Some(challenge) = challenge else { return Err(refused(&response)) };
    let second = if challenge.claims.is_some() {
        token(call, &audience, challenge.claims, identity).await?
    } else if discovered {
        // It has just said what it takes.
        return Err(refused(&response));
    } else {
        let told = challenge.verify(&reference.vault, own_origin(call, reference))?;
        if told == audience || (told.resource == audience.resource && !first.has_tenants()) {
            return Err(refused(&response));
        }
        remember(call, reference, &told);
        token(call, &told, None, identity).await?
    };
    let response = send(call, reference, Some(&second)).await?;
    parse(call, reference, &response).map_err(|error| whose(error, &second))
}

/// Says whose token was denied where another identity may have been meant.
fn whose(mut error: Error, token: &Token) -> Error {
    if let Some(other) = token.other.as_deref().filter(|_| error.is(Id::VaultForbidden)) {
        let source = &token.source;
        error.help = format!(
            "{}; it was asked as `{source}`, and `{other}` is here, too: choose by `VAULTLET_IDENTITY`",
            error.help
        );
    }
    error
}

/// What the vault takes tokens for, if that is known without asking.
fn known<C: Context>(call: &Call<'_, C>, reference: &Reference) -> Option<Audience> {
    let vaults = call.memory.vaults.borrow();
    let authority = key(reference);
    vaults
        .iter()
        .find(|(vault, _)| *vault == authority)
        .map(|(_, known)| known.clone())
        .or_else(|| Some(Audience { resource: reference.cloud()?.resource(), tenant: None }))
}

/// Asks without a token. Anything but a challenge is final: a firewall answers before a vault does.
async fn discover<C: Context>(
    call: &Call<'_, C>,
    reference: &Reference,
) -> Result<Audience, Error> {
    let response = send(call, reference, None).await?;
    match response.status {
        401 => {}
        200 => {
            return Err(failure::unexpected(
                reference,
                &response,
                "what answered does not ask for a token",
            ));
        }
        _ => return Err(failure::refusal(reference, &response, call.context.now())),
    }
    let challenge = Challenge::parse(response.headers_named("www-authenticate"));
    let Some(challenge) = challenge else {
        let what =
            format!("{}: it asks for a token without a challenge", failure::doing(reference));
        return Err(Error::new(Id::ChallengeMalformed, what).with_answer(401, None));
    };
    let audience = challenge.verify(&reference.vault, own_origin(call, reference))?;
    remember(call, reference, &audience);
    Ok(audience)
}

fn own_origin<C>(call: &Call<'_, C>, reference: &Reference) -> bool {
    call.settings.allow_http_loopback && !reference.vault.secure && reference.vault.is_loopback()
}

/// Only what [`Challenge::verify`] has made comes here.
fn remember<C: Context>(call: &Call<'_, C>, reference: &Reference, audience: &Audience) {
    let mut vaults = call.memory.vaults.borrow_mut();
    let authority = key(reference);
    vaults.retain(|(vault, _)| *vault != authority);
    if vaults.len() >= REMEMBERED {
        vaults.remove(0);
    }
    vaults.push((authority, audience.clone()));
}

/// Scheme, host and port of the vault.
fn key(reference: &Reference) -> String {
    format!("{}", reference.vault)
}

async fn token<C: Context>(
    call: &Call<'_, C>,
    audience: &Audience,
    claims: Option<String>,
    identity: Option<UserAssigned>,
) -> Result<Rc<Token>, Error> {
    let request =
        TokenRequest::parse(&audience.resource, audience.tenant.clone(), claims, identity)?;
    token::token(call, &request).await
}

async fn send<C: Context>(
    call: &Call<'_, C>,
    reference: &Reference,
    token: Option<&Rc<Token>>,
) -> Result<Response, Error> {
    let mut target = format!("/secrets/{}", reference.name);
    if let Some(version) = &reference.version {
        target.push('/');
        target.push_str(version);
    }
    let mut url = Url { target, ..reference.vault.clone() };
    url.push("api-version", API_VERSION);
    retry::send(call, &timeouts::VAULT, &|| {
        let mut headers: Vec<(&'static str, SecretString)> = Vec::new();
        headers.push(("accept", "application/json".into()));
        if let Some(token) = token {
            headers.push(("authorization", format!("Bearer {}", token.secret.reveal()).into()));
        }
        Request {
            method: Method::Get,
            url: url.clone(),
            headers,
            body: None,
            connect_timeout: timeouts::VAULT_CONNECT,
            first_byte_timeout: timeouts::VAULT_FIRST_BYTE,
            total_timeout: timeouts::CALL_MAX,
            max_body: timeouts::VAULT_BODY,
        }
    })
    .await
    .map_err(|stopped| failure::unanswered(reference, stopped))
}

fn parse<C: Context>(
    call: &Call<'_, C>,
    reference: &Reference,
    response: &Response,
) -> Result<Secret, Error> {
    if response.status != 200 {
        return Err(failure::refusal(reference, response, call.context.now()));
    }
    secret::parse(&response.body, reference)
        .map_err(|why| failure::unexpected(reference, response, why))
}
