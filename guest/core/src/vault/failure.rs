//! What a vault's refusals mean.
//! <https://learn.microsoft.com/azure/key-vault/general/rest-error-codes>

use alloc::format;

use super::ask::{About, Question};
use crate::{
    context::Response,
    error::{Error, Id},
    message::{self, Fault},
    retry::{self, Ids, Stopped},
};

const IDS: Ids = Ids {
    throttled: Id::VaultThrottled,
    unexpected: Id::VaultUnexpected,
    unreachable: Id::VaultUnreachable,
};

/// There was no answer.
pub(super) fn unanswered(question: &Question, stopped: Stopped) -> Error {
    stopped.explain(&question.doing, &question.url.authority(), &IDS)
}

/// Who may see what there is.
/// <https://learn.microsoft.com/azure/key-vault/general/rbac-guide>
const LISTING: &str = "grant it the role `Key Vault Reader` or `Key Vault Secrets User` on the \
    vault (or the access policy `list`); new grants take some minutes";

/// The answer is neither what was asked for nor a challenge to follow. Its status decides; its body explains,
/// but the caller's ids and address, which a 403 repeats, stay there.
pub(super) fn refusal(question: &Question, response: &Response, now: i64) -> Error {
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
            _ if question.about == About::Page => {
                (Id::VaultForbidden, "the identity may not list them")
            }
            _ => (Id::VaultForbidden, "the identity may not read it"),
        },
        404 if is("SecretNotFound") => match question.about {
            About::Version => (Id::SecretNotFound, "there is no such secret, or no such version"),
            _ => (Id::SecretNotFound, "there is no such secret"),
        },
        409 => (Id::VaultConflict, "the secret's state forbids it now"),
        429 => (Id::VaultThrottled, "the vault is asked too often"),
        408 | 500..=599 => (Id::VaultFailed, "the vault has failed"),
        _ => (Id::VaultUnexpected, "what answered is not a vault that is understood"),
    };
    let mut text = format!("{}: {what}", question.doing);
    if matches!(id, Id::VaultFailed | Id::VaultUnexpected | Id::VaultRedirect) {
        text = format!("{text} (status {})", response.status);
    }
    if let (Id::VaultRejected | Id::VaultConflict, Some(message)) = (id, message) {
        text = format!("{text}: {message}");
    }
    let mut error = Error::new(id, text).with_answer(response.status, code);
    error.request_id = message::request_id(response);
    if id == Id::VaultForbidden && question.about == About::Page {
        error.help = LISTING.into();
    }
    if id == Id::VaultThrottled {
        let after = retry::retry_after(response, now);
        error.retry_after_ms =
            after.map(|after| u64::try_from(after.as_millis()).unwrap_or(u64::MAX));
    }
    error
}

/// The answer is a success and still not what was asked for.
pub(super) fn unexpected(question: &Question, response: &Response, why: &str) -> Error {
    let mut error = Error::new(Id::VaultUnexpected, format!("{}: {why}", question.doing))
        .with_answer(response.status, None);
    error.request_id = message::request_id(response);
    error
}
