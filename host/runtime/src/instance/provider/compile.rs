//! Compiles components, each once in a process: handles that are opened with the same component, and
//! children of `fork`, share the code.

use std::sync::{Arc, Mutex, PoisonError};

use sha2::{Digest as _, Sha256};
use wasmtime::component::Component;
use wasmtime::{Engine, Result};

use crate::limits;

type Digest = [u8; 32];

/// The newest last.
static COMPILED: Mutex<Vec<(Digest, Arc<Vec<u8>>)>> = Mutex::new(Vec::new());

pub(super) fn component(engine: &Engine, wasm: &[u8]) -> Result<Component> {
    let digest: Digest = Sha256::digest(wasm).into();
    let code = match known(&digest) {
        Some(code) => code,
        None => {
            // Without the lock, which a `fork` would wait for.
            let code = Arc::new(engine.precompile_component(wasm)?);
            remember(digest, &code);
            code
        }
    };
    // SAFETY: an engine of the same configuration compiled it, in this process or its parent.
    #[allow(unsafe_code, reason = "wasmtime trusts compiled code; this is its own")]
    unsafe {
        Component::deserialize(engine, &*code)
    }
}

fn known(digest: &Digest) -> Option<Arc<Vec<u8>>> {
    let compiled = COMPILED.lock().unwrap_or_else(PoisonError::into_inner);
    compiled.iter().find(|(known, _)| known == digest).map(|(_, code)| Arc::clone(code))
}

fn remember(digest: Digest, code: &Arc<Vec<u8>>) {
    let mut compiled = COMPILED.lock().unwrap_or_else(PoisonError::into_inner);
    if compiled.len() >= limits::COMPONENTS_KEPT {
        compiled.remove(0);
    }
    compiled.push((digest, Arc::clone(code)));
}
