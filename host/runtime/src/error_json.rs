//! An error as JSON: what the command line prints with `-o json`, and what the agent answers.

use serde::Serialize;

use crate::error::Error;

/// The JSON form of an error; what is unknown is left out. This is for the command line and the agent only, and no part
/// of this crate's stable interface.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs, reason = "the fields are those of `Error`")]
pub struct ErrorJson<'a> {
    pub id: &'a str,
    pub kind: &'a str,
    pub message: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    pub help: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u128>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub attempts: Vec<AttemptJson<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub variables: Vec<VariableJson<'a>>,
}

/// A source of credentials that was asked.
#[derive(Debug, Serialize)]
#[allow(missing_docs, reason = "the fields are those of `Attempt`")]
pub struct AttemptJson<'a> {
    pub source: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<&'a str>,
    pub outcome: &'a str,
    pub message: &'a str,
}

/// A variable that failed.
#[derive(Debug, Serialize)]
#[allow(missing_docs, reason = "the fields are those of `FailedVariable`")]
pub struct VariableJson<'a> {
    pub name: &'a str,
    pub id: &'a str,
    pub kind: &'a str,
    pub message: &'a str,
}

impl ErrorJson<'_> {
    /// The object `{"error":{…}}` on one line, without its end.
    pub fn line(&self) -> String {
        #[derive(Serialize)]
        struct Line<'a> {
            error: &'a ErrorJson<'a>,
        }
        // Texts and numbers can always be written.
        serde_json::to_string(&Line { error: self }).unwrap_or_default()
    }
}

impl<'a> From<&'a crate::error::Attempt> for AttemptJson<'a> {
    fn from(attempt: &'a crate::error::Attempt) -> Self {
        Self {
            source: &attempt.source,
            endpoint: attempt.endpoint.as_deref(),
            outcome: attempt.outcome.as_str(),
            message: &attempt.message,
        }
    }
}

impl<'a> From<&'a Error> for ErrorJson<'a> {
    fn from(error: &'a Error) -> Self {
        let variables = error.variables.iter().map(|it| VariableJson {
            name: &it.name,
            id: &it.id,
            kind: it.kind.as_str(),
            message: &it.message,
        });
        Self {
            id: &error.id,
            kind: error.kind.as_str(),
            message: &error.message,
            help: &error.help,
            status: error.status,
            code: error.code.as_deref(),
            request_id: error.request_id.as_deref(),
            retry_after_ms: error.retry_after.map(|wait| wait.as_millis()),
            attempts: error.attempts.iter().map(Into::into).collect(),
            variables: variables.collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The component writes its errors by itself, as it has no room for a library.
    #[test]
    fn the_component_writes_the_same() {
        for json in [
            r#"{"error":{"id":"secret-not-found","kind":"not-found","message":"getting a secret: no"}}"#,
            r#"{"error":{"id":"no-identity","kind":"not-configured","message":"x \"é\\","help":"y","status":403,"code":"C","requestId":"r","retryAfterMs":1500,"attempts":[{"source":"environment","outcome":"failed","message":"z"},{"source":"managed-identity","endpoint":"imds","outcome":"skipped","message":""}]}}"#,
        ] {
            let core = vaultlet_core::error::Error::from_json(json.as_bytes()).unwrap();
            let by_component = core.json();
            let error = Error::from(core);
            assert_eq!(ErrorJson::from(&error).line(), by_component.trim_end());
            assert_eq!(by_component.trim_end(), json);
        }
    }
}
