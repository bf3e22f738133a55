//! A component of an embedder's own, of the world `provider`: compiled when the handle is opened, and
//! given WASI in place of the interface `host`. Its requests take the same way as those of the
//! built-in component, through the grant of its role.

mod compile;
mod egress;
mod files;
mod guest;
mod store_state;

use std::sync::Arc;

use futures_lite::future::block_on;
use tokio::runtime::Runtime;
use wasmtime::component::{InstancePre, Linker};
use wasmtime::{Engine, Result, Store};
use wasmtime_wasi::cli::{WasiCli, WasiCliView as _};
use wasmtime_wasi_http::p2::bindings::ProxyIndices;

use crate::call::Call;
use crate::error::Error;
use crate::exhausted;
use crate::grant::Grant;

pub(super) use guest::ProviderInstance;
use store_state::WasiState;

/// The component with its imports resolved.
pub(super) struct Provider {
    pre: InstancePre<WasiState>,
    /// The export `wasi:http/incoming-handler`.
    handler: ProxyIndices,
    /// Drives the timers and requests of WASI while a call blocks its thread. Taken when this is
    /// dropped.
    runtime: Option<Runtime>,
}

impl Provider {
    pub(super) fn load(engine: &Engine, wasm: &[u8]) -> Result<Arc<Self>, Error> {
        let refused = |error: wasmtime::Error| {
            Error::configuration(
                "component-refused",
                format!("compiling the component: {error:#}"),
                "give a component that exports the world `vaultlet:keyvault/provider`",
            )
        };
        let component = compile::component(engine, wasm).map_err(refused)?;
        let mut linker = Linker::new(engine);
        link(&mut linker).map_err(refused)?;
        let pre = linker.instantiate_pre(&component).map_err(refused)?;
        let handler = ProxyIndices::new(&pre).map_err(refused)?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("vaultlet-wasi")
            .enable_time()
            .build()
            .map_err(|e| exhausted::thread(&e))?;
        Ok(Arc::new(Self { pre, handler, runtime: Some(runtime) }))
    }

    /// Starts an instance with this grant, for this call first.
    pub(super) fn instantiate(
        self: &Arc<Self>,
        grant: &Arc<Grant>,
        call: &Arc<Call>,
    ) -> Result<ProviderInstance> {
        let mut store = Store::new(self.pre.engine(), WasiState::new(Arc::clone(grant)));
        store.limiter(|state| &mut state.limits);
        store.set_epoch_deadline(1);
        // A guest in a long computation yields, so that the end of its call can stop it.
        store.epoch_deadline_async_yield_and_update(1);
        let instance = self.run(call, self.pre.instantiate_async(&mut store))?;
        Ok(ProviderInstance::new(Arc::clone(self), store, instance))
    }

    /// Runs a future on this thread, until it is done or the call has ended.
    fn run<T>(&self, call: &Call, future: impl Future<Output = Result<T>>) -> Result<T> {
        let Some(runtime) = &self.runtime else {
            return Err(wasmtime::format_err!("the runtime has been shut down"));
        };
        // This thread may run a runtime of the embedder's, in which another could not block.
        let _entered = runtime.enter();
        block_on(async {
            tokio::select! {
                biased;
                result = future => result,
                ended = call.ended() => Err(ended.into()),
            }
        })
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // A request may still block a thread of its own; nothing waits for it.
            runtime.shutdown_background();
        }
    }
}

/// Adds exactly the interfaces that the world imports.
fn link(linker: &mut Linker<WasiState>) -> Result<()> {
    wasmtime_wasi::p2::add_to_linker_proxy_interfaces_async(linker)?;
    wasmtime_wasi::p2::bindings::cli::environment::add_to_linker::<WasiState, WasiCli>(
        linker,
        WasiState::cli,
    )?;
    files::add_to_linker(linker)?;
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(linker)
}
