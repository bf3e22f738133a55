//! Conversions between the core's types and those of the WIT bindings.

use crate::bindings::exports::vaultlet::keyvault::{plan, types};
use vaultlet_core::{
    error::{Error, ErrorKind, Id, Outcome, Record},
    plan as planned, planner,
    settings::{Reader, Setting},
    token::{Holder, Token, UserAssigned},
    vault::{Page, Properties},
};

pub(crate) fn identity(given: Option<types::UserAssigned>) -> Result<Option<UserAssigned>, Error> {
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

pub(crate) fn to_error(error: Error) -> types::Error {
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

pub(crate) fn to_properties(properties: Properties) -> types::Properties {
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

pub(crate) fn properties(properties: types::Properties) -> Properties {
    let types::Properties {
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
    Properties {
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

pub(crate) fn to_page(page: Page) -> types::Page {
    types::Page { items: page.items.into_iter().map(to_properties).collect(), next: page.next }
}

pub(crate) fn to_token_properties(token: &Token) -> types::TokenProperties {
    types::TokenProperties {
        expires_on: token.expires_on,
        refresh_on: token.refresh_on,
        resource: token.resource.clone(),
        source: token.source.clone(),
        endpoint: token.endpoint.clone(),
        client_id: token.client_id.clone(),
    }
}

pub(crate) fn to_holder(holder: Holder) -> types::Holder {
    let Holder { tenant, object_id, app_id, upn, audience, notes } = holder;
    types::Holder { tenant, object_id, app_id, upn, audience, notes }
}

pub(crate) fn holder(holder: types::Holder) -> Holder {
    let types::Holder { tenant, object_id, app_id, upn, audience, notes } = holder;
    Holder { tenant, object_id, app_id, upn, audience, notes }
}

pub(crate) fn to_resolved(resolved: planner::Resolved) -> plan::Resolved {
    let planner::Resolved { reference, server, name, version } = resolved;
    plan::Resolved { reference, server: to_server(server), name, version }
}

pub(crate) fn subject(what: plan::Subject) -> planner::Subject {
    match what {
        plan::Subject::Secret(reference) => planner::Subject::Secret(reference),
        plan::Subject::Vault(vault) => planner::Subject::Vault(vault),
    }
}

pub(crate) fn to_credential_plan(planned: planned::Plan) -> plan::CredentialPlan {
    plan::CredentialPlan {
        variables: planned.variables,
        secrets: planned.secrets.iter().map(|name| (*name).into()).collect(),
        servers: planned.servers.into_iter().map(to_server).collect(),
        files: planned.files.into_iter().map(to_file).collect(),
        keys: planned.keys.into_iter().map(to_key).collect(),
        programs: planned.programs.into_iter().map(to_program).collect(),
        tells: planned.tells,
    }
}

fn to_file(file: planned::File) -> plan::File {
    match file {
        planned::File::Path(path) => plan::File::Path(path),
        planned::File::Folder(path, ending) => plan::File::Folder((path, ending.into())),
    }
}

fn to_key(key: planned::Key) -> plan::Key {
    plan::Key {
        name: key.name.into(),
        path: key.path,
        password_variable: key.password_variable.map(Into::into),
    }
}

fn to_program(program: planned::Program) -> plan::Program {
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

pub(crate) fn to_server(server: planned::Server) -> plan::Server {
    plan::Server {
        host: server.host,
        port: server.port,
        trust: match server.trust {
            planned::Trust::None => plan::Trust::None,
            planned::Trust::Roots => plan::Trust::Roots,
            planned::Trust::Pinned(sha1) => plan::Trust::Pinned(sha1),
            planned::Trust::Private { issuers, name } => {
                plan::Trust::Private(plan::PrivateTrust { issuers: to_certificates(issuers), name })
            }
        },
        purpose: match server.purpose {
            planned::Purpose::TokenAuthority => plan::Purpose::TokenAuthority,
            planned::Purpose::IdentityEndpoint => plan::Purpose::IdentityEndpoint,
            planned::Purpose::Vault => plan::Purpose::Vault,
        },
    }
}

fn to_certificates(certificates: planned::Certificates) -> plan::Certificates {
    match certificates {
        planned::Certificates::File(path) => plan::Certificates::File(path),
        planned::Certificates::Text(text) => plan::Certificates::Text(text),
    }
}

pub(crate) fn to_setting(setting: &Setting) -> plan::Setting {
    plan::Setting {
        variable: setting.variable.into(),
        flag: setting.flag.into(),
        value: setting.value.map(Into::into),
        separator: setting.separator.map(Into::into),
        reader: match setting.reader {
            Reader::Component => plan::SettingReader::Component,
            Reader::Host => plan::SettingReader::Host,
        },
        help: setting.help.into(),
    }
}
