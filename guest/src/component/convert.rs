//! Between the core's types and those of the bindings.

use super::bindings::exports::vaultlet::keyvault::{credentials, plan, types};
use crate::{
    error::{Error, ErrorKind, Id, Outcome, Record},
    plan as planner,
    token::{Token, UserAssigned},
    vault::Properties,
};

pub(super) fn identity(given: Option<types::UserAssigned>) -> Result<Option<UserAssigned>, Error> {
    let Some(given) = given else { return Ok(None) };
    let parsed = match &given {
        types::UserAssigned::ClientId(id) => UserAssigned::client_id(id),
        types::UserAssigned::ObjectId(id) => UserAssigned::object_id(id),
        types::UserAssigned::ResourceId(id) => UserAssigned::resource_id(id),
    };
    match parsed {
        Some(id) => Ok(Some(id)),
        None => Err(Error::new(
            Id::ArgumentMalformed,
            "choosing an identity: its id is not a GUID, or not `/subscriptions/…`",
        )),
    }
}

pub(super) fn to_error(error: Error) -> types::Error {
    let error = Record::from(error);
    types::Error {
        kind: match error.kind {
            ErrorKind::Usage => types::ErrorKind::Usage,
            ErrorKind::InvalidArgument => types::ErrorKind::InvalidArgument,
            ErrorKind::NotFound => types::ErrorKind::NotFound,
            ErrorKind::Disabled => types::ErrorKind::Disabled,
            ErrorKind::Unavailable => types::ErrorKind::Unavailable,
            ErrorKind::Timeout => types::ErrorKind::Timeout,
            ErrorKind::Internal => types::ErrorKind::Internal,
            ErrorKind::Conflict => types::ErrorKind::Conflict,
            ErrorKind::Throttled => types::ErrorKind::Throttled,
            ErrorKind::Denied => types::ErrorKind::Denied,
            ErrorKind::Configuration => types::ErrorKind::Configuration,
            ErrorKind::NotConfigured => types::ErrorKind::NotConfigured,
            ErrorKind::Unauthenticated => types::ErrorKind::Unauthenticated,
        },
        id: error.id,
        message: error.message,
        help: error.help,
        status: error.status,
        code: error.code,
        request_id: error.request_id,
        retry_after_ms: error.retry_after_ms,
        attempts: error
            .attempts
            .into_iter()
            .map(|attempt| types::Attempt {
                source: attempt.source,
                endpoint: attempt.endpoint,
                outcome: match attempt.outcome {
                    Outcome::NotConfigured => types::Outcome::NotConfigured,
                    Outcome::Failed => types::Outcome::Failed,
                    Outcome::Skipped => types::Outcome::Skipped,
                },
                message: attempt.message,
            })
            .collect(),
    }
}

pub(super) fn to_properties(properties: &Properties) -> types::Properties {
    let Properties {
        vault,
        name,
        version,
        content_type,
        enabled,
        created,
        updated,
        not_before,
        expires,
        recovery_level,
        recoverable_days,
        managed,
        kid,
        tags,
    } = properties.clone();
    types::Properties {
        vault,
        name,
        version,
        content_type,
        enabled,
        created,
        updated,
        not_before,
        expires,
        recovery_level,
        recoverable_days,
        managed,
        kid,
        tags,
    }
}

pub(super) fn to_token_properties(token: &Token) -> credentials::TokenProperties {
    credentials::TokenProperties {
        expires_on: token.expires_on,
        refresh_on: token.refresh_on,
        resource: token.resource.clone(),
        source: token.source.clone(),
        endpoint: token.endpoint.clone(),
        client_id: token.client_id.clone(),
    }
}

pub(super) fn to_resolved(resolved: planner::Resolved) -> plan::Resolved {
    let planner::Resolved { reference, authority, name, version } = resolved;
    plan::Resolved { reference, authority: to_authority(authority), name, version }
}

pub(super) fn to_needs(needs: planner::Needs) -> plan::Requirements {
    plan::Requirements {
        variables: needs.variables,
        authorities: needs.authorities.into_iter().map(to_authority).collect(),
    }
}

fn to_authority(authority: planner::Authority) -> plan::Authority {
    plan::Authority {
        host: authority.host,
        port: authority.port,
        trust: if authority.secure { plan::Trust::Roots } else { plan::Trust::None },
        purpose: match authority.purpose {
            planner::Purpose::IdentityEndpoint => plan::Purpose::IdentityEndpoint,
            planner::Purpose::Vault => plan::Purpose::Vault,
        },
    }
}
