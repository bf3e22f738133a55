//! The operations on one secret.
//!
//! <https://learn.microsoft.com/rest/api/keyvault/secrets/operation-groups>

use std::collections::BTreeMap;

use hyper::body::Incoming;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use super::{
    Call,
    errors::Problem,
    ok, route,
    store::{Seed, Stored, Version},
};
use crate::{
    limits,
    message::{self, Answer},
};

/// Sets a secret: always a new version.
pub(super) async fn set(call: &Call<'_>, name: &str, body: Incoming) -> Result<Answer, Problem> {
    let body = message::read(body, limits::REQUEST_BODY)
        .await
        .map_err(|error| Problem::bad_body(&error))?;
    let seed = seed(&body)?;
    Ok(call.vault.store.set_and(name, seed, |stored, version| bundle(call, stored, version)))
}

/// Reads a secret: the latest version, or one by its id.
pub(super) fn get(call: &Call<'_>, name: &str, version: Option<&str>) -> Result<Answer, Problem> {
    let secrets = call.vault.store.read();
    let found = secrets.get(&name.to_ascii_lowercase()).and_then(|stored| {
        let version = version.map_or_else(|| stored.latest(), |id| stored.version(id));
        version.map(|version| (stored, version))
    });
    let Some((stored, found)) = found else {
        return Err(Problem::not_found(name, version));
    };
    if !found.seed.enabled {
        return Err(Problem::disabled());
    }
    if call.query.filled("outContentType").is_some() {
        let text = "The 'Unsupported' to 'PEM' transformation is not supported.";
        return Err(Problem::bad_parameter(text));
    }
    Ok(bundle(call, stored, found))
}

/// What pages say about a secret or a version of it.
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
    /// About a secret as a whole: its latest version, without its id.
    pub(super) fn secret(call: &Call<'_>, stored: &Stored, version: &'a Version) -> Self {
        Self::new(call, version, format!("{}/secrets/{}", call.place.origin, stored.name))
    }

    /// About one version.
    pub(super) fn version(call: &Call<'_>, stored: &Stored, version: &'a Version) -> Self {
        let id = format!("{}/secrets/{}/{}", call.place.origin, stored.name, version.id);
        Self::new(call, version, id)
    }

    fn new(call: &Call<'_>, version: &'a Version, id: String) -> Self {
        let seed = &version.seed;
        let days =
            route::tells_recoverable_days(call.version()).then_some(limits::RECOVERABLE_DAYS);
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

fn bundle(call: &Call<'_>, stored: &Stored, version: &Version) -> Answer {
    let value = version.seed.value.expose_secret();
    ok(&Bundle { value, item: Item::version(call, stored, version) }, value.len())
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

fn seed(body: &[u8]) -> Result<Seed, Problem> {
    // serde_json's own text would quote what it read.
    let body: Body = serde_json::from_slice(body)
        .map_err(|_| Problem::bad_parameter("The request body is not a secret in JSON."))?;
    let Some(value) = body.value else {
        return Err(Problem::bad_parameter("The property 'value' is missing."));
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
    seed.check().map_err(|limit| Problem::bad_parameter(format!("In the secret, {limit}.")))?;
    Ok(seed)
}

#[derive(Deserialize)]
struct Body {
    value: Option<SecretString>,
    #[serde(rename = "contentType")]
    content_type: Option<String>,
    tags: Option<BTreeMap<String, String>>,
    attributes: Option<AskedAttributes>,
}

#[derive(Default, Deserialize)]
struct AskedAttributes {
    enabled: Option<bool>,
    nbf: Option<i64>,
    exp: Option<i64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_are_read_as_the_service_does() {
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
    fn refusal_does_not_quote_the_body() {
        let problem = seed(br#"{"value":["hunter2"]}"#).err().unwrap();
        assert!(!format!("{problem:?}").contains("hunter2"));
    }
}
