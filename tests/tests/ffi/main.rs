//! Tests of the C ABI: the header, the exported symbols, and programs in C and C++.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "test helpers, which may panic"
)]

mod environment;
mod header;
mod programs;
