//! The component where it is not ours to run: in Python and Node, served by `wasmtime`, behind
//! other interfaces, and in a registry.
//!
//! The runtimes of other languages are installed into `target/peers` when their interpreter is there.
//! Where it is not, the test says so and is skipped, unless `VAULTLET_REQUIRE_PEERS=1`.

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
