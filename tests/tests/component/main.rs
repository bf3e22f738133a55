//! The component outside vaultlet's host: in Python and Node, served by `wasmtime`, behind other
//! interfaces, and in a registry.
//!
//! The runtimes of other languages are installed into `target/peers`. A test whose interpreter is missing
//! is skipped, or fails with `VAULTLET_REQUIRE_PEERS=1`.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod adapters;
mod install;
mod published;
mod registry;
mod runtimes;
mod served;
