//! The operations on a single secret.
//!
//! <https://learn.microsoft.com/rest/api/keyvault/secrets/operation-groups>

use std::collections::BTreeMap;

use hyper::body::Incoming;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use super::{
    Authenticated,
    errors::VaultError,
    ok, route,
    store::{Seed, Stored, Version},
};
use crate::{
    limits,
    message::{self, Response},
};

/// Sets a secret, which adds a version to it.
pub(super) async fn set(
    request: &Authenticated<'_>,
    name: &str,
    body: &mut Incoming,
) -> Result<Response, VaultError> {
    let body = message::read(body, limits::REQUEST_BODY)
        .await
        .map_err(|error| VaultError::bad_body(&error))?;
    let seed = seed(&body)?;
    Ok(request.vault.store.set_and(name, seed, |stored, version| bundle(request, stored, version)))
}

/// Reads a secret: the latest version, or the version with this id.
pub(super) fn get(
    request: &Authenticated<'_>,
    name: &str,
    version: Option<&str>,
) -> Result<Response, VaultError> {
    let secrets = request.vault.store.read();
    let found = secrets.get(&name.to_ascii_lowercase()).and_then(|stored| {
        let version = version.map_or_else(|| stored.latest(), |id| stored.version(id));
        version.map(|version| (stored, version))
    });
    let Some((stored, found)) = found else {
        return Err(VaultError::not_found(name, version));
    };
    if !found.seed.enabled {
        return Err(VaultError::disabled());
    }
    if request.query.filled("outContentType").is_some() {
        let text = "The 'Unsupported' to 'PEM' transformation is not supported.";
        return Err(VaultError::bad_parameter(text));
    }
    Ok(bundle(request, stored, found))
}

/// The entry of a secret or of a version in a listing.
#[derive(Serialize)]
pub(super) struct Item<'a> {
    #[serde(rename = "contentType", skip_serializing_if = "Option::is_none")]
    content_type: Option<&'a str>,
    id: String,
    attributes: Attributes,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    tags: &'a BTreeMap<String, String>,
}

impl<'a> Item<'a> {
    /// The entry of a secret: the attributes of its latest version, without the version's id.
    pub(super) fn secret(
        request: &Authenticated<'_>,
        stored: &Stored,
        version: &'a Version,
    ) -> Self {
        Self::new(request, version, format!("{}/secrets/{}", request.endpoint.origin, stored.name))
    }

    /// The entry of a version.
    pub(super) fn version(
        request: &Authenticated<'_>,
        stored: &Stored,
        version: &'a Version,
    ) -> Self {
        let id = format!("{}/secrets/{}/{}", request.endpoint.origin, stored.name, version.id);
        Self::new(request, version, id)
    }

    fn new(request: &Authenticated<'_>, version: &'a Version, id: String) -> Self {
        let seed = &version.seed;
        let days =
            route::has_recoverable_days(request.version()).then_some(limits::RECOVERABLE_DAYS);
        let attributes = Attributes {
            enabled: seed.enabled,
            nbf: seed.not_before,
            exp: seed.expires,
            created: version.created,
            updated: version.updated,
            recovery_level: "Recoverable+Purgeable",
            recoverable_days: days,
        };
        Self { content_type: seed.content_type.as_deref(), id, attributes, tags: &seed.tags }
    }
}

fn bundle(request: &Authenticated<'_>, stored: &Stored, version: &Version) -> Response {
    let value = version.seed.value.expose_secret();
    ok(&Bundle { value, item: Item::version(request, stored, version) }, value.len())
}

#[derive(Serialize)]
struct Bundle<'a> {
    value: &'a str,
    #[serde(flatten)]
    item: Item<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Attributes {
    enabled: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    nbf: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exp: Option<i64>,
    created: u64,
    updated: u64,
    recovery_level: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    recoverable_days: Option<u32>,
}

fn seed(body: &[u8]) -> Result<Seed, VaultError> {
    // The error of serde_json would quote the body.
    let body: Body = serde_json::from_slice(body)
        .map_err(|_| VaultError::bad_parameter("The request body is not a secret in JSON."))?;
    let Some(value) = body.value else {
        return Err(VaultError::bad_parameter("The property 'value' is missing."));
    };
    let attributes = body.attributes.unwrap_or_default();
    let seed = Seed {
        value,
        content_type: body.content_type,
        tags: body.tags.unwrap_or_default(),
        enabled: attributes.enabled.unwrap_or(true),
        not_before: attributes.nbf,
        expires: attributes.exp,
    };
    seed.check().map_err(|limit| VaultError::bad_parameter(format!("In the secret, {limit}.")))?;
    Ok(seed)
}

#[derive(Deserialize)]
struct Body {
    value: Option<SecretString>,
    #[serde(rename = "contentType")]
    content_type: Option<String>,
    tags: Option<BTreeMap<String, String>>,
    attributes: Option<RequestAttributes>,
}

#[derive(Default, Deserialize)]
struct RequestAttributes {
    enabled: Option<bool>,
    nbf: Option<i64>,
    exp: Option<i64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_are_parsed_as_by_key_vault() {
        for body in [
            r#"{"value":""}"#,
            r#"{"value":"x","attributes":{}}"#,
            r#"{"value":"x","attributes":null,"tags":null,"other":1}"#,
            r#"{"value":"x","attributes":{"enabled":false,"nbf":1,"exp":32503680000}}"#,
        ] {
            assert!(seed(body.as_bytes()).is_ok(), "{body}");
        }
        for body in [
            "",
            "[]",
            "null",
            "{}",
            r#"{"value":null}"#,
            r#"{"value":5}"#,
            r#"{"value":"x","tags":{"a":1}}"#,
            "{\"value\":\"\u{0}\"}",
        ] {
            assert!(seed(body.as_bytes()).is_err(), "{body}");
        }
    }

    #[test]
    fn an_error_does_not_quote_the_body() {
        let error = seed(br#"{"value":["hunter2"]}"#).err().unwrap();
        assert!(!format!("{error:?}").contains("hunter2"));
    }
}
