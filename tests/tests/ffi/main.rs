//! The C ABI: its header, its symbols, and programs in C and C++ that use it.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests, which may fail so"
)]

mod header;
mod programs;
