//! Hosts at which an identity endpoint may be plain HTTP, besides addresses that are near.

use super::{ALLOW_HTTP_IDENTITY, Lookup, set};
use crate::{
    error::Error,
    words::url::{Url, is_address, split_host_and_port},
};

/// Checks the setting.
pub(super) fn check(get: Lookup<'_>) -> Result<(), Error> {
    let Some((list, name)) = ALLOW_HTTP_IDENTITY.read(get) else { return Ok(()) };
    let is_right = entries(&list)
        .all(|entry| split_host_and_port(entry).is_ok_and(|(host, _)| !is_address(&host)));
    if is_right {
        Ok(())
    } else {
        Err(name
            .malformed("a list of host names, such as `identity-proxy` or `identity-proxy:8080`"))
    }
}

/// Whether the setting names the host of this URL, and no other port.
pub(crate) fn allows_http_identity(variables: Lookup<'_>, url: &Url) -> bool {
    set(variables, ALLOW_HTTP_IDENTITY.variable).is_some_and(|list| {
        entries(&list).any(|entry| {
            split_host_and_port(entry).is_ok_and(|(host, port)| {
                host == url.host && port.is_none_or(|port| port == url.port)
            })
        })
    })
}

fn entries(list: &str) -> impl Iterator<Item = &str> {
    list.split(',').map(str::trim).filter(|entry| !entry.is_empty())
}
