//! A request to a vault, and the errors of its response.
//! <https://learn.microsoft.com/azure/key-vault/general/rest-error-codes>

use alloc::{format, string::String, vec::Vec};

use super::{challenge, refusal};
use crate::{
    context::Response,
    error::{Error, Id},
    message,
    retry::{self, ErrorIds, Stopped},
    token::Token,
    words::url::Url,
};

/// The query that names the version of the protocol.
pub(super) const API_VERSION: &str = "api-version=2025-07-01";

const IDS: ErrorIds = ErrorIds {
    throttled: Id::VaultThrottled,
    unexpected: Id::VaultUnexpected,
    unreachable: Id::VaultUnreachable,
};

/// A `GET` request to a vault.
pub(super) struct VaultRequest<'a> {
    /// The whole URL.
    pub(super) url: Url,
    /// What the request is for, which decides what a refusal means.
    pub(super) kind: RequestKind<'a>,
}

/// What a request to a vault is for.
#[derive(Clone, Copy)]
pub(super) enum RequestKind<'a> {
    /// The latest version of the secret with this name.
    Secret(&'a str),
    /// A version of the secret with this name.
    Version(&'a str),
    /// A page of the vault's secrets.
    Secrets,
    /// A page of the versions of the secret with this name.
    Versions(&'a str),
}

impl RequestKind<'_> {
    /// Whether the response is a page of a listing.
    pub(super) fn is_page(self) -> bool {
        matches!(self, Self::Secrets | Self::Versions(_))
    }
}

impl VaultRequest<'_> {
    /// The beginning of error messages: ``reading secret `x` of <vault>``.
    pub(super) fn doing(&self) -> String {
        let vault = self.url.short_host_and_port();
        match self.kind {
            RequestKind::Secret(name) | RequestKind::Version(name) => {
                format!("reading secret `{name}` of {vault}")
            }
            RequestKind::Secrets => format!("listing the secrets of {vault}"),
            RequestKind::Versions(name) => {
                format!("listing the versions of secret `{name}` of {vault}")
            }
        }
    }

    /// The error of a request without a response.
    pub(super) fn unanswered(&self, stopped: Stopped) -> Error {
        stopped.into_error(&self.doing(), &self.url.host_and_port(), &IDS)
    }

    /// The error of a response that is neither a success nor a challenge to follow. The status
    /// decides; the body adds the code, and the vault's own words where the code does not say it all. Those
    /// of a known 403 are left out: they repeat the caller's ids and address.
    /// `token` is the one that the request had, which the vault may repeat.
    pub(super) fn refused(&self, response: &Response, token: Option<&Token>, now: i64) -> Error {
        let hidden: Vec<_> = token.iter().map(|token| &token.secret).collect();
        let mut fault = message::fault(response, &hidden);
        if fault.message.is_none() && response.status == 401 {
            fault.message =
                challenge::description(response).map(|it| message::excerpt(&it, &hidden));
        }
        let is = |name: &str| fault.outer.as_deref().or(fault.code.as_deref()) == Some(name);
        let is_page = message::is_page(response);
        let (id, what, help) = match response.status {
            300..=399 => (Id::VaultRedirect, "the vault redirects to another address", ""),
            400 if is("BadParameter") => {
                (Id::VaultRejected, "the vault rejects the request as malformed", "")
            }
            401 if is_page => (Id::VaultUnauthorized, refusal::PAGE, refusal::IN_BETWEEN),
            403 if is_page => (Id::VaultForbidden, refusal::PAGE, refusal::IN_BETWEEN),
            401 => (Id::VaultUnauthorized, "the vault refuses the token", ""),
            403 => refusal::denied(&fault, self.kind.is_page()),
            404 if is("SecretNotFound") => match self.kind {
                RequestKind::Version(_) => {
                    (Id::SecretNotFound, "there is no such secret, or no such version", "")
                }
                _ => (Id::SecretNotFound, "there is no such secret", ""),
            },
            409 => (Id::VaultConflict, "the secret's state forbids it now", ""),
            429 => (Id::VaultThrottled, "the vault is throttling requests", ""),
            408 | 500..=599 => (Id::VaultFailed, "the vault has failed", ""),
            _ => (Id::VaultUnexpected, "the answer is not one that a Key Vault gives", ""),
        };
        let mut text = format!("{}: {what}", self.doing());
        if matches!(id, Id::VaultFailed | Id::VaultUnexpected | Id::VaultRedirect) {
            text = format!("{text} (status {})", response.status);
        }
        if !refusal::is_said(id, fault.code.as_deref()) {
            text.push_str(&fault.detail(response));
        }
        let help = match id {
            Id::VaultUnauthorized if !is_page => refusal::of_token(&mut fault),
            _ => help,
        };
        let mut error = Error::new(id, text).with_answer(response.status, fault.code);
        error.request_id = message::request_id(response);
        if !help.is_empty() {
            error.help = help.into();
        }
        if id == Id::VaultThrottled {
            let after = retry::retry_after(response, now);
            error.retry_after_ms =
                after.map(|after| u64::try_from(after.as_millis()).unwrap_or(u64::MAX));
        }
        error
    }

    /// The error of a success whose body is not what was requested.
    pub(super) fn unexpected(&self, response: &Response, why: &str) -> Error {
        let kind = message::content_type(response);
        let mut error = Error::new(Id::VaultUnexpected, format!("{}: {why}{kind}", self.doing()))
            .with_answer(response.status, None);
        error.request_id = message::request_id(response);
        error
    }
}
