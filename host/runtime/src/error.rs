//! Why a call failed: the record of the WIT (`wit/types.wit`), as a Rust error.

use std::fmt;
use std::time::Duration;

use vaultlet_core::error::{ErrorKind, Record};

use crate::bindings::exports::vaultlet::keyvault::types as wit;

use crate::visible::{is_visible, on_one_line};

pub use wit::{Attempt, ErrorKind as Kind, Outcome};

impl Kind {
    /// The kind's stable name, as in the error's JSON form: `not-found`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Usage => "usage",
            Self::InvalidArgument => "invalid-argument",
            Self::NotFound => "not-found",
            Self::Disabled => "disabled",
            Self::Unavailable => "unavailable",
            Self::Timeout => "timeout",
            Self::Internal => "internal",
            Self::Conflict => "conflict",
            Self::Throttled => "throttled",
            Self::Denied => "denied",
            Self::Configuration => "configuration",
            Self::NotConfigured => "not-configured",
            Self::Unauthenticated => "unauthenticated",
        }
    }
}

impl Outcome {
    /// The outcome's stable name, as in the error's JSON form: `not-configured`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotConfigured => "not-configured",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
        }
    }
}

/// Why a call failed. No field ever holds a token, a secret or a secret's value.
///
/// `Display` writes the line that people read:
/// `<doing what>: <what happened> [<code>]; <what to do> (<id>)`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Error {
    /// What a program should do next.
    pub kind: Kind,
    /// The failure's stable name, an anchor in the table of errors: `vault-forbidden`.
    pub id: String,
    /// What was being done and what happened, in one line of lower case.
    pub message: String,
    /// What to do about the failure, in one line; may be empty.
    pub help: String,
    /// The HTTP status, when a server responded.
    pub status: Option<u16>,
    /// The service's own error code: `ForbiddenByRbac`.
    pub code: Option<String>,
    /// The service's id of the request, for its support: `x-ms-request-id`.
    pub request_id: Option<String>,
    /// How long the service asked callers to wait before they try again.
    pub retry_after: Option<Duration>,
    /// One entry for each source of credentials that was asked, when no token could be obtained.
    pub attempts: Vec<Attempt>,
    /// One entry for each variable that failed, in the order of their names, when the references in the
    /// environment were resolved. The rest of the error is about the first of them.
    pub variables: Vec<FailedVariable>,
}

/// Why the reference of a variable could not be resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FailedVariable {
    /// The variable's name.
    pub name: String,
    /// The failure's stable name: `secret-not-found`.
    pub id: String,
    /// What a program should do next.
    pub kind: Kind,
    /// What was being done and what happened, in one line.
    pub message: String,
}

impl Error {
    /// An error of the caller's own, for bindings to other languages. No service is involved in it.
    pub fn new(kind: Kind, id: &str, message: impl Into<String>, help: &str) -> Self {
        Self {
            kind,
            id: id.to_owned(),
            message: shown(message.into()),
            help: help.to_owned(),
            status: None,
            code: None,
            request_id: None,
            retry_after: None,
            attempts: Vec::new(),
            variables: Vec::new(),
        }
    }

    /// The error because of these variables, with their names; of the first, if there are several.
    pub(crate) fn of(doing: &str, variables: Vec<(String, Self)>) -> Self {
        let mut failed: Vec<FailedVariable> = Vec::with_capacity(variables.len());
        let mut first = None;
        for (name, error) in variables {
            let (id, kind, message) = (error.id.clone(), error.kind, error.message.clone());
            failed.push(FailedVariable { name: shown(name), id, kind, message });
            first.get_or_insert(error);
        }
        let Some(mut error) = first else {
            return Self::internal(format!("{doing}: no variable failed"));
        };
        // Several variables fail for one reason where there is no identity, for example.
        let mut message = String::new();
        let mut rest = failed.iter().collect::<Vec<_>>();
        while let Some(one) = rest.first().copied() {
            let (same, others): (Vec<&FailedVariable>, Vec<&FailedVariable>) =
                rest.into_iter().partition(|it| it.message == one.message);
            let names = same.iter().map(|it| format!("`{}`", it.name)).collect::<Vec<_>>();
            let is_first = message.is_empty();
            message.push_str(if is_first { ": " } else { ", and " });
            message.push_str(&format!("{}: {}", names.join(", "), one.message));
            if !is_first {
                message.push_str(&format!(" ({})", one.id));
            }
            rest = others;
        }
        error.message = format!("{doing}{message}");
        Self { variables: failed, ..error }
    }

    pub(crate) fn configuration(id: &str, message: impl Into<String>, help: &str) -> Self {
        Self::new(Kind::Configuration, id, message, help)
    }

    pub(crate) fn internal(message: impl Into<String>) -> Self {
        Self::new(Kind::Internal, "internal", message, "report this with the message")
    }

