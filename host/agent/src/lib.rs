//! The node's agent: keeps the secrets that the programs of one node ask for, so that each is read from its vault
//! once for all of them, within the vault's limits.
//!
//! [`Cache`] is the agent without its sockets: it asks an [`Upstream`], which is a
//! [`Vaultlet`](vaultlet_host::Vaultlet) or a simulation, at most once at a time for each secret, and keeps what it
//! gets. README.md has its states, its limits, and figures of a simulation with thousands of nodes.
//!
//! [`Server`] gives what is in the cache to the programs that may have it, over unix sockets and ports.
//!
//! The modules from the ground up: `limits` · `trace` · `upstream` · `cache` · `server`.

#![deny(unsafe_code)]

mod cache;
mod limits;
mod server;
mod trace;
mod upstream;

pub use cache::{Answer, Cache, CacheSettings, Counts, Key};
pub use server::{Agent, Listener, Loaded, RuleSources, Server, manager};
pub use upstream::Upstream;
