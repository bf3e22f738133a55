//! What one instance of a plugin has, and how much of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use wasmtime::component::ResourceTable;
use wasmtime::{ResourceLimiter, Result, Store};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

use crate::limits;
use crate::prompt::{OnPrompt, Stderr};

use super::builder::Terms;

/// The data of one instance's store.
pub(super) struct State {
    pub(super) terms: Arc<Terms>,
    pub(super) table: ResourceTable,
    /// Secrets that it was given and has not dropped.
    pub(super) held: usize,
    /// How often it has asked.
    pub(super) asked: usize,
    pub(super) limits: Limits,
    wasi: WasiCtx,
}

impl State {
    /// A store for one call. Nothing of the process is in it: no variable, no argument, no stream, no
    /// folder.
    pub(super) fn store(engine: &wasmtime::Engine, terms: &Arc<Terms>) -> Store<Self> {
        let mut wasi = WasiCtx::builder();
        wasi.max_random_size(limits::PLUGIN_RANDOM_MAX);
        wasi.allow_tcp(false).allow_udp(false).allow_ip_name_lookup(false);
        if let Some(hear) = &terms.on_output {
            let hear = at_most(Arc::clone(hear));
            wasi.stdout(Stderr(Arc::clone(&hear))).stderr(Stderr(hear));
        }
        let mut table = ResourceTable::new();
        table.set_max_capacity(limits::PLUGIN_HANDLES_MAX);
        let state = Self {
            terms: Arc::clone(terms),
            table,
            held: 0,
            asked: 0,
            limits: Limits { memory: terms.memory, ..Limits::default() },
            wasi: wasi.build(),
        };
        let mut store = Store::new(engine, state);
        store.limiter(|state| &mut state.limits);
        store.set_hostcall_fuel(limits::PLUGIN_PASSED_MAX);
        store.set_max_component_handles(limits::PLUGIN_HANDLES_MAX);
        store.set_epoch_deadline(1);
        // It gives the thread back, so that its deadline can end it and others have their turn.
        store.epoch_deadline_async_yield_and_update(1);
        store
    }
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

/// Passes lines on until there were many.
fn at_most(hear: OnPrompt) -> OnPrompt {
    let heard = AtomicUsize::new(0);
    Arc::new(move |line: &str| {
        let before = heard.fetch_add(line.len() + 1, Ordering::Relaxed);
        if before + line.len() < limits::PLUGIN_OUTPUT_MAX {
            hear(line);
        }
    })
}

/// Counts what all memories and all tables of an instance have together.
#[derive(Default)]
pub(super) struct Limits {
    memory: usize,
    memory_used: usize,
    elements_used: usize,
    /// What it was refused.
    pub(super) refused: Option<String>,
}

impl ResourceLimiter for Limits {
    fn memory_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> Result<bool> {
        let more = desired.saturating_sub(current);
        if more > self.memory.saturating_sub(self.memory_used) {
            self.refused = Some(format!("more than {} bytes of memory", self.memory));
            return Ok(false);
        }
        self.memory_used += more;
        Ok(true)
    }

    fn table_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> Result<bool> {
        let more = desired.saturating_sub(current);
        if more > limits::PLUGIN_ELEMENTS_MAX.saturating_sub(self.elements_used) {
            let most = limits::PLUGIN_ELEMENTS_MAX;
            self.refused = Some(format!("more than {most} entries of tables"));
            return Ok(false);
        }
        self.elements_used += more;
        Ok(true)
    }

    fn instances(&self) -> usize {
        limits::PLUGIN_INSTANCES_MAX
    }

    fn tables(&self) -> usize {
        limits::PLUGIN_INSTANCES_MAX
    }

    fn memories(&self) -> usize {
        limits::PLUGIN_MEMORIES_MAX
    }
}
