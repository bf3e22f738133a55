//! The node's agent: keeps the secrets that the programs of one node ask for, so that each is read from its vault
//! once for all of them, within the vault's limits.
//!
//! [`Cache`] is the agent without its sockets: it asks an [`Upstream`], which is a
//! [`Vaultlet`](vaultlet_host::Vaultlet) or a simulation, at most once at a time for each secret, and keeps what it
//! gets. README.md has its states, its limits, and figures of a simulation with thousands of nodes.
//!
//! The modules from the ground up: `limits` · `upstream` · `cache`.

mod cache;
mod limits;
mod upstream;

pub use cache::{Answer, Cache, CacheSettings, Counts, Key};
pub use upstream::Upstream;
