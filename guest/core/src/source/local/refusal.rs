//! Errors of local identity endpoints.

use alloc::{format, string::String};

use super::{endpoint::Endpoint, identity::ChosenIdentity};
use crate::{
    call::Call,
    context::{Context, Response},
    error::{Error, Id},
    message::{self, Fault},
    retry::{self, ErrorIds, Stopped},
    source::denial::Denial,
    words::secret::SecretString,
};

const IDS: ErrorIds = ErrorIds {
    throttled: Id::IdentityThrottled,
    unexpected: Id::IdentityUnexpected,
    unreachable: Id::IdentityUnreachable,
};

/// The error of a request without a response.
pub(super) fn unanswered<C: Context>(
    call: &Call<'_, C>,
    doing: &str,
    endpoint: &Endpoint,
    stopped: Stopped,
) -> Error {
    let error = stopped.into_error(doing, &endpoint.url.host_and_port(), &IDS);
    if error.is(Id::IdentityUnreachable) || error.is(Id::IdentityUnexpected) {
        return with_variable_help(call, error, endpoint);
    }
    if error.is(Id::CertificateUntrusted) && endpoint.pin.is_some() {
        return error.with_help(
            "check `IDENTITY_SERVER_THUMBPRINT`, which must be the certificate's, and that the \
             runtime is vaultlet's own host, which checks it",
        );
    }
    error
}

/// The outcome of a response that is not a success. The status decides; the body only adds the message.
pub(super) fn explain<C: Context>(
    call: &Call<'_, C>,
    doing: &str,
    endpoint: &Endpoint,
    identity: Option<&ChosenIdentity>,
    response: &Response,
    hidden: &[&SecretString],
) -> Denial {
    if endpoint.guessed && is_unreachable(response) {
        return Denial::Absent("the network says that it is unreachable".into());
    }
    let fault = message::fault(response, hidden);
    let detail = fault.detail(response);
    let Fault { code, .. } = fault;
    let status = response.status;
    let id = match status {
        300..=399 => Id::IdentityRedirect,
        429 => {
            let after = retry::retry_after(response, call.context.now());
            return Denial::Failed(retry::throttled_error(doing, status, after, &IDS));
        }
        408 | 410 | 500.. => Id::IdentityFailed,
        400..=499 => Id::IdentityRefused,
        _ => Id::IdentityUnexpected,
    };
    let mut error =
        Error::new(id, format!("{doing}: it answered {status}{detail}")).with_answer(status, code);
    error.request_id = message::request_id(response);
    match id {
        Id::IdentityRefused => error.help = advice(endpoint, identity, status),
        Id::IdentityRedirect | Id::IdentityUnexpected => {
            error = with_variable_help(call, error, endpoint)
        }
        _ if endpoint.guessed => error = error.with_help(GUESSED),
        _ => {}
    }
    Denial::Failed(error)
}

/// The help for an endpoint that nobody named.
const GUESSED: &str = "try again in a few minutes; if this is no machine of Azure, leave the source out by \
    `--exclude managed-identity` (`VAULTLET_EXCLUDE`)";

/// Adds help that names the variable with the endpoint's URL, if that is where it comes from.
pub(super) fn with_variable_help<C: Context>(
    call: &Call<'_, C>,
    error: Error,
    endpoint: &Endpoint,
) -> Error {
    if endpoint.guessed || call.variable(endpoint.url_variable).is_none() {
        return error.with_help(GUESSED);
    }
    error.with_help(format!("check that it runs, and `{}`, which names it", endpoint.url_variable))
}

/// Whether a proxy reports that there is no metadata service, as Docker Desktop does.
pub(super) fn is_unreachable(response: &Response) -> bool {
    response.status == 403
        && core::str::from_utf8(&response.body).is_ok_and(|body| body.contains("unreachable"))
}

/// The help for a refused token request.
fn advice(endpoint: &Endpoint, identity: Option<&ChosenIdentity>, status: u16) -> String {
    if matches!(status, 401 | 403) && !endpoint.header_variable.is_empty() {
        return format!("check `{}`, which it did not accept", endpoint.header_variable);
    }
    match identity {
        Some(chosen) => format!(
            "check that the identity with the {} {} (from {}) is assigned here",
            chosen.kind(),
            chosen.id.id(),
            chosen.from
        ),
        None if endpoint.is_user => {
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
