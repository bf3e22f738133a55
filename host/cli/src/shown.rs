//! A secret as `-o json` shows it.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Serialize;
use vaultlet_host::Properties;

/// A secret as JSON shows it; the one place where a value is serialised.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Shown<'a> {
    reference: Cow<'a, str>,
    vault: &'a str,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content_type: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    enabled: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    created: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    updated: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    not_before: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    recovery_level: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    recoverable_days: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    managed: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kid: Option<&'a str>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    tags: BTreeMap<&'a str, &'a str>,
}

impl<'a> Shown<'a> {
    pub(crate) fn new(
        reference: Cow<'a, str>,
        properties: &'a Properties,
        value: Option<&'a str>,
    ) -> Self {
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
            ..
        } = properties;
        Self {
            reference,
            vault,
            name,
            version: version.as_deref(),
            value,
            content_type: content_type.as_deref(),
            enabled: *enabled,
            created: *created,
            updated: *updated,
            not_before: *not_before,
            expires: *expires,
            recovery_level: recovery_level.as_deref(),
            recoverable_days: *recoverable_days,
            managed: *managed,
            kid: kid.as_deref(),
            tags: tags.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect(),
        }
    }
}
