//! Why a call failed.

use std::fmt;
use std::time::Duration;

use crate::bindings::exports::vaultlet::keyvault::types as wit;

/// What a caller should do next. The kinds are those of the WIT, which documents each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// Arguments contradict each other: correct the program.
    Usage,
    /// Malformed reference, name or pointer: correct the reference.
    InvalidArgument,
    /// No such secret or version.
    NotFound,
    /// The secret is disabled.
    Disabled,
    /// A server cannot be reached or answers nonsense: try again in minutes.
    Unavailable,
    /// The caller's time ran out.
    Timeout,
    /// A defect of ours.
    Internal,
    /// The secret's state forbids it now.
    Conflict,
    /// The service asked for more patience than the caller has.
    Throttled,
    /// The identity may not do this, or a policy of ours forbids it.
    Denied,
    /// Settings contradict each other, or a security check refused.
    Configuration,
    /// No source of credentials is configured.
    NotConfigured,
    /// An identity was found and refused.
    Unauthenticated,
}

impl Kind {
    /// The stable name: `not-found`.
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

/// What became of one source of credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// Nothing in the environment asks for it.
    NotConfigured,
    /// It was configured and gave no token.
    Failed,
    /// It was left out.
    Skipped,
}

impl Outcome {
    /// The stable name: `not-configured`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotConfigured => "not-configured",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
        }
    }
}

/// One source of credentials that was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// Its label: `managed-identity`.
    pub source: String,
    /// Which form of it: `azure-ml`.
    pub endpoint: Option<String>,
    /// What became of it.
    pub outcome: Outcome,
    /// Why, in one line.
    pub message: String,
}

/// What lies behind a failure of transport.
#[derive(Clone, Debug)]
pub(crate) struct Cause {
    /// The server.
    pub(crate) host: String,
    /// What happened, for people.
    pub(crate) text: String,
    /// Whether it happened to the broker, on behalf of this call.
    pub(crate) relayed: bool,
}

/// A failed call. No field ever holds a token, a secret or a secret's value.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Error {
    /// What to do next, for programs.
    pub kind: Kind,
    /// A stable name of this failure, an anchor in README's table of errors.
    pub id: String,
    /// What was being done and what happened, one line.
    pub message: String,
    /// What to do about it, one line; may be empty.
    pub help: String,
    /// The HTTP status, when a server answered.
    pub status: Option<u16>,
    /// The service's own code: `ForbiddenByRbac`.
    pub code: Option<String>,
    /// The service's id of the request.
    pub request_id: Option<String>,
    /// How long the service asked to be left alone.
    pub retry_after: Option<Duration>,
    /// One entry for each source that was asked, whenever no token was had.
    pub attempts: Vec<Attempt>,
}

impl Error {
    /// A failure that is not the service's, for bindings that have ones of their own.
    pub fn new(kind: Kind, id: &str, message: impl Into<String>, help: &str) -> Self {
        Self {
            kind,
            id: id.to_owned(),
            message: message.into(),
            help: help.to_owned(),
            status: None,
            code: None,
            request_id: None,
            retry_after: None,
            attempts: Vec::new(),
        }
    }

    pub(crate) fn configuration(id: &str, message: impl Into<String>, help: &str) -> Self {
        Self::new(Kind::Configuration, id, message, help)
    }

    pub(crate) fn internal(message: impl Into<String>) -> Self {
        Self::new(Kind::Internal, "internal", message, "report this with the message")
    }

    /// Completes the message with what the transport knows, which WASI has no room for.
    pub(crate) fn with_cause(mut self, cause: Option<Cause>) -> Self {
        let is_news = |cause: &Cause| {
            // The broker may have asked several servers: of which one does the error speak?
            let meant = !cause.relayed || self.message.contains(&cause.host);
            meant && self.status.is_none() && !self.message.contains(&cause.text)
        };
        if let Some(cause) = cause.filter(is_news) {
            self.message = format!("{}: {}", self.message, cause.text);
        }
        self
    }
}

/// The line that people read: `<doing what>: <what happened> [<code>]; <what to do> (<id>)`.
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
        Self {
            kind: error.kind.into(),
            id: error.id,
            message: error.message,
            help: error.help,
            status: error.status,
            code: error.code,
            request_id: error.request_id,
            retry_after: error.retry_after_ms.map(Duration::from_millis),
            attempts: error.attempts.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<wit::Attempt> for Attempt {
    fn from(attempt: wit::Attempt) -> Self {
        Self {
            source: attempt.source,
            endpoint: attempt.endpoint,
            outcome: match attempt.outcome {
                wit::Outcome::NotConfigured => Outcome::NotConfigured,
                wit::Outcome::Failed => Outcome::Failed,
                wit::Outcome::Skipped => Outcome::Skipped,
            },
            message: attempt.message,
        }
    }
}

impl From<wit::ErrorKind> for Kind {
    fn from(kind: wit::ErrorKind) -> Self {
        use wit::ErrorKind as W;
        match kind {
            W::Usage => Self::Usage,
            W::InvalidArgument => Self::InvalidArgument,
            W::NotFound => Self::NotFound,
            W::Disabled => Self::Disabled,
            W::Unavailable => Self::Unavailable,
            W::Timeout => Self::Timeout,
            W::Internal => Self::Internal,
            W::Conflict => Self::Conflict,
            W::Throttled => Self::Throttled,
            W::Denied => Self::Denied,
            W::Configuration => Self::Configuration,
            W::NotConfigured => Self::NotConfigured,
            W::Unauthenticated => Self::Unauthenticated,
        }
    }
}
