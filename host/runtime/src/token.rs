//! Access tokens: what a caller asks for, and a token in a type that does not show it.

use std::fmt;
use std::time::{Duration, SystemTime};

use zeroize::Zeroizing;

use crate::bindings::exports::vaultlet::keyvault::types::TokenProperties;

pub use crate::bindings::exports::vaultlet::keyvault::types::Holder;
pub use crate::bindings::exports::vaultlet::keyvault::types::UserAssigned;

/// A request for an access token. The default asks for a token for Key Vault of the configured
/// cloud.
#[derive(Clone, Debug, Default)]
pub struct TokenRequest {
    /// The resource (`https://vault.azure.net`) or scope (`…/.default`) that the token is for.
    pub resource: Option<String>,
    /// The tenant, for sources that have a choice. Managed identities ignore it.
    pub tenant: Option<String>,
    /// A claims challenge as JSON text. Such a request bypasses the cache, and the new token
    /// replaces the cached one.
    pub claims: Option<String>,
}

/// An access token.
///
/// `Debug` shows what the token is for and never the token. The token is scrubbed from memory when
/// it is dropped.
pub struct Token {
    pub(crate) properties: TokenProperties,
    pub(crate) holder: Holder,
    value: Zeroizing<String>,
}

impl Token {
    pub(crate) fn new(
        properties: TokenProperties,
        holder: Holder,
        value: Zeroizing<String>,
    ) -> Self {
        Self { properties, holder, value }
    }

    /// The identity that the token belongs to, as the token says; nothing of it is verified.
    pub fn holder(&self) -> &Holder {
        &self.holder
    }

    /// The token itself, which goes after `Bearer` in an `Authorization` header.
    pub fn reveal(&self) -> &str {
        &self.value
    }

    /// When the token expires. Servers do not accept it afterwards.
    pub fn expires_on(&self) -> SystemTime {
        system_time(self.properties.expires_on)
    }

    /// When the cache begins to fetch a new token. This one still works until it expires.
    pub fn refresh_on(&self) -> SystemTime {
        system_time(self.properties.refresh_on)
    }

    /// The resource that the token is for.
    pub fn resource(&self) -> &str {
        &self.properties.resource
    }

    /// The source that the token came from: `managed-identity`.
    pub fn source(&self) -> &str {
        &self.properties.source
    }

    /// The form of the source, where it has several: `azure-ml`.
    pub fn endpoint(&self) -> Option<&str> {
        self.properties.endpoint.as_deref()
    }

    /// The client id of the user-assigned managed identity that was asked for, if any.
    pub fn client_id(&self) -> Option<&str> {
        self.properties.client_id.as_deref()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Token({} by {})", self.resource(), self.source())
    }
}

/// A time from Unix seconds; the epoch where the system cannot represent it.
fn system_time(seconds: i64) -> SystemTime {
    let since = Duration::from_secs(seconds.unsigned_abs());
    let epoch = SystemTime::UNIX_EPOCH;
    if seconds < 0 { epoch.checked_sub(since) } else { epoch.checked_add(since) }.unwrap_or(epoch)
}
