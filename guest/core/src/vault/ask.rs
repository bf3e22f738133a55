//! Asking a vault: which token, and what to do with a 401.

use alloc::{format, rc::Rc, string::String, vec::Vec};

use super::{challenge::Challenge, failure};
use crate::{
    call::Call,
    context::{Context, Method, Request, Response},
    error::{Error, Id},
    limits::{self, REMEMBERED},
    retry,
    settings::Cloud,
    token::{Audience, Token, TokenRequest, UserAssigned},
    tokens,
    words::{secret::SecretString, url::Url},
};

/// The version of the protocol.
pub(super) const API_VERSION: &str = "2025-07-01";

/// What a vault is asked.
pub(super) struct Question {
    /// All of its address.
    pub(super) url: Url,
    /// As errors begin: `reading secret `x` of <vault>`.
    pub(super) doing: String,
    /// What kind of question it is; a refusal means another thing to each.
    pub(super) about: About,
}

/// Kinds of questions.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum About {
    /// A secret's value.
    Secret,
    /// That of one version.
    Version,
    /// A page of what there is.
    Page,
}

/// Asks, and gives the answer if it is a success.
///
/// A vault of a known cloud gets a token with the first request. Any other is asked without one
/// first, to be told what for, and is believed only if that is itself. After a 401 there is a second
/// token only if the vault has said what is different about it, and never a third.
pub(super) fn ask<C: Context>(
    call: &Call<'_, C>,
    question: &Question,
    identity: Option<UserAssigned>,
) -> Result<Response, Error> {
    let (audience, discovered) = match known(call, &question.url) {
        Some(audience) => (audience, false),
        None => (discover(call, question)?, true),
    };
    let first = token(call, &audience, None, identity.clone())?;
    let response = send(call, question, Some(&first))?;
    if response.status != 401 {
        return success(call, question, response, &first);
    }
    let refused = |response: &Response| failure::refusal(question, response, call.context.now());
    let challenge = Challenge::parse(response.headers_named("www-authenticate"));
    let Some(challenge) = challenge else { return Err(refused(&response)) };
    let second = if challenge.claims.is_some() {
        token(call, &audience, challenge.claims, identity)?
    } else if discovered {
        // It has just said what it takes.
        return Err(refused(&response));
    } else {
        let told = challenge.verify(&question.url, own_origin(call, &question.url))?;
        if told == audience || (told.resource == audience.resource && !first.has_tenants()) {
            return Err(refused(&response));
        }
        remember(call, &question.url, &told);
        token(call, &told, None, identity)?
    };
    let response = send(call, question, Some(&second))?;
    success(call, question, response, &second)
}

/// Says whose token was denied where another identity may have been meant.
fn success<C: Context>(
    call: &Call<'_, C>,
    question: &Question,
    response: Response,
    token: &Token,
) -> Result<Response, Error> {
    if response.status == 200 {
        return Ok(response);
    }
    let mut error = failure::refusal(question, &response, call.context.now());
    if let Some(other) = token.other.as_deref().filter(|_| error.is(Id::VaultForbidden)) {
        let source = &token.source;
        error.help = format!(
            "{}; it was asked as `{source}`, and `{other}` is here, too: choose by `--identity` (`VAULTLET_IDENTITY`)",
            error.help
        );
    }
    Err(error)
}

/// What the vault takes tokens for, if that is known without asking.
fn known<C: Context>(call: &Call<'_, C>, vault: &Url) -> Option<Audience> {
    let vaults = call.memory.vaults.borrow();
    let origin = vault.origin();
    vaults
        .iter()
        .find(|(vault, _)| *vault == origin)
        .map(|(_, known)| known.clone())
        .or_else(|| Some(Audience { resource: Cloud::of_vault(vault)?.resource(), tenant: None }))
}

/// Asks without a token. Anything but a challenge is final: a firewall answers before a vault does.
fn discover<C: Context>(call: &Call<'_, C>, question: &Question) -> Result<Audience, Error> {
    let response = send(call, question, None)?;
    match response.status {
        401 => {}
        200 => {
            return Err(failure::unexpected(
                question,
                &response,
                "what answered does not ask for a token",
            ));
        }
        _ => return Err(failure::refusal(question, &response, call.context.now())),
    }
    let challenge = Challenge::parse(response.headers_named("www-authenticate"));
    let Some(challenge) = challenge else {
        let what = format!("{}: it asks for a token without a challenge", question.doing);
        return Err(Error::new(Id::ChallengeMalformed, what).with_answer(401, None));
    };
    let audience = challenge.verify(&question.url, own_origin(call, &question.url))?;
    remember(call, &question.url, &audience);
    Ok(audience)
}

fn own_origin<C>(call: &Call<'_, C>, vault: &Url) -> bool {
    call.settings.allow_http_loopback && !vault.secure && vault.is_loopback()
}

/// Only what [`Challenge::verify`] has made comes here.
fn remember<C: Context>(call: &Call<'_, C>, vault: &Url, audience: &Audience) {
    let mut vaults = call.memory.vaults.borrow_mut();
    let origin = vault.origin();
    vaults.retain(|(vault, _)| *vault != origin);
    if vaults.len() >= REMEMBERED {
        vaults.remove(0);
    }
    vaults.push((origin, audience.clone()));
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

fn send<C: Context>(
    call: &Call<'_, C>,
    question: &Question,
    token: Option<&Rc<Token>>,
) -> Result<Response, Error> {
    retry::send(call, &limits::VAULT, &|| {
        let mut headers: Vec<(&'static str, SecretString)> = Vec::new();
        headers.push(("accept", "application/json".into()));
        if let Some(token) = token {
            headers.push(("authorization", format!("Bearer {}", token.secret.reveal()).into()));
        }
        Request {
            method: Method::Get,
            url: question.url.clone(),
            headers,
            body: None,
            connect_timeout: limits::VAULT_CONNECT,
            first_byte_timeout: limits::VAULT_FIRST_BYTE,
            total_timeout: limits::CALL_MAX,
            max_body: match question.about {
                About::Page => limits::PAGE_BODY,
                _ => limits::VAULT_BODY,
            },
        }
    })
    .map_err(|stopped| failure::unanswered(question, stopped))
}
