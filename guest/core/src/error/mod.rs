//! Errors: a kind says what to do next, an id says which failure it is.

use alloc::{boxed::Box, string::String, vec::Vec};
use core::{
    fmt::Write as _,
    ops::{Deref, DerefMut},
};

mod ids;

pub use ids::{IDS, Id};

use crate::words::{
    json::{self, Object, Value},
    scrub::Scrubbed,
};

macro_rules! names {
    ($(#[$doc:meta])* $type:ident { $($(#[$text:meta])* $variant:ident $name:literal)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $type { $($(#[$text])* $variant,)* }

        impl $type {
            /// The name in JSON and on pages.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// Parses a name.
            pub fn parse(text: &str) -> Option<Self> {
                match text { $($name => Some(Self::$variant),)* _ => None }
            }
        }
    };
}

names! {
    /// What a caller should do next; the exit codes of the command line follow it.
    ErrorKind {
        /// Correct the program's arguments.
        Usage "usage"
        /// Correct the reference.
        InvalidArgument "invalid-argument"
        /// Create the secret or correct its name.
        NotFound "not-found"
        /// Enable the secret or request another version.
        Disabled "disabled"
        /// Try again in minutes.
        Unavailable "unavailable"
        /// Allow more time.
        Timeout "timeout"
        /// Report the defect.
        Internal "internal"
        /// Wait for the secret's state to change.
        Conflict "conflict"
        /// Wait as long as the error says.
        Throttled "throttled"
        /// Grant the role.
        Denied "denied"
        /// Correct the setting.
        Configuration "configuration"
        /// Give the program an identity.
        NotConfigured "not-configured"
        /// Correct the identity.
        Unauthenticated "unauthenticated"
    }
}

names! {
    /// The outcome of an attempt to get a token from one source of credentials.
    Outcome {
        /// Nothing in the environment configures the source.
        NotConfigured "not-configured"
        /// The source is configured and gave no token.
        Failed "failed"
        /// The source was left out.
        Skipped "skipped"
    }
}

/// The exit code for a kind of error, by its name, as in `sysexits.h`.
pub fn exit(kind: &str) -> u8 {
    match kind {
        "usage" => 64,
        "invalid-argument" => 65,
        "not-found" | "disabled" => 66,
        "unavailable" | "timeout" => 69,
        "conflict" => 73,
        "throttled" => 75,
        "denied" => 77,
        "configuration" => 78,
        "not-configured" | "unauthenticated" => 79,
        // `internal`, and kinds that a newer component may add.
        _ => 70,
    }
}

/// An attempt to get a token from one source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// The source's label.
    pub source: String,
    /// The form of the source, where it has several.
    pub endpoint: Option<String>,
    /// The outcome of the attempt.
    pub outcome: Outcome,
    /// The reason for the outcome, on one line.
    pub message: String,
}

/// The reason why a call failed. One word wide, because every function returns it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error(Box<Record>);

/// The fields of an error: in WIT, in JSON and on the identity endpoint they are the same. None of them
/// ever holds a token, a secret or a secret's value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The stable name of this failure.
    pub id: String,
    /// What to do next.
    pub kind: ErrorKind,
    /// What was being done and what happened, without the service's code.
    pub message: String,
    /// What to do about the failure; may be empty.
    pub help: String,
    /// The HTTP status, when a server answered.
    pub status: Option<u16>,
    /// The service's own code, the inner one where there is one.
    pub code: Option<String>,
    /// The service's id of the request.
    pub request_id: Option<String>,
    /// How long the service asked to wait, in milliseconds.
    pub retry_after_ms: Option<u64>,
    /// The sources that were tried, when no token could be obtained.
    pub attempts: Vec<Attempt>,
}

impl Error {
    /// A failure with the remedy that belongs to its id.
    pub fn new(id: Id, message: impl Into<String>) -> Self {
        Self::with_message(id, message.into())
    }

    #[inline(never)]
    fn with_message(id: Id, message: String) -> Self {
        let (name, kind, _, remedy) = id.entry();
        Self(Box::new(Record {
            id: name.into(),
            kind,
            message,
            help: remedy.into(),
            status: None,
            code: None,
            request_id: None,
            retry_after_ms: None,
            attempts: Vec::new(),
        }))
    }

