//! Between the core's types and those of the bindings.

use super::bindings::exports::vaultlet::keyvault::{credentials, plan, secrets, types};
use crate::{
    error::{Error, ErrorKind, Id, Outcome, Record},
    holder::Holder,
    plan as planner,
    token::{Token, UserAssigned},
    vault::{Page, Properties},
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

pub(super) fn to_properties(properties: Properties) -> types::Properties {
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
    } = properties;
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

pub(super) fn to_page(page: Page) -> secrets::Page {
    secrets::Page { items: page.items.into_iter().map(to_properties).collect(), next: page.next }
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

pub(super) fn to_holder(holder: Holder) -> credentials::Holder {
    let Holder { tenant, object_id, app_id, upn, audience, notes } = holder;
    credentials::Holder { tenant, object_id, app_id, upn, audience, notes }
}

pub(super) fn to_resolved(resolved: planner::Resolved) -> plan::Resolved {
    let planner::Resolved { reference, authority, name, version } = resolved;
    plan::Resolved { reference, authority: to_authority(authority), name, version }
}

pub(super) fn subject(what: plan::Subject) -> planner::Subject {
    match what {
        plan::Subject::Secret(reference) => planner::Subject::Secret(reference),
        plan::Subject::Vault(vault) => planner::Subject::Vault(vault),
    }
}

pub(super) fn to_needs(needs: planner::Needs) -> plan::Requirements {
    plan::Requirements {
        variables: needs.variables,
        authorities: needs.authorities.into_iter().map(to_authority).collect(),
        files: needs.files.into_iter().map(to_file).collect(),
        keys: needs.keys.into_iter().map(to_key).collect(),
        programs: needs.programs.into_iter().map(to_program).collect(),
        tells: needs.tells,
    }
}

fn to_file(file: planner::File) -> plan::File {
    match file {
        planner::File::Path(path) => plan::File::Path(path),
        planner::File::Folder(path, ending) => plan::File::Folder((path, ending.into())),
    }
}

fn to_key(key: planner::Key) -> plan::Key {
    plan::Key {
        name: key.name.into(),
        path: key.path,
        password_variable: key.password_variable.map(Into::into),
    }
}

fn to_program(program: planner::Program) -> plan::Program {
    let group = |group: &&[&str]| group.iter().map(|text| (*text).into()).collect();
    plan::Program {
        name: program.name.into(),
        command: program.command.into(),
        arguments: program.arguments.iter().map(group).collect(),
        variables: program
            .variables
            .iter()
            .map(|(name, value)| ((*name).into(), (*value).into()))
            .collect(),
    }
}

fn to_authority(authority: planner::Authority) -> plan::Authority {
    plan::Authority {
        host: authority.host,
        port: authority.port,
        trust: match authority.trust {
            planner::Trust::None => plan::Trust::None,
            planner::Trust::Roots => plan::Trust::Roots,
            planner::Trust::Pinned(sha1) => plan::Trust::Pinned(sha1),
            planner::Trust::Private { issuers, name } => {
                plan::Trust::Private(plan::PrivateTrust { issuers: to_certificates(issuers), name })
            }
        },
        purpose: match authority.purpose {
            planner::Purpose::TokenAuthority => plan::Purpose::TokenAuthority,
            planner::Purpose::IdentityEndpoint => plan::Purpose::IdentityEndpoint,
            planner::Purpose::Vault => plan::Purpose::Vault,
        },
    }
}

fn to_certificates(certificates: planner::Certificates) -> plan::Certificates {
    match certificates {
        planner::Certificates::File(path) => plan::Certificates::File(path),
        planner::Certificates::Text(text) => plan::Certificates::Text(text),
    }
}
