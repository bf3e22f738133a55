//! What a vault's refusals mean.
//! <https://learn.microsoft.com/azure/key-vault/general/rest-error-codes>

use alloc::{format, string::String};

use super::Reference;
use crate::{
    context::Response,
    error::{Error, Id},
    message::{self, Fault},
    retry::{self, Ids, Stopped},
};

/// `reading <secret> of <vault>`.
pub(super) fn doing(reference: &Reference) -> String {
    format!("reading secret `{}` of {}", reference.name, reference.vault.short_authority())
}

const IDS: Ids = Ids {
    throttled: Id::VaultThrottled,
    unexpected: Id::VaultUnexpected,
    unreachable: Id::VaultUnreachable,
};

/// There was no answer.
pub(super) fn unanswered(reference: &Reference, stopped: Stopped) -> Error {
    stopped.explain(&doing(reference), &reference.vault.authority(), &IDS)
}

/// The answer is neither a secret nor a challenge to follow. Its status decides; its body explains,
/// but the caller's ids and address, which a 403 repeats, stay there.
pub(super) fn refusal(reference: &Reference, response: &Response, now: i64) -> Error {
    let Fault { code, outer, message } = message::fault(response, &[]);
    let is = |name: &str| outer.as_deref().or(code.as_deref()) == Some(name);
    let known = code.as_deref().unwrap_or_default();
    let (id, what) = match response.status {
        300..=399 => (Id::VaultRedirect, "it was sent to another address"),
        400 if is("BadParameter") => (Id::VaultRejected, "the vault calls the request malformed"),
        401 => (Id::VaultUnauthorized, "the vault refuses the token"),
        403 => match known {
            "SecretDisabled" => (Id::SecretDisabled, "the secret is disabled"),
            "ForbiddenByFirewall" => {
                (Id::VaultFirewall, "the vault's firewall does not admit this address")
            }
            "ForbiddenByConnection" => {
                (Id::VaultFirewall, "the vault is closed to the public network")
            }
            _ => (Id::VaultForbidden, "the identity may not read it"),
        },
        404 if is("SecretNotFound") => match reference.version {
            None => (Id::SecretNotFound, "there is no such secret"),
            Some(_) => (Id::SecretNotFound, "there is no such secret, or no such version"),
        },
        409 => (Id::VaultConflict, "the secret's state forbids it now"),
        429 => (Id::VaultThrottled, "the vault is asked too often"),
        408 | 500..=599 => (Id::VaultFailed, "the vault has failed"),
        _ => (Id::VaultUnexpected, "what answered is not a vault that is understood"),
    };
    let mut text = format!("{}: {what}", doing(reference));
    if matches!(id, Id::VaultFailed | Id::VaultUnexpected | Id::VaultRedirect) {
        text = format!("{text} (status {})", response.status);
    }
    if let (Id::VaultRejected | Id::VaultConflict, Some(message)) = (id, message) {
        text = format!("{text}: {message}");
    }
    let mut error = Error::new(id, text).with_answer(response.status, code);
    error.request_id = message::request_id(response);
    if id == Id::VaultThrottled {
        let after = retry::retry_after(response, now);
        error.retry_after_ms =
            after.map(|after| u64::try_from(after.as_millis()).unwrap_or(u64::MAX));
    }
    error
}

/// The answer is a success and still not what was asked for.
pub(super) fn unexpected(reference: &Reference, response: &Response, why: &str) -> Error {
    let mut error = Error::new(Id::VaultUnexpected, format!("{}: {why}", doing(reference)))
        .with_answer(response.status, None);
    error.request_id = message::request_id(response);
    error
}