    /// The failure with a more particular remedy.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = help.into();
        self
    }

    /// The failure as a usage error, because a flag is one of the program's arguments.
    #[must_use]
    pub(crate) fn into_usage(mut self) -> Self {
        let (name, kind, ..) = Id::Usage.entry();
        self.id = name.into();
        self.kind = kind;
        self
    }

    /// The failure with the status and code of a server's response.
    #[must_use]
    pub fn with_answer(mut self, status: u16, code: Option<String>) -> Self {
        self.status = Some(status);
        self.code = code;
        self
    }

    /// Whether the failure has this id.
    pub fn is(&self, id: Id) -> bool {
        self.id == id.entry().0
    }

    /// The line that people see:
    /// `<doing what>: <what happened> [<service code>]; <what to do> (<id>)`.
    pub fn line(&self) -> String {
        let mut line = self.message.clone();
        if let Some(code) = &self.code {
            let _ = write!(line, " [{code}]");
        }
        if !self.help.is_empty() {
            let _ = write!(line, "; {}", self.help);
        }
        let _ = write!(line, " ({})", self.id);
        line
    }

    /// The error as JSON: `{"error":{…}}`.
    pub fn json(&self) -> String {
        let attempts: Vec<_> = self.attempts.iter().map(Attempt::json).collect();
        let mut error = Object::default();
        error
            .text("id", &self.id)
            .text("kind", self.kind.name())
            .text("message", &self.message)
            .some_text("help", Some(self.help.as_str()).filter(|help| !help.is_empty()))
            .some_number("status", self.status.map(i64::from))
            .some_text("code", self.code.as_deref())
            .some_text("requestId", self.request_id.as_deref())
            .some_number(
                "retryAfterMs",
                self.retry_after_ms.map(|ms| i64::try_from(ms).unwrap_or(i64::MAX)),
            );
        if !attempts.is_empty() {
            error.raw("attempts", &json::array(&attempts));
        }
        let mut json = Object::default().raw("error", &error.finish()).finish();
        core::mem::take(&mut *json)
    }

    /// Reads an error from JSON, as [`Error::json`] writes it.
    pub fn from_json(body: &[u8]) -> Option<Self> {
        let body = json::parse(body)?;
        let error = body.get("error")?;
        let attempts = match error.get("attempts").and_then(Value::items) {
            Some(attempts) => attempts.iter().map(Attempt::from_json).collect::<Option<_>>()?,
            None => Vec::new(),
        };
        Some(Self(Box::new(Record {
            id: error.text("id")?,
            kind: ErrorKind::parse(&error.text("kind")?)?,
            message: error.text("message")?,
            help: error.text("help").unwrap_or_default(),
            status: error.integer("status").and_then(|status| u16::try_from(status).ok()),
            code: error.text("code"),
            request_id: error.text("requestId"),
            retry_after_ms: error.integer("retryAfterMs").and_then(|ms| u64::try_from(ms).ok()),
            attempts,
        })))
    }
}

impl From<Error> for Record {
    fn from(error: Error) -> Self {
        *error.0
    }
}

impl Deref for Error {
    type Target = Record;

    fn deref(&self) -> &Record {
        &self.0
    }
}

impl DerefMut for Error {
    fn deref_mut(&mut self) -> &mut Record {
        &mut self.0
    }
}

impl Attempt {
    fn json(&self) -> Scrubbed<String> {
        Object::default()
            .text("source", &self.source)
            .some_text("endpoint", self.endpoint.as_deref())
            .text("outcome", self.outcome.name())
            .text("message", &self.message)
            .finish()
    }

    fn from_json(value: &Value<'_>) -> Option<Self> {
        Some(Self {
            source: value.text("source")?,
            endpoint: value.text("endpoint"),
            outcome: Outcome::parse(&value.text("outcome")?)?,
            message: value.text("message")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn ids_are_distinct_kebab_case_one_liners() {
        let names: BTreeSet<_> = IDS.iter().map(|entry| entry.0).collect();
        assert_eq!(names.len(), IDS.len());
        for (name, _, meaning, remedy) in IDS {
            assert!(name.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'), "{name}");
            for text in [meaning, remedy] {
                assert!(!text.is_empty() && !text.contains('\n') && !text.ends_with('.'), "{text}");
                assert!(!text.starts_with(char::is_uppercase), "{text}");
            }
        }
    }

    #[test]
    fn line_and_json_have_their_documented_form() {
        let error = Error::new(Id::VaultForbidden, "reading `x` of v: forbidden")
            .with_help("grant it")
            .with_answer(403, Some("ForbiddenByRbac".into()));
        assert_eq!(
            error.line(),
            "reading `x` of v: forbidden [ForbiddenByRbac]; grant it (vault-forbidden)"
        );
        assert_eq!(
            error.json(),
            r#"{"error":{"id":"vault-forbidden","kind":"denied","message":"reading `x` of v: forbidden","help":"grant it","status":403,"code":"ForbiddenByRbac"}}"#
        );
    }

    #[test]
    fn json_reads_back() {
        let mut error = Error::new(Id::NoIdentity, "x");
        error.attempts.push(Attempt {
            source: "managed-identity".into(),
            endpoint: Some("imds".into()),
            outcome: Outcome::NotConfigured,
            message: "no \"answer\"".into(),
        });
        error.retry_after_ms = Some(5);
        assert_eq!(Error::from_json(error.json().as_bytes()), Some(error));
    }
}
