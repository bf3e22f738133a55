//! How a handle reaches servers.

use std::num::NonZeroU32;
use std::sync::Arc;

use super::proxies::Proxies;
use super::resolve::Override;

/// Settings that every connection of a handle shares.
pub(crate) struct Transport {
    /// TLS with the handle's roots.
    pub(crate) tls: Arc<rustls::ClientConfig>,
    /// Addresses to connect to in place of those a name resolves to.
    pub(crate) overrides: Vec<Override>,
    /// Which servers are reached through a proxy, and which proxy.
    pub(crate) proxies: Proxies,
    /// Requests a second to one vault, if there is a limit.
    pub(crate) rate: Option<NonZeroU32>,
}
