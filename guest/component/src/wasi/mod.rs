//! The platform of `vaultlet.wasm`: WASI 0.2.

mod command;
mod context;
mod files;
mod handler;
mod stream;

pub(crate) use context::WasiContext;
