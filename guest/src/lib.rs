//! The component behind `vaultlet.wasm`: all knowledge of Azure identity and Key Vault.
//!
//! A pure core ([`vault`], [`credential`], [`endpoint`], [`plan`], [`command`]) whose only door is
//! [`context::Context`], and a shell for wasm that maps the WIT world `provider` to it. On wasm
//! the crate is `no_std`; natively it is an ordinary library, for tests.
#![cfg_attr(target_arch = "wasm32", no_std)]

extern crate alloc;

pub mod call;
mod claims;
pub mod command;
pub mod context;
pub mod credential;
mod date;
pub mod endpoint;
pub mod error;
mod form;
pub mod holder;
mod json;
mod message;
pub mod plan;
mod retry;
pub mod secret;
pub mod settings;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
#[cfg(test)]
mod tests;
pub mod timeouts;
pub mod token;
pub mod url;
pub mod vault;

#[cfg(target_arch = "wasm32")]
mod component;
