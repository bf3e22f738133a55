//! Errors and properties as the plugin's side of the interface has them.

use crate::bindings::exports::vaultlet::keyvault::types as wit;
use crate::error::{Attempt, Error, Kind, Outcome};
use crate::secret::Properties;

impl From<Error> for wit::Error {
    fn from(error: Error) -> Self {
        let wait = error.retry_after.map(|wait| wait.as_millis());
        Self {
            kind: error.kind.into(),
            id: error.id,
            message: error.message,
            help: error.help,
            status: error.status,
            code: error.code,
            request_id: error.request_id,
            retry_after_ms: wait.map(|ms| ms.try_into().unwrap_or(u64::MAX)),
            attempts: error.attempts.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<Attempt> for wit::Attempt {
    fn from(attempt: Attempt) -> Self {
        Self {
            source: attempt.source,
            endpoint: attempt.endpoint,
            outcome: match attempt.outcome {
                Outcome::NotConfigured => wit::Outcome::NotConfigured,
                Outcome::Failed => wit::Outcome::Failed,
                Outcome::Skipped => wit::Outcome::Skipped,
            },
            message: attempt.message,
        }
    }
}

impl From<Kind> for wit::ErrorKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Usage => Self::Usage,
            Kind::InvalidArgument => Self::InvalidArgument,
            Kind::NotFound => Self::NotFound,
            Kind::Disabled => Self::Disabled,
            Kind::Unavailable => Self::Unavailable,
            Kind::Timeout => Self::Timeout,
            Kind::Internal => Self::Internal,
            Kind::Conflict => Self::Conflict,
            Kind::Throttled => Self::Throttled,
            Kind::Denied => Self::Denied,
            Kind::Configuration => Self::Configuration,
            Kind::NotConfigured => Self::NotConfigured,
            Kind::Unauthenticated => Self::Unauthenticated,
        }
    }
}

impl From<Properties> for wit::Properties {
    fn from(p: Properties) -> Self {
        Self {
            vault: p.vault,
            name: p.name,
            version: p.version,
            content_type: p.content_type,
            enabled: p.enabled,
            created: p.created,
            updated: p.updated,
            not_before: p.not_before,
            expires: p.expires,
            recovery_level: p.recovery_level,
            recoverable_days: p.recoverable_days,
            managed: p.managed,
            kid: p.kid,
            tags: p.tags,
        }
    }
}
