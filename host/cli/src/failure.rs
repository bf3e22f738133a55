//! Failures of commands: one line or one JSON object on stderr, and an exit code as in `sysexits.h`.

use std::io::Write as _;
use std::process::ExitCode;

use serde::Serialize;
use vaultlet_host::{Attempt, Error, Kind};

/// A failed command.
#[derive(Debug)]
pub(crate) struct Failure {
    kind: &'static str,
    id: String,
    message: String,
    help: String,
    exit: u8,
    status: Option<u16>,
    code: Option<String>,
    request_id: Option<String>,
    retry_after_ms: Option<u128>,
    attempts: Vec<Attempt>,
}

impl Failure {
    /// The failure of a command whose arguments are wrong.
    pub(crate) fn usage(what: &str) -> Self {
        let message = format!("reading the arguments: {what}");
        Self::own(Kind::Usage, "usage", message, "see `vaultlet --help`")
    }

    /// The failure of a command for which a variable, in place of a flag, has a wrong value.
    pub(crate) fn variable(name: &str, what: &str) -> Self {
        let message = format!("reading `{name}`: {what}");
        Self::own(Kind::Configuration, "setting-malformed", message, "correct or unset it")
    }

    /// A failure of the command line itself.
    pub(crate) fn own(kind: Kind, id: &str, message: String, help: &str) -> Self {
        Self {
            kind: kind.as_str(),
            id: id.into(),
            message,
            help: help.into(),
            exit: exit(kind.as_str()),
            status: None,
            code: None,
            request_id: None,
            retry_after_ms: None,
            attempts: Vec::new(),
        }
    }

    /// The failure with another remedy.
    pub(crate) fn with_help(self, help: &str) -> Self {
        Self { help: help.into(), ..self }
    }

    /// The failure with an exit code that does not follow from its kind.
    pub(crate) fn with_exit(self, exit: u8) -> Self {
        Self { exit, ..self }
    }

    /// Reports the failure on stderr.
    pub(crate) fn report(&self, json: bool) -> ExitCode {
        let line = if json { self.json() } else { format!("vaultlet: {}", self.line()) };
        let _ = writeln!(std::io::stderr(), "{line}");
        ExitCode::from(self.exit)
    }

    fn line(&self) -> String {
        let code = self.code.as_ref().map(|c| format!(" [{c}]")).unwrap_or_default();
        let help = if self.help.is_empty() { String::new() } else { format!("; {}", self.help) };
        format!("{}{code}{help} ({})", self.message, self.id)
    }

    fn json(&self) -> String {
        let attempts = self.attempts.iter().map(|a| JsonAttempt {
            source: &a.source,
            endpoint: a.endpoint.as_deref(),
            outcome: a.outcome.as_str(),
            message: &a.message,
        });
        let error = Json {
            id: &self.id,
            kind: self.kind,
            message: &self.message,
            help: &self.help,
            status: self.status,
            code: self.code.as_deref(),
            request_id: self.request_id.as_deref(),
            retry_after_ms: self.retry_after_ms,
            attempts: attempts.collect(),
        };
        serde_json::to_string(&JsonLine { error }).unwrap_or_else(|_| self.line())
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self {
            kind: error.kind.as_str(),
            exit: exit(error.kind.as_str()),
            id: error.id,
            message: error.message,
            help: error.help,
            status: error.status,
            code: error.code,
            request_id: error.request_id,
            retry_after_ms: error.retry_after.map(|d| d.as_millis()),
            attempts: error.attempts,
        }
    }
}

/// The exit code of a kind of failure.
pub(crate) fn exit(kind: &str) -> u8 {
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

#[derive(Serialize)]
struct JsonLine<'a> {
    error: Json<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Json<'a> {
    id: &'a str,
    kind: &'a str,
    message: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    help: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after_ms: Option<u128>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    attempts: Vec<JsonAttempt<'a>>,
}

#[derive(Serialize)]
struct JsonAttempt<'a> {
    source: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    endpoint: Option<&'a str>,
    outcome: &'a str,
    message: &'a str,
}
