//! Per-instance store state of a plugin, and its limits.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use wasmtime::component::ResourceTable;
use wasmtime::{ResourceLimiter, Result, Store, UpdateDeadline};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

use crate::call::Call;
use crate::internal::LineStream;
use crate::limits;
use crate::settings::OnLine;

use super::options::PluginOptions;
use super::secrets::{Secrets, SecretsView, SecretsViewData};

/// The data of one instance's store.
pub(super) struct PluginState {
    secrets: Secrets,
    table: ResourceTable,
    pub(super) limits: Limits,
    wasi: WasiCtx,
}

impl PluginState {
    /// A store for one call. Nothing of the process is in it: no variables, arguments, standard
    /// input or folders.
    pub(super) fn new_store(
        engine: &wasmtime::Engine,
        options: &Arc<PluginOptions>,
        call: &Arc<Call>,
    ) -> Store<Self> {
        let mut wasi = WasiCtx::builder();
        wasi.max_random_size(limits::PLUGIN_RANDOM_MAX);
        wasi.allow_tcp(false).allow_udp(false).allow_ip_name_lookup(false);
        if let Some(on_output) = &options.on_output {
            let on_output = limited(Arc::clone(on_output));
            wasi.stdout(LineStream(Arc::clone(&on_output))).stderr(LineStream(on_output));
        }
        let mut table = ResourceTable::new();
        table.set_max_capacity(limits::PLUGIN_HANDLES_MAX);
        let state = Self {
            secrets: Secrets::new(options),
            table,
            limits: Limits { memory: options.memory, ..Limits::default() },
            wasi: wasi.build(),
        };
        let mut store = Store::new(engine, state);
        store.limiter(|state| &mut state.limits);
        store.set_hostcall_fuel(limits::PLUGIN_PASSED_MAX);
        store.set_max_component_handles(limits::PLUGIN_HANDLES_MAX);
        store.set_epoch_deadline(1);
        // A plugin in a long computation is stopped when its call has ended.
        let call = Arc::clone(call);
        store.epoch_deadline_callback(move |_| {
            call.check()?;
            Ok(UpdateDeadline::Continue(1))
        });
        store
    }
}

impl WasiView for PluginState {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl SecretsView for PluginState {
    fn secrets(&mut self) -> SecretsViewData<'_> {
        SecretsViewData { secrets: &mut self.secrets, table: &mut self.table }
    }
}

/// Passes lines on until their limit is reached.
fn limited(on_output: OnLine) -> OnLine {
    let passed = AtomicUsize::new(0);
    Arc::new(move |line: &str| {
        let before = passed.fetch_add(line.len() + 1, Ordering::Relaxed);
        if before + line.len() < limits::PLUGIN_OUTPUT_MAX {
            on_output(line);
        }
    })
}

/// Limits the size of all memories together, and of all tables together.
#[derive(Default)]
pub(super) struct Limits {
    memory: usize,
    memory_used: usize,
    elements_used: usize,
    /// What the plugin was refused, if anything.
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
