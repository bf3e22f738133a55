//! A secret as a vault answers it.

use alloc::{string::String, vec::Vec};

use super::reference::{Reference, is_version};
use crate::words::{
    json::{self, Value},
    secret::SecretString,
    url::Url,
};

/// One version of one secret.
#[derive(Debug)]
pub struct Secret {
    /// The plaintext; with a pointer, what that leads to.
    pub value: SecretString,
    /// All else.
    pub properties: Properties,
}

/// What is known of a secret but for its value. Times are Unix seconds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Properties {
    /// The vault's host, with its port if that is not the usual one.
    pub vault: String,
    /// The secret's name.
    pub name: String,
    /// Its version.
    pub version: Option<String>,
    /// What its author says it is.
    pub content_type: Option<String>,
    /// Whether it may be read.
    pub enabled: Option<bool>,
    /// When this version was made.
    pub created: Option<i64>,
    /// When it was last changed.
    pub updated: Option<i64>,
    /// Not meant to be used before.
    pub not_before: Option<i64>,
    /// Not meant to be used after.
    pub expires: Option<i64>,
    /// What deleting it would mean.
    pub recovery_level: Option<String>,
    /// For how many days a deleted one can be recovered.
    pub recoverable_days: Option<u32>,
    /// Whether it belongs to a certificate.
    pub managed: Option<bool>,
    /// The key of that certificate.
    pub kid: Option<String>,
    /// Its tags, sorted by name.
    pub tags: Vec<(String, String)>,
}

/// Parses a bundle; the error says what is wrong without a word of the body.
pub(super) fn parse(body: &[u8], reference: &Reference) -> Result<Secret, &'static str> {
    let bundle = json::parse(body).ok_or("its answer is not JSON")?;
    let value = bundle.secret("value").ok_or("its answer has no value")?;
    let version = match bundle.text("id").filter(|id| !id.is_empty()) {
        Some(id) => version_of(&id, reference)?,
        None => None,
    };
    let properties = Properties {
        name: reference.name.clone(),
        version: version.or_else(|| reference.version.clone()),
        ..properties(&bundle, &reference.vault)
    };
    Ok(Secret { value, properties })
}

/// What a bundle, or an item of a page, says besides name, version and value.
pub(super) fn properties(bundle: &Value<'_>, vault: &Url) -> Properties {
    let attributes = bundle.get("attributes").unwrap_or(&json::NULL);
    let mut tags: Vec<(String, String)> = Vec::new();
    for (name, value) in bundle.get("tags").and_then(Value::members).unwrap_or_default() {
        // 15 at most: a library's sort would be 4 KB of code.
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

/// The version that an id names, if it names the secret that was asked for.
fn version_of(id: &str, reference: &Reference) -> Result<Option<String>, &'static str> {
    let other = "its answer is about another secret";
    let url = Url::parse(id).map_err(|_| other)?;
    let mut segments = url.target.strip_prefix("/secrets/").ok_or(other)?.split('/');
    if !segments.next().is_some_and(|name| name.eq_ignore_ascii_case(&reference.name)) {
        return Err(other);
    }
    let version = segments.next().filter(|v| is_version(v)).map(str::to_ascii_lowercase);
    match (&reference.version, &version) {
        (Some(asked), Some(got)) if asked != got => Err(other),
        _ => Ok(version),
    }
}
