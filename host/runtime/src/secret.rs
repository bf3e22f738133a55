//! Values that came out of the component, in types that do not show them.

use std::fmt;
use std::time::SystemTime;

use zeroize::Zeroizing;

use crate::bindings::exports::vaultlet::keyvault::credentials::{
    Holder as WitHolder, TokenProperties,
};
use crate::bindings::exports::vaultlet::keyvault::types::Properties as WitProperties;

/// One version of one secret. `Debug` shows where it came from and never the value; the value is
/// scrubbed when this is dropped.
pub struct Secret {
    properties: Properties,
    value: Zeroizing<String>,
}

impl Secret {
    pub(crate) fn new(properties: WitProperties, value: Zeroizing<String>) -> Self {
        Self { properties: properties.into(), value }
    }

    /// The plaintext.
    pub fn reveal(&self) -> &str {
        &self.value
    }

    /// All but the value.
    pub fn properties(&self) -> &Properties {
        &self.properties
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Properties { vault, name, version, .. } = &self.properties;
        write!(f, "Secret(akv://{vault}/{name}")?;
        if let Some(version) = version {
            write!(f, "/{version}")?;
        }
        f.write_str(")")
    }
}

/// All that is known of one version of a secret, but for its value. Times are Unix seconds.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Properties {
    /// The vault's host, with its port if it is not 443.
    pub vault: String,
    /// The secret's name.
    pub name: String,
    /// The version, 32 hexadecimal digits.
    pub version: Option<String>,
    /// The content type that its author gave it.
    pub content_type: Option<String>,
    /// Whether it may be read.
    pub enabled: Option<bool>,
    /// When this version was made.
    pub created: Option<i64>,
    /// When it was last changed.
    pub updated: Option<i64>,
    /// Not meant to be used before; not enforced.
    pub not_before: Option<i64>,
    /// Not meant to be used after; not enforced.
    pub expires: Option<i64>,
    /// What deleting it would mean.
    pub recovery_level: Option<String>,
    /// Days for which a deleted one can be recovered.
    pub recoverable_days: Option<u32>,
    /// True when it belongs to a certificate.
    pub managed: Option<bool>,
    /// The key of that certificate.
    pub kid: Option<String>,
    /// Its tags, sorted by name.
    pub tags: Vec<(String, String)>,
}

impl From<WitProperties> for Properties {
    fn from(p: WitProperties) -> Self {
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

/// An access token. `Debug` shows what it is for and never the token; the token is scrubbed when
/// this is dropped.
pub struct Token {
    pub(crate) properties: TokenProperties,
    holder: Holder,
    value: Zeroizing<String>,
}

/// Whose token it is, by what it says of itself. Nothing of it is verified, and a token need not say
/// anything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Holder {
    /// The directory: a GUID.
    pub tenant: Option<String>,
    /// The identity's object id in it.
    pub object_id: Option<String>,
    /// The application that asked.
    pub app_id: Option<String>,
    /// The user's name, masked: `u…@contoso.com`.
    pub upn: Option<String>,
    /// Whom it is for.
    pub audience: Option<String>,
    /// What is worth knowing besides, one line each.
    pub notes: Vec<String>,
}

impl From<WitHolder> for Holder {
    fn from(holder: WitHolder) -> Self {
        let WitHolder { tenant, object_id, app_id, upn, audience, notes } = holder;
        Self { tenant, object_id, app_id, upn, audience, notes }
    }
}

impl Token {
    pub(crate) fn new(
        properties: TokenProperties,
        holder: WitHolder,
        value: Zeroizing<String>,
    ) -> Self {
        Self { properties, holder: holder.into(), value }
    }

    /// Whose it is.
    pub fn holder(&self) -> &Holder {
        &self.holder
    }

    /// The token itself, what goes after `Bearer`.
    pub fn reveal(&self) -> &str {
        &self.value
    }

    /// Not accepted after.
    pub fn expires_on(&self) -> SystemTime {
        time(self.properties.expires_on)
    }

    /// A new one is fetched from then on.
    pub fn refresh_on(&self) -> SystemTime {
        time(self.properties.refresh_on)
    }

    /// The resource that it is for.
    pub fn resource(&self) -> &str {
        &self.properties.resource
    }

    /// The source that gave it: `managed-identity`.
    pub fn source(&self) -> &str {
        &self.properties.source
    }

    /// Which form of the source: `azure-ml`.
    pub fn endpoint(&self) -> Option<&str> {
        self.properties.endpoint.as_deref()
    }

    /// The client id that was asked for, when one was.
    pub fn client_id(&self) -> Option<&str> {
        self.properties.client_id.as_deref()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Token({} by {})", self.resource(), self.source())
    }
}

fn time(seconds: i64) -> SystemTime {
    let since = std::time::Duration::from_secs(seconds.unsigned_abs());
    let epoch = SystemTime::UNIX_EPOCH;
    if seconds < 0 { epoch.checked_sub(since) } else { epoch.checked_add(since) }.unwrap_or(epoch)
}
