//! Secrets and their properties, as a vault returns them.

use alloc::{string::String, vec::Vec};

use super::reference::{Reference, is_version};
use crate::words::{
    json::{self, Value},
    secret::SecretString,
    url::Url,
};

/// A version of a secret.
#[derive(Debug)]
pub struct Secret {
    /// The value; with a pointer, the part of it that the pointer leads to.
    pub value: SecretString,
    /// The properties.
    pub properties: Properties,
}

/// The properties of a secret: everything but the value. Times are in Unix seconds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Properties {
    /// The vault's host, with the port unless it is the scheme's default.
    pub vault: String,
    /// The secret's name.
    pub name: String,
    /// The secret's version.
    pub version: Option<String>,
    /// The content type that the author gave.
    pub content_type: Option<String>,
    /// Whether the secret is enabled: a disabled one cannot be read.
    pub enabled: Option<bool>,
    /// When this version was created.
    pub created: Option<i64>,
    /// When this version was last changed.
    pub updated: Option<i64>,
    /// The time before which the secret should not be used.
    pub not_before: Option<i64>,
    /// The time after which the secret should not be used.
    pub expires: Option<i64>,
    /// The recovery level: what deletion means in this vault.
    pub recovery_level: Option<String>,
    /// The days for which a deleted secret can be recovered.
    pub recoverable_days: Option<u32>,
    /// Whether the secret belongs to a certificate.
    pub managed: Option<bool>,
    /// The id of that certificate's key.
    pub kid: Option<String>,
    /// The tags, sorted by name.
    pub tags: Vec<(String, String)>,
}

/// Parses a response with a secret. The error says what is wrong without quoting the body.
pub(super) fn parse(body: &[u8], reference: &Reference) -> Result<Secret, &'static str> {
    let bundle = json::parse(body).ok_or("its answer is not JSON")?;
    let value = bundle.secret("value").ok_or("its answer has no value")?;
    let version = match bundle.get("id").and_then(Value::as_text).filter(|id| !id.is_empty()) {
        Some(id) => version_in_id(id, reference)?,
        None => None,
    };
    let properties = Properties {
        name: reference.name.clone(),
        version: version.or_else(|| reference.version.clone()),
        ..properties(&bundle, &reference.vault)
    };
    Ok(Secret { value, properties })
}

/// The properties of a secret or of an item of a page, except for name and version.
pub(super) fn properties(bundle: &Value<'_>, vault: &Url) -> Properties {
    let attributes = bundle.get("attributes").unwrap_or(&json::NULL);
    let mut tags: Vec<(String, String)> = Vec::new();
    for (name, value) in bundle.get("tags").and_then(Value::members).unwrap_or_default() {
        // There are at most 15 tags; the sort of the standard library would add 4 KB of code.
        let at = tags.partition_point(|(other, _)| other.as_str() < name);
        if tags.get(at).is_some_and(|(other, _)| other == name) {
            tags.remove(at);
        }
        if let Some(value) = value.as_text() {
            tags.insert(at, (name.as_ref().into(), value.into()));
        }
    }
    Properties {
        vault: vault.short_host_and_port(),
        content_type: bundle.text("contentType"),
        enabled: attributes.boolean("enabled"),
        created: attributes.integer("created"),
        updated: attributes.integer("updated"),
        not_before: attributes.integer("nbf"),
        expires: attributes.integer("exp"),
        recovery_level: attributes.text("recoveryLevel"),
        recoverable_days: attributes
            .integer("recoverableDays")
            .and_then(|days| u32::try_from(days).ok()),
        managed: bundle.boolean("managed"),
        kid: bundle.text("kid"),
        tags,
        ..Properties::default()
    }
}

/// The version in an id, which must be that of the requested secret.
fn version_in_id(id: &str, reference: &Reference) -> Result<Option<String>, &'static str> {
    let other = "its answer is about another secret";
    let url = Url::parse(id).map_err(|_| other)?;
    if !url.has_origin_of(&reference.vault) {
        return Err("its answer is about a secret of another vault");
    }
    let mut segments = url.target.strip_prefix("/secrets/").ok_or(other)?.split('/');
    if !segments.next().is_some_and(|name| name.eq_ignore_ascii_case(&reference.name)) {
        return Err(other);
    }
    let version = segments.next().filter(|v| is_version(v)).map(str::to_ascii_lowercase);
    match (&reference.version, &version) {
        (Some(requested), Some(returned)) if requested != returned => Err(other),
        _ => Ok(version),
    }
}
