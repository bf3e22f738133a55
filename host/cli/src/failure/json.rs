//! A failure as one JSON object.

use serde::Serialize;

use super::Failure;

impl Failure {
    pub(super) fn json(&self) -> String {
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
            variables: self
                .variables
                .iter()
                .map(|(name, failure)| JsonVariable {
                    name,
                    id: &failure.id,
                    kind: failure.kind,
                    message: &failure.message,
                })
                .collect(),
        };
        serde_json::to_string(&JsonLine { error }).unwrap_or_else(|_| self.line())
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
    #[serde(skip_serializing_if = "Vec::is_empty")]
    variables: Vec<JsonVariable<'a>>,
}

#[derive(Serialize)]
struct JsonVariable<'a> {
    name: &'a str,
    id: &'a str,
    kind: &'a str,
    message: &'a str,
}

#[derive(Serialize)]
struct JsonAttempt<'a> {
    source: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    endpoint: Option<&'a str>,
    outcome: &'a str,
    message: &'a str,
}
