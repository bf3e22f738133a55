//! The endpoints of the authority: its real host in each cloud, and its loopback listeners.

use crate::directory::clouds::{AUTHORITY_HOSTS, PUBLIC_AUTHORITY};

/// An address of the authority, as its documents show it.
#[derive(Debug, Clone)]
pub(crate) struct Endpoint {
    /// Scheme, host and, unless it is the default, port.
    pub(crate) origin: String,
    /// Origin of the issuer in version 2 tokens.
    pub(crate) issuer: String,
    /// Name of the cloud in the discovery document.
    pub(crate) cloud: String,
    /// URL of the page on which a user approves a device code.
    pub(crate) device_page: String,
}

impl Endpoint {
    /// The endpoint at a real host of the authority.
    pub(crate) fn real(host: &str, device_page: &str) -> Self {
        let hosts = AUTHORITY_HOSTS.iter().find(|hosts| hosts.contains(&host));
        // The regional hosts are in no list and belong to the public cloud.
        let preferred = hosts.and_then(|hosts| hosts.first()).unwrap_or(&PUBLIC_AUTHORITY);
        Self {
            origin: format!("https://{host}"),
            issuer: format!("https://{preferred}"),
            cloud: preferred.trim_start_matches("login.").to_owned(),
            device_page: device_page.to_owned(),
        }
    }

    /// The endpoint of a loopback listener.
    pub(crate) fn loopback(origin: &str, device_page: &str) -> Self {
        Self {
            origin: origin.to_owned(),
            issuer: origin.to_owned(),
            cloud: "localhost".to_owned(),
            device_page: device_page.to_owned(),
        }
    }
}
