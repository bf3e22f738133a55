//! A failure as one JSON object.

use vaultlet_host::{ErrorJson, VariableJson};

use super::Failure;

impl Failure {
    pub(super) fn json(&self) -> String {
        let variables = self.variables.iter().map(|(name, failure)| VariableJson {
            name,
            id: &failure.id,
            kind: failure.kind,
            message: &failure.message,
        });
        let error = ErrorJson {
            id: &self.id,
            kind: self.kind,
            message: &self.message,
            help: &self.help,
            status: self.status,
            code: self.code.as_deref(),
            request_id: self.request_id.as_deref(),
            retry_after_ms: self.retry_after_ms,
            attempts: self.attempts.iter().map(Into::into).collect(),
            variables: variables.collect(),
        };
        error.line()
    }
}
