//! Errors as plain objects, from which `lib/errors.cjs` makes instances of `VaultletError`.

use napi_derive::napi;
use vaultlet_host::{Attempt, Error, FailedVariable as Unresolved};

/// A failed call.
#[napi(object, object_from_js = false)]
pub(crate) struct Failure {
    pub kind: String,
    pub id: String,
    /// The whole error in one line, as the command line prints it.
    pub line: String,
    pub detail: String,
    pub help: String,
    pub status: Option<u16>,
    pub code: Option<String>,
    pub request_id: Option<String>,
    pub retry_after_ms: Option<f64>,
    pub attempts: Vec<FailedAttempt>,
    pub variables: Vec<FailedVariable>,
}

/// A variable that was not resolved.
#[napi(object, object_from_js = false)]
pub(crate) struct FailedVariable {
    pub name: String,
    pub id: String,
    pub kind: String,
    pub message: String,
}

/// One source of credentials that was asked.
#[napi(object, object_from_js = false)]
pub(crate) struct FailedAttempt {
    pub source: String,
    pub endpoint: Option<String>,
    pub outcome: String,
    pub message: String,
}

impl Failure {
    /// A defect of this package.
    pub(crate) fn internal(detail: &str) -> Self {
        let help = "report this with the message";
        Self {
            kind: "internal".into(),
            id: "internal".into(),
            line: format!("{detail}; {help} (internal)"),
            detail: detail.into(),
            help: help.into(),
            status: None,
            code: None,
            request_id: None,
            retry_after_ms: None,
            attempts: Vec::new(),
            variables: Vec::new(),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self {
            line: error.to_string(),
            kind: error.kind.as_str().into(),
            id: error.id,
            detail: error.message,
            help: error.help,
            status: error.status,
            code: error.code,
            request_id: error.request_id,
            retry_after_ms: error.retry_after.map(|after| after.as_secs_f64() * 1e3),
            attempts: error.attempts.into_iter().map(Into::into).collect(),
            variables: error.variables.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<Attempt> for FailedAttempt {
    fn from(attempt: Attempt) -> Self {
        let Attempt { source, endpoint, outcome, message } = attempt;
        Self { source, endpoint, outcome: outcome.as_str().into(), message }
    }
}

impl From<Unresolved> for FailedVariable {
    fn from(variable: Unresolved) -> Self {
        let Unresolved { name, id, kind, message, .. } = variable;
        Self { name, id, kind: kind.as_str().into(), message }
    }
}
