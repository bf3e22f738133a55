//! The host's network side: HTTP over kept connections, name resolution, TLS, the proxy, and the
//! egress policy for addresses.
//!
//! A request runs on its caller's thread from its first byte to its last: `client` has the kept
//! connections · `connection` sends a request and reads its response · `connect` makes a new one ·
//! `stream` waits.

mod budget;
mod client;
mod connect;
mod connection;
mod egress;
mod failure;
mod hosts;
mod http1;
mod local;
mod log;
mod message;
mod probe;
mod proxies;
mod proxy;
mod resolve;
mod server;
mod special;
mod stream;
mod tls;
mod traffic;
mod transport;

#[doc(hidden)]
pub use budget::Budget;
pub(crate) use client::Client;
pub(crate) use connection::Watch;
pub(crate) use failure::Failure;
pub(crate) use local::{Local, LocalAddress};
pub(crate) use log::log;
pub(crate) use message::{Method, Request, Response, SendError};
pub use probe::{Address, Seen, Step};
pub(crate) use proxies::{Direct, Proxies, Proxy};
pub(crate) use resolve::Override;
pub(crate) use server::{Issuers, PlannedServer, Purpose, Target, Trust};
pub(crate) use tls::client_config;
pub use traffic::Traffic;
pub(crate) use transport::Transport;
