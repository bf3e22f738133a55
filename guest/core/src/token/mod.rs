//! Token requests, tokens and their lifetimes.

mod holder;

use alloc::{borrow::ToOwned, string::String};

use crate::{
    error::{Error, Id},
    limits::{CLAIMS, EXPIRY_MARGIN, HALF_LIFE_FROM},
    words::{json, secret::SecretString},
};
pub use holder::Holder;

/// A request for a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenRequest {
    /// The resource, without `/.default`.
    pub resource: String,
    /// The tenant, for sources that can get tokens of several tenants.
    pub tenant: Option<String>,
    /// Claims as JSON text. A request with claims bypasses every cache.
    pub claims: Option<String>,
    /// The user-assigned identity, if the call names one.
    pub identity: Option<UserAssigned>,
    /// Whether the request bypasses every cache.
    pub fresh: bool,
}

impl TokenRequest {
    /// Checks a caller's request. `resource` may be a scope.
    pub fn parse(
        resource: &str,
        tenant: Option<String>,
        claims: Option<String>,
        identity: Option<UserAssigned>,
    ) -> Result<Self, Error> {
        let resource = resource.strip_suffix("/.default").unwrap_or(resource);
        Self::for_resource(resource, tenant, claims, identity)
    }

    /// Checks a request whose resource is not a scope: a `/.default` at the end belongs to the resource.
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

    /// Whether the request bypasses every cache.
    pub(crate) fn bypasses(&self) -> bool {
        self.fresh || self.claims.is_some()
    }
}

/// A user-assigned identity, by one of its ids.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UserAssigned {
    /// The client id, a GUID.
    Client(String),
    /// The object id, a GUID.
    Object(String),
    /// The Azure resource id.
    Resource(String),
}

impl UserAssigned {
    /// Checks a client id.
    pub fn client_id(text: &str) -> Option<Self> {
        is_guid(text).then(|| Self::Client(text.to_owned()))
    }

    /// Checks an object id.
    pub fn object_id(text: &str) -> Option<Self> {
        is_guid(text).then(|| Self::Object(text.to_owned()))
    }

    /// Checks an Azure resource id.
    pub fn resource_id(text: &str) -> Option<Self> {
        let prefix = "/subscriptions/";
        let starts = text.get(..prefix.len()).is_some_and(|p| p.eq_ignore_ascii_case(prefix));
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"/-_.()".contains(&b);
        (starts && text.len() <= 1024 && text.bytes().all(plain))
            .then(|| Self::Resource(text.to_owned()))
    }

    /// The parameter of this kind of id in a canonical request.
    pub(crate) fn parameter(&self) -> &'static str {
        match self {
            Self::Client(_) => "client_id",
            Self::Object(_) => "object_id",
            Self::Resource(_) => "resource_id",
        }
    }

    /// The id as text.
    pub(crate) fn id(&self) -> &str {
        match self {
            Self::Client(id) | Self::Object(id) | Self::Resource(id) => id,
        }
    }
}

/// An access token and its properties.
#[derive(Debug)]
pub struct Token {
    /// The token itself, as it goes after `Bearer`.
    pub secret: SecretString,
    /// The expiry, in Unix seconds.
    pub expires_on: i64,
    /// The time from which a new token is requested, in Unix seconds.
    pub refresh_on: i64,
    /// The resource that the token is for.
    pub resource: String,
    /// The label of the source that gave the token.
    pub source: String,
    /// The form of that source, if it has several.
    pub endpoint: Option<String>,
    /// The client id in the token request, if there was one.
    pub client_id: Option<String>,
    /// The label of a later source that is available as well and was not asked.
    pub other: Option<String>,
}

impl Token {
    /// Whether the source issues tokens for several tenants. The sources of a machine or job do not.
    pub(crate) fn has_tenants(&self) -> bool {
        !matches!(self.source.as_str(), "managed-identity" | "azureml-obo")
    }
}

/// The audience of the tokens that a vault accepts. Only a verified challenge, or the vault's
/// cloud, makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Audience {
    /// The resource of token requests.
    pub resource: String,
    /// The tenant of token requests, if the challenge names one.
    pub tenant: Option<String>,
}

/// The time from which a new token is requested, in Unix seconds: the one that the service names,
/// else half of a long lifetime, else five minutes before expiry.
pub(crate) fn refresh_on(now: i64, expires_on: i64, refresh_in: Option<i64>) -> i64 {
    let lifetime = expires_on.saturating_sub(now);
    match refresh_in {
        Some(refresh) if (1..lifetime).contains(&refresh) => now.saturating_add(refresh),
        _ if lifetime >= HALF_LIFE_FROM => now.saturating_add(lifetime / 2),
        _ => expires_on.saturating_sub(EXPIRY_MARGIN),
    }
}

/// Whether a text is a `b64token` of RFC 6750, which can go into a header.
pub(crate) fn is_token(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~+/=".contains(&b);
    !text.is_empty() && text.bytes().all(plain)
}

/// Whether a text can be a tenant: a GUID or a domain.
pub(crate) fn is_tenant(text: &str) -> bool {
    // A tenant goes into a path: `..` is none.
    (1..=253).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.".contains(&b))
}

/// Whether a text can be a resource or scope. Brackets are those of an IPv6 address.
pub(crate) fn is_resource(text: &str) -> bool {
    (1..=512).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.:/[]".contains(&b))
}

/// Whether a text is a JSON object, and not too long.
pub(crate) fn is_claims(text: &str) -> bool {
    text.len() <= CLAIMS && text.trim_start().starts_with('{') && json::parse_text(text).is_some()
}

/// Whether a text is a GUID: 8-4-4-4-12 hexadecimal digits.
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
