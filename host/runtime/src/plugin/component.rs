//! A plugin's component: compiled and run by an engine of its own, with its imports checked and
//! resolved.

use std::sync::Arc;

use wasmtime::component::{Component, InstancePre, Linker, Val};
use wasmtime::{Engine, Store};
use wasmtime_wasi::I32Exit;
use wasmtime_wasi::cli::{WasiCli, WasiCliView as _};
use wasmtime_wasi::filesystem::{WasiFilesystem, WasiFilesystemView as _};
use wasmtime_wasi::p2::bindings::{cli, filesystem, random};
use wasmtime_wasi::random::WasiRandom;
use wasmtime_wasi::{WasiView as _, p2};

use crate::error::{Error, Kind};
use crate::instance::config;
use crate::limits;

use super::options::{CALLING, CompiledCode, PluginOptions};
use super::secrets::{self, SECRETS, TYPES};
use super::store_state::PluginState;
use super::wave::{self, FunctionCall};

/// The interfaces that a plugin may import, in any version within WASI 0.2: secrets, and what the
/// runtime libraries of common languages import. None of them reaches files, network or
/// environment.
const IMPORTS: [&str; 22] = [
    SECRETS.0,
    TYPES.0,
    "wasi:cli/environment",
    "wasi:cli/exit",
    "wasi:cli/stderr",
    "wasi:cli/stdin",
    "wasi:cli/stdout",
    "wasi:cli/terminal-input",
    "wasi:cli/terminal-output",
    "wasi:cli/terminal-stderr",
    "wasi:cli/terminal-stdin",
    "wasi:cli/terminal-stdout",
    "wasi:clocks/monotonic-clock",
    "wasi:clocks/wall-clock",
    "wasi:filesystem/preopens",
    "wasi:filesystem/types",
    "wasi:io/error",
    "wasi:io/poll",
    "wasi:io/streams",
    "wasi:random/insecure",
    "wasi:random/insecure-seed",
    "wasi:random/random",
];

/// A loaded component with its imports resolved.
pub(super) struct PluginComponent {
    pre: InstancePre<PluginState>,
}

/// Compiles a component. Compiling may take seconds, and holds no lock that a `fork` would wait
/// for.
pub(super) fn compile(wasm: &[u8]) -> Result<CompiledCode, Error> {
    engine()?.precompile_component(wasm).map(CompiledCode).map_err(|e| refused(&e))
}

/// An engine without the pooling allocator of the handle's: a plugin may have memory of any size,
/// and its instances take no memory that was reserved for the handle.
fn engine() -> Result<Engine, Error> {
    Engine::new(&config(limits::PLUGIN_MEMORY_RESERVED))
        .map_err(|e| Error::internal(format!("opening a plugin: {e:#}")))
}

impl PluginComponent {
    pub(super) fn new(code: &CompiledCode) -> Result<Self, Error> {
        let engine = engine()?;
        // SAFETY: an engine of the same configuration compiled it, in this process or its parent.
        #[allow(unsafe_code, reason = "wasmtime trusts compiled code; this is its own")]
        let component = unsafe { Component::deserialize(&engine, &code.0) };
        let component = component.map_err(|e| refused(&e))?;
        for (name, _) in component.component_type().imports(&engine) {
            let interface = name.split_once('@').map_or(name, |(interface, _)| interface);
            if !IMPORTS.contains(&interface) {
                let name = name.escape_debug();
                return Err(not_usable(format!("it imports `{name}`, which no plugin is given")));
            }
        }
        let mut linker = Linker::new(&engine);
        link(&mut linker).map_err(|e| refused(&e))?;
        Ok(Self { pre: linker.instantiate_pre(&component).map_err(|e| refused(&e))? })
    }

    pub(super) fn engine(&self) -> &Engine {
        self.pre.engine()
    }

    pub(super) fn parse_call(&self, text: &str) -> Result<FunctionCall, Error> {
        FunctionCall::parse(self.pre.component(), text)
    }

    /// Runs one call in an instance of its own.
    pub(super) async fn run(
        &self,
        options: &Arc<PluginOptions>,
        call: FunctionCall,
    ) -> Result<String, Error> {
        let mut store = PluginState::new_store(self.engine(), options);
        let mut results = vec![Val::Bool(false); call.results];
        match self.run_in(&mut store, &call, &mut results).await {
            Ok(()) => wave::results_text(&results),
            Err(error) => Err(call_error(&error, store.data().limits.refused.as_deref())),
        }
    }

    async fn run_in(
        &self,
        store: &mut Store<PluginState>,
        call: &FunctionCall,
        results: &mut [Val],
    ) -> wasmtime::Result<()> {
        let instance = self.pre.instantiate_async(&mut *store).await?;
        let function = instance.get_func(&mut *store, call.function);
        let function = function.ok_or_else(|| wasmtime::format_err!("its function is gone"))?;
        function.call_async(store, &call.arguments, results).await
    }
}

/// Adds [`IMPORTS`] and nothing else.
fn link(linker: &mut Linker<PluginState>) -> wasmtime::Result<()> {
    p2::add_to_linker_proxy_interfaces_async(linker)?;
    cli::environment::add_to_linker::<PluginState, WasiCli>(linker, PluginState::cli)?;
    cli::exit::add_to_linker::<PluginState, WasiCli>(linker, PluginState::cli)?;
    cli::terminal_input::add_to_linker::<PluginState, WasiCli>(linker, PluginState::cli)?;
    cli::terminal_output::add_to_linker::<PluginState, WasiCli>(linker, PluginState::cli)?;
    cli::terminal_stdin::add_to_linker::<PluginState, WasiCli>(linker, PluginState::cli)?;
    cli::terminal_stdout::add_to_linker::<PluginState, WasiCli>(linker, PluginState::cli)?;
    cli::terminal_stderr::add_to_linker::<PluginState, WasiCli>(linker, PluginState::cli)?;
    filesystem::types::add_to_linker::<PluginState, WasiFilesystem>(
        linker,
        PluginState::filesystem,
    )?;
    filesystem::preopens::add_to_linker::<PluginState, WasiFilesystem>(
        linker,
        PluginState::filesystem,
    )?;
    random::insecure::add_to_linker::<PluginState, WasiRandom>(linker, |s| s.ctx().ctx.random())?;
    random::insecure_seed::add_to_linker::<PluginState, WasiRandom>(linker, |s| {
        s.ctx().ctx.random()
    })?;
    secrets::add_to_linker(linker)
}

fn refused(error: &wasmtime::Error) -> Error {
    not_usable(one_line(&format!("{error:#}")))
}

fn not_usable(why: String) -> Error {
    Error::configuration(
        "plugin-refused",
        format!("opening a plugin: {why}"),
        "give a component of the world `vaultlet:keyvault/consumer`, without sockets and HTTP",
    )
}

/// The error of a call that trapped, exited or exceeded a limit.
fn call_error(error: &wasmtime::Error, refused: Option<&str>) -> Error {
    let how = match error.downcast_ref::<I32Exit>() {
        Some(I32Exit(status)) => format!("it exited with status {status}"),
        None => one_line(&error.root_cause().to_string()),
    };
    if let Some(what) = refused {
        return Error::configuration(
            "plugin-limit",
            format!("{CALLING}: it was refused {what}, and ended: {how}"),
            "open it with more, if it is to be trusted with that",
        );
    }
    Error::new(
        Kind::Internal,
        "plugin-trapped",
        format!("{CALLING}: {how}"),
        "report it to whoever wrote the plugin; the next call has an instance of its own",
    )
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
