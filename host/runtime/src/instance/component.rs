//! Loads the component: wasmtime's engine, and the compiled code with its imports resolved.

use std::sync::Arc;

use wasmtime::{Engine, InstanceAllocationStrategy, PoolingAllocationConfig};

use crate::call::Call;
use crate::error::Error;
use crate::exhausted;
use crate::grant::Grant;
use crate::limits::{MEMORY_MAX, WASM_STACK};

use super::code_memory::NotExecutable;
use super::config::{MEMORY_RESERVED, config};
use super::embedded::{Embedded, pages};
use super::guest::Guest;

#[cfg(feature = "jit")]
use super::provider::Provider;

/// wasmtime's engine, and the component of one of its two worlds.
pub(crate) struct Loaded {
    pub(crate) engine: Engine,
    world: World,
}

enum World {
    Embedded(Arc<Embedded>),
    #[cfg(feature = "jit")]
    Provider(Arc<Provider>),
}

/// How memory for instances is had.
#[derive(Clone, Copy)]
pub(crate) enum Allocation {
    /// Reserved for so many at once when the component is loaded.
    Pool(usize),
    /// For each instance when it is made, which is less work for a few.
    OnDemand,
}

impl Loaded {
    /// Loads the built-in component, or the given WebAssembly of the world `provider` in its place.
    pub(crate) fn new(wasm: Option<&[u8]>, allocation: Allocation) -> Result<Self, Error> {
        let engine = engine(allocation).or_else(|error| match allocation {
            // Under a limit of addresses (`ulimit -v`) there is room for the few instances that run, and not
            // for all that may run at once.
            Allocation::Pool(_) if exhausted::of_wasmtime(LOADING, &error).is_some() => {
                engine(Allocation::OnDemand)
            }
            _ => Err(error),
        });
        let engine = engine.map_err(|e| failed(&e))?;
        crate::phases::mark("engine made");
        let world = match wasm {
            Some(wasm) => given(&engine, wasm)?,
            None => World::Embedded(Embedded::load(&engine).map_err(|e| failed(&e))?),
        };
        Ok(Self { engine, world })
    }

    /// Starts an instance with this grant, for this call first.
    pub(super) fn instantiate(
        &self,
        grant: &Arc<Grant>,
        call: &Arc<Call>,
    ) -> wasmtime::Result<Guest> {
        Ok(match &self.world {
            World::Embedded(embedded) => Guest::Embedded(embedded.instantiate(grant, call)?),
            #[cfg(feature = "jit")]
            World::Provider(provider) => Guest::Provider(provider.instantiate(grant, call)?),
        })
    }
}

const LOADING: &str = "loading the component";

/// The engine, with the configuration that the build has used.
fn engine(allocation: Allocation) -> wasmtime::Result<Engine> {
    let mut config = config(MEMORY_RESERVED, cfg!(windows));
    config.max_wasm_stack(WASM_STACK);
    if let Allocation::Pool(instances) = allocation {
        config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool(instances)));
    }
    config.with_custom_code_memory(Some(Arc::new(pages())));
    Engine::new(&config)
}

/// The error of a system that lets no memory become executable, if that is what an error is.
pub(crate) fn not_executable(doing: &str, error: &wasmtime::Error) -> Option<Error> {
    let why = error.downcast_ref::<NotExecutable>()?;
    Some(Error::configuration(
        "code-memory",
        format!("{doing}: {why}"),
        "allow it (`MemoryDenyWriteExecute=no` of systemd, `execmem` of SELinux), or run each handle \
         in a process of its own, and no plugin",
    ))
}

fn failed(error: &wasmtime::Error) -> Error {
    not_executable(LOADING, error)
        .or_else(|| exhausted::of_wasmtime(LOADING, error))
        .unwrap_or_else(|| Error::internal(format!("{LOADING}: {error:#}")))
}

#[cfg(feature = "jit")]
fn given(engine: &Engine, wasm: &[u8]) -> Result<World, Error> {
    Provider::load(engine, wasm).map(World::Provider)
}

#[cfg(not(feature = "jit"))]
fn given(_: &Engine, _: &[u8]) -> Result<World, Error> {
    Err(Error::internal("loading the component: this build has no compiler"))
}

/// The pooling allocator's limits: room for all instance pools at once, as calls wait for an
/// instance there and never here, where the limit is an error.
fn pool(instances: usize) -> PoolingAllocationConfig {
    let instances = u32::try_from(instances).unwrap_or(u32::MAX);
    // Idle instances of other vaults keep their memory, too.
    let total = instances * 2;
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(total)
        .total_core_instances(total * 4)
        .total_memories(total)
        .total_tables(total * 4)
        .max_memories_per_component(1)
        .max_core_instances_per_component(16)
        .max_tables_per_component(8)
        .max_memory_size(MEMORY_MAX)
        .table_elements(4_096)
        .linear_memory_keep_resident(128 << 10)
        .max_unused_warm_slots(instances);
    #[cfg(feature = "jit")]
    pool.total_stacks(instances).async_stack_keep_resident(32 << 10);
    pool
}
