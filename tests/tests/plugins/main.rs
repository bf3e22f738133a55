//! Untrusted plugins in vaultlet's host: they read what they are granted and see nothing else.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod clock;
mod compile;
mod from_c;
mod granted;
mod job;
mod languages;
mod limits;
mod locks;
mod policy;
mod refused;
mod surroundings;
mod told;
mod toolchains;
