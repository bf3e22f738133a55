//! Hosts at which an identity endpoint may be plain HTTP, besides addresses that are near.

use super::{ALLOW_HTTP_IDENTITY, Lookup, set};
use crate::{
    error::Error,
    words::url::{Url, is_address, split_host_and_port},
};

/// Checks the setting.
pub(super) fn check(get: Lookup<'_>) -> Result<(), Error> {
    let Some((list, name)) = ALLOW_HTTP_IDENTITY.read(get) else { return Ok(()) };
    // No URL is looked for.
    search(&list, None).map(drop).ok_or_else(|| {
        name.malformed("a list of host names, such as `identity-proxy` or `identity-proxy:8080`")
    })
}

/// Whether the setting names the host of this URL, and no other port.
pub(crate) fn allows_http_identity(variables: Lookup<'_>, url: &Url) -> bool {
    let list = set(variables, ALLOW_HTTP_IDENTITY.variable);
    list.and_then(|list| search(&list, Some(url))).unwrap_or(false)
}

/// Whether a list has the URL's host; none if the list is malformed.
fn search(list: &str, url: Option<&Url>) -> Option<bool> {
    let mut found = false;
    for entry in list.split(',').map(str::trim).filter(|entry| !entry.is_empty()) {
        let (host, port) = split_host_and_port(entry).ok().filter(|(host, _)| !is_address(host))?;
        found |= url.is_some_and(|url| host == url.host && port.is_none_or(|it| it == url.port));
    }
    Some(found)
}
