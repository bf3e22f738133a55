//! A secret as a vault answers it.

use alloc::{collections::BTreeMap, string::String, vec::Vec};
use serde::{Deserialize, Deserializer};

use super::reference::{Reference, is_version};
use crate::{secret::SecretString, url::Url};

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
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Bundle {
        value: SecretString,
        #[serde(default)]
        id: Option<String>,
        #[serde(default)]
        content_type: Option<String>,
        #[serde(default, deserialize_with = "or_default")]
        attributes: Attributes,
        #[serde(default)]
        managed: Option<bool>,
        #[serde(default)]
        kid: Option<String>,
        #[serde(default, deserialize_with = "or_default")]
        tags: BTreeMap<String, String>,
    }
    #[derive(Default, Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Attributes {
        #[serde(default)]
        enabled: Option<bool>,
        #[serde(default)]
        nbf: Option<i64>,
        #[serde(default)]
        exp: Option<i64>,
        #[serde(default)]
        created: Option<i64>,
        #[serde(default)]
        updated: Option<i64>,
        #[serde(default)]
        recovery_level: Option<String>,
        #[serde(default)]
        recoverable_days: Option<u32>,
    }

    let bundle: Bundle = serde_json::from_slice(body).map_err(|error| match error.classify() {
        serde_json::error::Category::Data => "its JSON is not a secret",
        _ => "its answer is not JSON",
    })?;
    let version = match bundle.id.as_deref().filter(|id| !id.is_empty()) {
        Some(id) => version_of(id, reference)?,
        None => None,
    };
    let attributes = bundle.attributes;
    Ok(Secret {
        value: bundle.value,
        properties: Properties {
            vault: reference.vault.short_authority(),
            name: reference.name.clone(),
            version: version.or_else(|| reference.version.clone()),
            content_type: bundle.content_type,
            enabled: attributes.enabled,
            created: attributes.created,
            updated: attributes.updated,
            not_before: attributes.nbf,
            expires: attributes.exp,
            recovery_level: attributes.recovery_level,
            recoverable_days: attributes.recoverable_days,
            managed: bundle.managed,
            kid: bundle.kid,
            tags: bundle.tags.into_iter().collect(),
        },
    })
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

/// `null` as if absent.
fn or_default<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}
