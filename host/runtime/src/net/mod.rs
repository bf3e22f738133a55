//! The host's HTTP: one pooled client a handle, its names, addresses, TLS and proxy.

mod client;
mod connect;
mod failure;
#[path = "resolve.rs"]
mod name;
mod tls;

pub(crate) use client::Client;
pub(crate) use failure::Failure;
pub(crate) use name::Override;

use std::sync::Arc;

/// How to reach servers: the same for each request of a handle.
pub(crate) struct Transport {
    pub(crate) tls: Arc<rustls::ClientConfig>,
    pub(crate) overrides: Vec<Override>,
    pub(crate) proxy: hyper_util::client::proxy::matcher::Matcher,
}

pub(crate) use tls::client_config;
