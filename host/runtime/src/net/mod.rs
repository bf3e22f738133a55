//! The host's network side: HTTP with one connection pool per purpose and trust, name resolution,
//! TLS, the proxy, and the egress policy for addresses.

mod client;
mod connect;
mod egress;
mod failure;
mod resolve;
mod server;
mod tls;
mod transport;

pub(crate) use client::Client;
pub(crate) use failure::Failure;
pub(crate) use resolve::Override;
pub(crate) use server::{Issuers, PlannedServer, Purpose, Target, Trust};
pub(crate) use tls::client_config;
pub(crate) use transport::Transport;
