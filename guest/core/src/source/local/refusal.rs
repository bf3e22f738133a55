//! What it means when a local identity endpoint gives no token.

use alloc::{format, string::String};

use super::{Endpoint, identity::Chosen};
use crate::{
    call::Call,
    context::{Context, Response},
    error::{Error, Id},
    message::{self, Fault},
    retry::{self, Ids, Stopped},
    source::denial::Denial,
    words::secret::SecretString,
};

const IDS: Ids = Ids {
    throttled: Id::IdentityThrottled,
    unexpected: Id::IdentityUnexpected,
    unreachable: Id::IdentityUnreachable,
};

/// There was no answer.
pub(in crate::source) fn unanswered(doing: &str, endpoint: &Endpoint, stopped: Stopped) -> Error {
    let error = stopped.explain(doing, &endpoint.url.authority(), &IDS);
    if error.is(Id::IdentityUnreachable) || error.is(Id::IdentityUnexpected) {
        return named(error, endpoint);
    }
    if error.is(Id::CertificateUntrusted) && endpoint.pin.is_some() {
        return error.with_help(
            "check `IDENTITY_SERVER_THUMBPRINT`, which must be the certificate's, and that the \
             runtime is vaultlet's own host, which checks it",
        );
    }
    error
}

/// What an answer that is not a success means. Its status decides; its body only explains.
pub(in crate::source) fn refusal<C: Context>(
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
            let after = retry::retry_after(response, call.context.now());
            return Denial::Failed(retry::patience(doing, status, after, &IDS));
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
pub(in crate::source) fn named(error: Error, endpoint: &Endpoint) -> Error {
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
