//! The platform of `vaultlet-p3.wasm`: WASI 0.3. The core is synchronous: each request of its context runs the imports'
//! futures to their end, and the instance waits meanwhile.

mod command;
mod context;
mod files;
mod handler;
mod stream;

use crate::instance::Instance;
use context::WasiContext;

pub(crate) static INSTANCE: Instance<WasiContext> = Instance::new();
