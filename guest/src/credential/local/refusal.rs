//! What it means when a local identity endpoint gives no token.

use alloc::{format, string::String};

use super::{Endpoint, identity::Chosen};
use crate::{
    call::Call,
    context::{Context, Response, SendError},
    credential::Denial,
    error::{Error, Id},
    message::{self, Fault},
    retry::{self, Stopped},
    secret::SecretString,
};

/// There was no answer.
pub(in crate::credential) fn unanswered(
    doing: &str,
    endpoint: &Endpoint,
    stopped: Stopped,
) -> Error {
    match stopped {
        Stopped::TimeUp => Error::new(Id::Timeout, format!("{doing}: the time has run out")),
        Stopped::Patience { status, after } => throttled(doing, status, Some(after)),
        Stopped::Send(error) => {
            let id = match error {
                SendError::Denied => Id::EgressDenied,
                SendError::TlsUntrusted => Id::CertificateUntrusted,
                SendError::BodyTooLarge => Id::IdentityUnexpected,
                _ => Id::IdentityUnreachable,
            };
            let message = format!("{doing}: {}", error.describe(&endpoint.url.authority()));
            let error = Error::new(id, message);
            match id {
                Id::IdentityUnreachable | Id::IdentityUnexpected => named(error, endpoint),
                Id::CertificateUntrusted if endpoint.pin.is_some() => error.with_help(
                    "check `IDENTITY_SERVER_THUMBPRINT`, which must be the certificate's, and that \
                     the runtime is vaultlet's own host, which checks it",
                ),
                _ => error,
            }
        }
    }
}

fn throttled(doing: &str, status: u16, after: Option<core::time::Duration>) -> Error {
    let mut error = Error::new(Id::IdentityThrottled, format!("{doing}: it asks for patience"))
        .with_answer(status, None);
    error.retry_after_ms = after.map(|after| u64::try_from(after.as_millis()).unwrap_or(u64::MAX));
    error
}

/// What an answer that is not a success means. Its status decides; its body only explains.
pub(in crate::credential) fn refusal<C: Context>(
    call: &Call<'_, C>,
    doing: &str,
    endpoint: &Endpoint,
    identity: Option<&Chosen>,
    response: &Response,
    hidden: &[&SecretString],
) -> Denial {
    if endpoint.guessed && is_unreachable(response) {
        return Denial::Absent("the network says that it is unreachable".into());
    }
    let Fault { code, message, .. } = message::fault(response, hidden);
    let said = message.map(|message| format!(": {message}")).unwrap_or_default();
    let status = response.status;
    let id = match status {
        300..=399 => Id::IdentityRedirect,
        429 => {
            return Denial::Failed(throttled(
                doing,
                status,
                retry::retry_after(response, call.context.now()),
            ));
        }
        408 | 410 | 500.. => Id::IdentityFailed,
        400..=499 => Id::IdentityRefused,
        _ => Id::IdentityUnexpected,
    };
    let mut error =
        Error::new(id, format!("{doing}: it answered {status}{said}")).with_answer(status, code);
    error.request_id = message::request_id(response);
    match id {
        Id::IdentityRefused => error.help = advice(endpoint, identity, status),
        Id::IdentityRedirect | Id::IdentityUnexpected => error = named(error, endpoint),
        _ => {}
    }
    Denial::Failed(error)
}

/// With the variable to look at.
pub(in crate::credential) fn named(error: Error, endpoint: &Endpoint) -> Error {
    error.with_help(format!("check that it runs, and `{}`, which names it", endpoint.url_from))
}

/// A proxy's way of saying that there is no metadata service (Docker Desktop does).
pub(super) fn is_unreachable(response: &Response) -> bool {
    response.status == 403
        && core::str::from_utf8(&response.body).is_ok_and(|body| body.contains("unreachable"))
}

fn advice(endpoint: &Endpoint, identity: Option<&Chosen>, status: u16) -> String {
    if matches!(status, 401 | 403) && !endpoint.header_from.is_empty() {
        return format!("check `{}`, which it did not accept", endpoint.header_from);
    }
    match identity {
        Some(chosen) => format!(
            "check that the identity with the {} {} (from {}) is assigned here",
            chosen.words(),
            chosen.id.id(),
            chosen.from
        ),
        None if endpoint.of_user => {
            "check that this step of the job has `identity: type: user_identity`".into()
        }
        None if endpoint.form == "azure-ml" => {
            "assign a managed identity to the compute, or name one by `VAULTLET_CLIENT_ID`".into()
        }
        None => {
            "assign a managed identity to this machine, or name one by `VAULTLET_CLIENT_ID`".into()
        }
    }
}
