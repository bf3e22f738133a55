//! Token requests, tokens and their lifetimes.

mod holder;

use alloc::{borrow::ToOwned, string::String};

use crate::{
    error::{Error, Id},
    limits::{CLAIMS, EXPIRY_MARGIN, HALF_LIFE_FROM},
    words::{json, secret::SecretString},
};
pub use holder::Holder;

/// What a token is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenRequest {
    /// The resource, without `/.default`.
    pub resource: String,
    /// The tenant, where a source has a choice.
    pub tenant: Option<String>,
    /// Claims as JSON text; they bypass every cache.
    pub claims: Option<String>,
    /// Which user-assigned identity, if the call says so.
    pub identity: Option<UserAssigned>,
    /// Whether no cache may answer.
    pub fresh: bool,
}

impl TokenRequest {
    /// Parses what a caller gave. `resource` may be a scope.
    pub fn parse(
        resource: &str,
        tenant: Option<String>,
        claims: Option<String>,
        identity: Option<UserAssigned>,
    ) -> Result<Self, Error> {
        let resource = resource.strip_suffix("/.default").unwrap_or(resource);
        Self::for_resource(resource, tenant, claims, identity)
    }

    /// Checks a request whose resource is no scope: a `/.default` at its end belongs to the resource.
    pub(crate) fn for_resource(
        resource: &str,
        tenant: Option<String>,
        claims: Option<String>,
        identity: Option<UserAssigned>,
    ) -> Result<Self, Error> {
        if !is_resource(resource) {
            return Err(malformed("the resource is not a URI or an id"));
        }
        if tenant.as_deref().is_some_and(|tenant| !is_tenant(tenant)) {
            return Err(malformed("the tenant is not an id or a domain"));
        }
        if claims.as_deref().is_some_and(|claims| !is_claims(claims)) {
            return Err(malformed("the claims are not a JSON object"));
        }
        Ok(Self { resource: resource.to_owned(), tenant, claims, identity, fresh: false })
    }

    /// Whether every cache is passed by.
    pub(crate) fn bypasses(&self) -> bool {
        self.fresh || self.claims.is_some()
    }
}

/// Which of several user-assigned identities.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UserAssigned {
    /// By client id, a GUID.
    Client(String),
    /// By object id, a GUID.
    Object(String),
    /// By Azure resource id.
    Resource(String),
}

impl UserAssigned {
    /// From a client id.
    pub fn client_id(text: &str) -> Option<Self> {
        is_guid(text).then(|| Self::Client(text.to_owned()))
    }

    /// From an object id.
    pub fn object_id(text: &str) -> Option<Self> {
        is_guid(text).then(|| Self::Object(text.to_owned()))
    }

    /// From an Azure resource id.
    pub fn resource_id(text: &str) -> Option<Self> {
        let prefix = "/subscriptions/";
        let starts = text.get(..prefix.len()).is_some_and(|p| p.eq_ignore_ascii_case(prefix));
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"/-_.()".contains(&b);
        (starts && text.len() <= 1024 && text.bytes().all(plain))
            .then(|| Self::Resource(text.to_owned()))
    }

    /// Its name in the canonical request.
    pub(crate) fn parameter(&self) -> &'static str {
        match self {
            Self::Client(_) => "client_id",
            Self::Object(_) => "object_id",
            Self::Resource(_) => "resource_id",
        }
    }

    /// The id itself.
    pub(crate) fn id(&self) -> &str {
        match self {
            Self::Client(id) | Self::Object(id) | Self::Resource(id) => id,
        }
    }
}

/// An access token and what is known of it.
#[derive(Debug)]
pub struct Token {
    /// What goes after `Bearer`.
    pub secret: SecretString,
    /// Unix seconds; not accepted after.
    pub expires_on: i64,
    /// Unix seconds; a new one is fetched from then on.
    pub refresh_on: i64,
    /// What it is for.
    pub resource: String,
    /// The label of the source.
    pub source: String,
    /// The form of the source.
    pub endpoint: Option<String>,
    /// The client id that was asked for.
    pub client_id: Option<String>,
    /// Another source that is there, too, and was not asked.
    pub other: Option<String>,
}

impl Token {
    /// Whether its source would give another one for another tenant. Those of this machine or job do
    /// not.
    pub(crate) fn has_tenants(&self) -> bool {
        !matches!(self.source.as_str(), "managed-identity" | "azureml-obo")
    }
}

/// What a vault takes tokens for. Only a challenge that was verified makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Audience {
    /// The resource that tokens are for.
    pub resource: String,
    /// The tenant, if the challenge names one.
    pub tenant: Option<String>,
}

/// The Unix second from which a new token is fetched: what the service says, else half of a long
/// life, else five minutes before the end.
pub(crate) fn refresh_on(now: i64, expires_on: i64, refresh_in: Option<i64>) -> i64 {
    let life = expires_on.saturating_sub(now);
    match refresh_in {
        Some(refresh) if (1..life).contains(&refresh) => now.saturating_add(refresh),
        _ if life >= HALF_LIFE_FROM => now.saturating_add(life / 2),
        _ => expires_on.saturating_sub(EXPIRY_MARGIN),
    }
}

/// Characters of a token, RFC 6750 `b64token`: it goes into a header.
pub(crate) fn is_token(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~+/=".contains(&b);
    !text.is_empty() && text.bytes().all(plain)
}

/// Characters of a tenant: a GUID or a domain.
pub(crate) fn is_tenant(text: &str) -> bool {
    // It stands in a path: `..` is none.
    (1..=253).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.".contains(&b))
}

/// Characters of a resource or scope.
pub(crate) fn is_resource(text: &str) -> bool {
    (1..=512).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.:/".contains(&b))
}

/// A JSON object of bearable length.
pub(crate) fn is_claims(text: &str) -> bool {
    text.len() <= CLAIMS && text.trim_start().starts_with('{') && json::parse_text(text).is_some()
}

/// 8-4-4-4-12 hexadecimal digits.
pub(crate) fn is_guid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, b)| match at {
            8 | 13 | 18 | 23 => b == b'-',
            _ => b.is_ascii_hexdigit(),
        })
}

fn malformed(what: &str) -> Error {
    Error::new(Id::ArgumentMalformed, alloc::format!("asking for a token: {what}"))
}
