//! The pure core of vaultlet: all knowledge of Azure identity and Key Vault, with no I/O of its own.
//!
//! All input and output goes through the trait [`context::Context`]. The component compiles this crate to
//! WebAssembly and implements the trait with WASI; natively the crate is an ordinary library, for tests.
//!
//! The modules from the ground up; each uses only those before it:
//! `words` · `source_table` · `limits` · [`context`] · [`error`] · `message` · [`plan`] · [`token`] · [`settings`] ·
//! [`call`] · `retry` · `endpoint` · `source` · [`tokens`] · [`vault`] · [`serve`] · [`planner`] ·
//! [`command`].
#![cfg_attr(not(any(test, feature = "testing")), no_std)]

extern crate alloc;

// The example in README.md, as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

mod source_table;
mod words;

pub mod call;
pub mod command;
pub mod context;
mod endpoint;
pub mod error;
pub mod limits;
mod message;
pub mod plan;
pub mod planner;
mod retry;
pub mod serve;
pub mod settings;
mod source;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
#[cfg(test)]
mod tests;
pub mod token;
pub mod tokens;
pub mod vault;

pub use words::{date, scrub, secret, url, visible};