    /// Adds what the transport knows to the message, as WASI's error codes have no room for it.
    pub(crate) fn with_cause(mut self, cause: Option<Cause>) -> Self {
        let is_news = |cause: &Cause| {
            // The broker may have asked several servers; the cause must be about the one in the
            // message.
            let is_meant = !cause.relayed || self.message.contains(&cause.host);
            is_meant && self.status.is_none() && !self.message.contains(&cause.text)
        };
        if let Some(cause) = cause.filter(is_news) {
            let text = shown(cause.text);
            // Of several sources that were asked, the cause belongs to the one that asked this server.
            let asked = self.attempts.iter_mut().find(|it| it.message.contains(&cause.host));
            match asked.filter(|attempt| self.message.contains(&attempt.message)) {
                Some(attempt) => {
                    let told = format!("{}: {text}", attempt.message);
                    self.message = self.message.replacen(&attempt.message, &told, 1);
                    attempt.message = told;
                }
                None => self.message = format!("{}: {text}", self.message),
            }
            if let Some(help) = cause.help {
                help.clone_into(&mut self.help);
            }
        }
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        if let Some(code) = &self.code {
            write!(f, " [{code}]")?;
        }
        if !self.help.is_empty() {
            write!(f, "; {}", self.help)?;
        }
        write!(f, " ({})", self.id)
    }
}

impl std::error::Error for Error {}

impl From<wit::Error> for Error {
    fn from(error: wit::Error) -> Self {
        let wit::Error {
            kind,
            id,
            message,
            help,
            status,
            code,
            request_id,
            retry_after_ms,
            attempts,
        } = error;
        let retry_after = retry_after_ms.map(Duration::from_millis);
        let (message, help, code) = (shown(message), shown(help), code.map(shown));
        let request_id = request_id.map(shown);
        let clean = |it: Attempt| Attempt {
            source: shown(it.source),
            endpoint: it.endpoint.map(shown),
            message: shown(it.message),
            ..it
        };
        let attempts = attempts.into_iter().map(clean).collect();
        let variables = Vec::new();
        Self { kind, id, message, help, status, code, request_id, retry_after, attempts, variables }
    }
}

/// For what the core finds wrong outside of the component, and for what another program of ours reports.
impl From<vaultlet_core::error::Error> for Error {
    fn from(error: vaultlet_core::error::Error) -> Self {
        let record: Record = error.into();
        wit::Error {
            kind: match record.kind {
                ErrorKind::Usage => Kind::Usage,
                ErrorKind::InvalidArgument => Kind::InvalidArgument,
                ErrorKind::NotFound => Kind::NotFound,
                ErrorKind::Disabled => Kind::Disabled,
                ErrorKind::Unavailable => Kind::Unavailable,
                ErrorKind::Timeout => Kind::Timeout,
                ErrorKind::Internal => Kind::Internal,
                ErrorKind::Conflict => Kind::Conflict,
                ErrorKind::Throttled => Kind::Throttled,
                ErrorKind::Denied => Kind::Denied,
                ErrorKind::Configuration => Kind::Configuration,
                ErrorKind::NotConfigured => Kind::NotConfigured,
                ErrorKind::Unauthenticated => Kind::Unauthenticated,
            },
            id: record.id,
            message: record.message,
            help: record.help,
            status: record.status,
            code: record.code,
            request_id: record.request_id,
            retry_after_ms: record.retry_after_ms,
            attempts: record.attempts.into_iter().map(attempt).collect(),
        }
        .into()
    }
}

fn attempt(attempt: vaultlet_core::error::Attempt) -> Attempt {
    let vaultlet_core::error::Attempt { source, endpoint, outcome, message } = attempt;
    let outcome = match outcome {
        vaultlet_core::error::Outcome::NotConfigured => Outcome::NotConfigured,
        vaultlet_core::error::Outcome::Failed => Outcome::Failed,
        vaultlet_core::error::Outcome::Skipped => Outcome::Skipped,
    };
    Attempt { source, endpoint, outcome, message }
}

/// For plugins, which get errors in the form of the WIT.
#[cfg(feature = "plugins")]
impl From<Error> for wit::Error {
    fn from(error: Error) -> Self {
        let Error {
            kind, id, message, help, status, code, request_id, retry_after, attempts, ..
        } = error;
        let retry_after_ms =
            retry_after.map(|wait| wait.as_millis().try_into().unwrap_or(u64::MAX));
        Self { kind, id, message, help, status, code, request_id, retry_after_ms, attempts }
    }
}

/// A text as a person may see it: servers, files and plugins have a part in it.
fn shown(text: String) -> String {
    if text.chars().all(is_visible) { text } else { on_one_line(&text).collect() }
}

/// The cause of a transport failure.
#[derive(Clone, Debug)]
pub(crate) struct Cause {
    /// The server's host name.
    pub(crate) host: String,
    /// What happened, for people.
    pub(crate) text: String,
    /// What to do, where the transport knows better than the component.
    pub(crate) help: Option<&'static str>,
    /// Whether the broker met the failure, on behalf of this call.
    pub(crate) relayed: bool,
}
