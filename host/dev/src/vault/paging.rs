//! Listings of secrets and of versions, in pages that link to the next.
//!
//! <https://learn.microsoft.com/rest/api/keyvault/secrets/get-secrets/get-secrets>

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

use super::{Authenticated, errors::VaultError, ok, operations::Item};
use crate::{limits, message::Response};

/// A page of a vault's secrets, sorted by name.
pub(super) fn secrets(request: &Authenticated<'_>) -> Result<Response, VaultError> {
    let page = PageRequest::parse(request)?;
    let secrets = request.vault.store.read();
    let mut rest = secrets
        .range::<str, _>((page.from(), std::ops::Bound::Unbounded))
        .filter_map(|(key, stored)| Some((key, stored, stored.latest()?)));
    let items = rest
        .by_ref()
        .take(page.size)
        .map(|(_, stored, latest)| Item::secret(request, stored, latest))
        .collect();
    let next = rest.next().map(|(key, ..)| page.link(request, "/secrets", key));
    Ok(ok(&Page { value: items, next_link: next }, 0))
}

/// A page of a secret's versions, sorted by id. It is empty if there is no such secret.
pub(super) fn versions(request: &Authenticated<'_>, name: &str) -> Result<Response, VaultError> {
    let page = PageRequest::parse(request)?;
    let secrets = request.vault.store.read();
    let Some(stored) = secrets.get(&name.to_ascii_lowercase()) else {
        return Ok(ok(&Page { value: Vec::new(), next_link: None }, 0));
    };
    let versions = stored.by_id();
    let mut rest = versions.range::<str, _>((page.from(), std::ops::Bound::Unbounded));
    let items = rest
        .by_ref()
        .take(page.size)
        .map(|(_, version)| Item::version(request, stored, version))
        .collect();
    let path = format!("/secrets/{}/versions", stored.name);
    let next = rest.next().map(|(key, _)| page.link(request, &path, key));
    Ok(ok(&Page { value: items, next_link: next }, 0))
}

#[derive(Serialize)]
struct Page<'a> {
    value: Vec<Item<'a>>,
    // Always present: null on the last page.
    #[serde(rename = "nextLink")]
    next_link: Option<String>,
}

/// The page that a request asks for.
struct PageRequest {
    size: usize,
    /// Whether the request names the size, so that links repeat it.
    is_sized: bool,
    from: Option<String>,
}

impl PageRequest {
    fn parse(request: &Authenticated<'_>) -> Result<Self, VaultError> {
        let given = request.query.get("maxresults");
        let size = match given {
            None => limits::PAGE,
            Some(text) => {
                text.parse().ok().filter(|size| (1..=limits::PAGE).contains(size)).ok_or_else(
                    || VaultError::bad_parameter("maxresults is not a number from 1 to 25."),
                )?
            }
        };
        let from = request.query.filled("$skiptoken").map(read_marker).transpose()?;
        Ok(Self { size, is_sized: given.is_some(), from })
    }

    fn from(&self) -> std::ops::Bound<&str> {
        match &self.from {
            None => std::ops::Bound::Unbounded,
            Some(marker) => std::ops::Bound::Included(marker),
        }
    }

    fn link(&self, request: &Authenticated<'_>, path: &str, marker: &str) -> String {
        let origin = &request.endpoint.paging_origin;
        let version = request.version();
        let token = write_marker(marker);
        let size = if self.is_sized { format!("&maxresults={}", self.size) } else { String::new() };
        format!("{origin}{path}?api-version={version}&$skiptoken={token}{size}")
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SkipToken {
    next_marker: String,
    target_location: TargetLocation,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct TargetLocation {
    location_mode: u8,
}

fn write_marker(marker: &str) -> String {
    let token =
        SkipToken { next_marker: marker.to_owned(), target_location: TargetLocation::default() };
    // A string and a number, both of which serde_json accepts.
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(&token).unwrap_or_default())
}

fn read_marker(token: &str) -> Result<String, VaultError> {
    URL_SAFE_NO_PAD
        .decode(token.trim_end_matches('='))
        .ok()
        .and_then(|json| serde_json::from_slice::<SkipToken>(&json).ok())
        .map(|token| token.next_marker)
        .ok_or_else(|| VaultError::bad_parameter("$skiptoken is not one that a page gave."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markers_round_trip_and_forged_ones_are_rejected() {
        for marker in ["", "db-password", "ä/?&"] {
            assert_eq!(read_marker(&write_marker(marker)).unwrap(), marker);
        }
        for token in ["x", "e30", "!!", "bm90IGpzb24"] {
            assert!(read_marker(token).is_err(), "{token}");
        }
    }
}
