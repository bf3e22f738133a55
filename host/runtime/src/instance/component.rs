//! Loads the component: wasmtime's engine, the compiled code and its imports.

use std::ptr::NonNull;
use std::sync::Arc;

use wasmtime::component::{Component, Linker};
use wasmtime::{Engine, InstanceAllocationStrategy, PoolingAllocationConfig};
use wasmtime_wasi::cli::{WasiCli, WasiCliView as _};

use crate::bindings::ProviderPre;
use crate::error::Error;
use crate::internal::files;
use crate::limits::MEMORY_MAX;

use super::code_memory::{Pages, claim_in_place};
use super::config::config;
use super::store_state::StoreState;

/// The component, compiled by the build script with the configuration of `config.rs`.
static COMPILED: &[u8] = &Aligned(*include_bytes!(concat!(env!("OUT_DIR"), "/vaultlet.cwasm"))).0;

/// Aligned to a page, so that the code runs in place and is not copied.
#[repr(C, align(4096))]
struct Aligned<const SIZE: usize>([u8; SIZE]);

/// wasmtime's engine, and the component with its imports resolved.
pub(crate) struct Loaded {
    pub(crate) engine: Engine,
    pub(crate) pre: ProviderPre<StoreState>,
}

impl Loaded {
    /// Loads the built-in component, or the given WebAssembly in its place, with room for this many
    /// instances at once.
    pub(crate) fn new(wasm: Option<&[u8]>, instances: usize) -> Result<Self, Error> {
        let failed = |e: wasmtime::Error| Error::internal(format!("loading the component: {e:#}"));
        let mut config = config();
        config.allocation_strategy(InstanceAllocationStrategy::Pooling(allocation(instances)));
        config.with_custom_code_memory(Some(Arc::new(Pages)));
        // The build has used the same configuration, so that what fails here is reserving memory.
        let engine = Engine::new(&config).map_err(|e| {
            Error::configuration(
                "address-space",
                format!("loading the component: {e:#}"),
                "raise the limit (`ulimit -v`), or allow fewer calls at once (`concurrency`)",
            )
        })?;
        let component = match wasm {
            Some(bytes) => compile(&engine, bytes)?,
            None => {
                // SAFETY: the bytes are the output of this build and nothing else. They stay the
                // same for as long as the program runs.
                #[allow(unsafe_code, reason = "wasmtime trusts compiled code; ours is embedded")]
                let component = unsafe {
                    if claim_in_place(COMPILED) {
                        Component::deserialize_raw(&engine, NonNull::from(COMPILED))
                    } else {
                        Component::deserialize(&engine, COMPILED)
                    }
                };
                component.map_err(failed)?
            }
        };
        let mut linker = Linker::new(&engine);
        link(&mut linker).map_err(failed)?;
        let pre = linker.instantiate_pre(&component).map_err(failed)?;
        Ok(Self { engine, pre: ProviderPre::new(pre).map_err(failed)? })
    }
}

#[cfg(feature = "jit")]
fn compile(engine: &Engine, bytes: &[u8]) -> Result<Component, Error> {
    Component::new(engine, bytes).map_err(|e| {
        Error::configuration(
            "component-refused",
            format!("compiling the component: {e:#}"),
            "give a component that exports the world `vaultlet:keyvault/provider`",
        )
    })
}

#[cfg(not(feature = "jit"))]
fn compile(_: &Engine, _: &[u8]) -> Result<Component, Error> {
    Err(Error::internal("loading the component: this build has no compiler"))
}

/// Adds exactly the interfaces that the component imports.
fn link(linker: &mut Linker<StoreState>) -> wasmtime::Result<()> {
    wasmtime_wasi::p2::add_to_linker_proxy_interfaces_async(linker)?;
    wasmtime_wasi::p2::bindings::cli::environment::add_to_linker::<StoreState, WasiCli>(
        linker,
        StoreState::cli,
    )?;
    files::add_to_linker(linker)?;
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(linker)
}

/// The pooling allocator's limits: room for all instance pools at once, as calls wait for an
/// instance there and never here, where the limit is an error.
fn allocation(instances: usize) -> PoolingAllocationConfig {
    let instances = u32::try_from(instances).unwrap_or(u32::MAX);
    // Idle instances of other vaults keep their memory, too.
    let total = instances * 2;
    let mut allocation = PoolingAllocationConfig::new();
    allocation
        .total_component_instances(total)
        .total_core_instances(total * 4)
        .total_memories(total)
        .total_tables(total * 4)
        .total_stacks(instances)
        .max_memories_per_component(1)
        .max_core_instances_per_component(16)
        .max_tables_per_component(8)
        .max_memory_size(MEMORY_MAX)
        .table_elements(4_096)
        .linear_memory_keep_resident(128 << 10)
        .async_stack_keep_resident(32 << 10)
        .max_unused_warm_slots(instances);
    allocation
}
