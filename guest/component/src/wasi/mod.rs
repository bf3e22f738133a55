//! The platform of `vaultlet.wasm`: WASI 0.2.

mod command;
mod context;
mod files;
mod handler;
mod stream;

use crate::instance::Instance;
use context::WasiContext;

pub(crate) static INSTANCE: Instance<WasiContext> = Instance::new();
