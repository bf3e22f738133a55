//! Secrets and tokens as JavaScript holds them, and records of what is known of them.

use std::time::{SystemTime, UNIX_EPOCH};

use napi::bindgen_prelude::External;
use napi_derive::napi;
use vaultlet_host::{Plan as Planned, Secret, Server, Token};

/// A value that JavaScript holds and cannot look into. Dropping it scrubs the value.
pub(crate) enum Held {
    Secret(Secret),
    Token(Token),
    Disposed,
}

/// The approximate size of a held value in bytes without the value itself, for the garbage collector.
const BASE_SIZE: usize = 512;

impl Held {
    pub(crate) fn external(self) -> External<Self> {
        let size = BASE_SIZE + self.reveal().map_or(0, str::len);
        External::new_with_size_hint(self, size)
    }

    pub(crate) fn reveal(&self) -> Option<&str> {
        match self {
            Self::Secret(secret) => Some(secret.reveal()),
            Self::Token(token) => Some(token.reveal()),
            Self::Disposed => None,
        }
    }

    pub(crate) fn properties(&self) -> Option<Properties> {
        match self {
            Self::Secret(secret) => Some(secret.properties().into()),
            Self::Token(_) | Self::Disposed => None,
        }
    }

    pub(crate) fn identity(&self) -> Option<Identity> {
        match self {
            Self::Token(token) => Some(token.into()),
            Self::Secret(_) | Self::Disposed => None,
        }
    }
}

/// Everything that is known of one version of a secret except its value. Times are Unix seconds.
#[napi(object, object_from_js = false)]
pub(crate) struct Properties {
    pub vault: String,
    pub name: String,
    pub version: Option<String>,
    pub content_type: Option<String>,
    pub enabled: Option<bool>,
    pub created: Option<i64>,
    pub updated: Option<i64>,
    pub not_before: Option<i64>,
    pub expires: Option<i64>,
    pub recovery_level: Option<String>,
    pub recoverable_days: Option<u32>,
    pub managed: Option<bool>,
    pub kid: Option<String>,
    pub tags: Vec<Vec<String>>,
}

impl From<&vaultlet_host::Properties> for Properties {
    fn from(of: &vaultlet_host::Properties) -> Self {
        let of = of.clone();
        Self {
            vault: of.vault,
            name: of.name,
            version: of.version,
            content_type: of.content_type,
            enabled: of.enabled,
            created: of.created,
            updated: of.updated,
            not_before: of.not_before,
            expires: of.expires,
            recovery_level: of.recovery_level,
            recoverable_days: of.recoverable_days,
            managed: of.managed,
            kid: of.kid,
            tags: of.tags.into_iter().map(|(name, value)| vec![name, value]).collect(),
        }
    }
}

/// Where a token came from, and the identity that it belongs to, as the token says. Times are
/// milliseconds since 1970.
#[napi(object, object_from_js = false)]
pub(crate) struct Identity {
    pub source: String,
    pub endpoint: Option<String>,
    pub resource: String,
    pub client_id: Option<String>,
    pub tenant: Option<String>,
    pub object_id: Option<String>,
    pub app_id: Option<String>,
    pub upn: Option<String>,
    pub audience: Option<String>,
    pub expires_on: f64,
    pub refresh_on: f64,
    pub notes: Vec<String>,
}

impl From<&Token> for Identity {
    fn from(token: &Token) -> Self {
        let holder = token.holder().clone();
        Self {
            source: token.source().into(),
            endpoint: token.endpoint().map(Into::into),
            resource: token.resource().into(),
            client_id: token.client_id().map(Into::into),
            tenant: holder.tenant,
            object_id: holder.object_id,
            app_id: holder.app_id,
            upn: holder.upn,
            audience: holder.audience,
            expires_on: milliseconds(token.expires_on()),
            refresh_on: milliseconds(token.refresh_on()),
            notes: holder.notes,
        }
    }
}

fn milliseconds(time: SystemTime) -> f64 {
    time.duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64() * 1e3)
}

/// What a handle would read and which servers it would talk to.
#[napi(object, object_from_js = false)]
pub(crate) struct Plan {
    pub agent: Option<String>,
    pub vault: Option<Peer>,
    pub variables: Vec<String>,
    pub secrets: Vec<String>,
    pub servers: Vec<Peer>,
    pub files: Vec<String>,
    pub keys: Vec<String>,
    pub programs: Vec<String>,
}

/// A server that may be talked to.
#[napi(object, object_from_js = false)]
pub(crate) struct Peer {
    pub host: String,
    pub port: u16,
    pub tls: bool,
    pub purpose: String,
}

impl From<Planned> for Plan {
    fn from(planned: Planned) -> Self {
        Self {
            agent: planned.agent,
            vault: planned.vault.map(Into::into),
            variables: planned.variables,
            secrets: planned.secrets,
            servers: planned.servers.into_iter().map(Into::into).collect(),
            files: planned.files,
            keys: planned.keys,
            programs: planned.programs,
        }
    }
}

impl From<Server> for Peer {
    fn from(server: Server) -> Self {
        let Server { host, port, tls, purpose, .. } = server;
        Self { host, port, tls, purpose: purpose.into() }
    }
}
