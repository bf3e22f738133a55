//! A plugin's code: compiled on an engine of its own, with its imports looked at and resolved.

use std::sync::Arc;

use wasmtime::component::{Component, InstancePre, Linker, Val};
use wasmtime::{Engine, Store};
use wasmtime_wasi::I32Exit;
use wasmtime_wasi::cli::{WasiCli, WasiCliView as _};
use wasmtime_wasi::filesystem::{WasiFilesystem, WasiFilesystemView as _};
use wasmtime_wasi::p2::bindings::{cli, filesystem, random};
use wasmtime_wasi::random::WasiRandom;
use wasmtime_wasi::{WasiView as _, p2};

use crate::config::config;
use crate::error::{Error, Kind};

use super::builder::Terms;
use super::secrets;
use super::state::State;
use super::text::{self, Call};
use super::{DOING, secrets::SECRETS, secrets::TYPES};

/// What a plugin may import, whatever the version within WASI 0.2: its own door, and what the
/// libraries of the usual languages ask for when they start. None of it leads out.
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

pub(super) struct Program {
    pre: InstancePre<State>,
}

/// Code that wasmtime compiled, here and now: it trusts it completely, so there is no other way to have
/// any.
pub(super) struct Compiled(Vec<u8>);

impl Compiled {
    /// Takes its time, and no lock that a fork would wait for.
    pub(super) fn new(wasm: &[u8]) -> Result<Self, Error> {
        engine()?.precompile_component(wasm).map(Self).map_err(|e| refused(&e))
    }
}

/// Not the handle's, where each instance has its room set aside: a plugin's memory is its own, of any
/// size, and comes from no place that a call of the handle waits for.
fn engine() -> Result<Engine, Error> {
    Engine::new(&config()).map_err(|e| Error::internal(format!("opening a plugin: {e:#}")))
}

impl Program {
    pub(super) fn new(compiled: &Compiled) -> Result<Self, Error> {
        let engine = engine()?;
        // SAFETY: an engine of the same configuration made it, in this process or its parent.
        #[allow(unsafe_code, reason = "wasmtime trusts compiled code; this is its own")]
        let component = unsafe { Component::deserialize(&engine, &compiled.0) };
        let component = component.map_err(|e| refused(&e))?;
        let of = component.component_type();
        for (name, _) in of.imports(&engine) {
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

    pub(super) fn call(&self, text: &str) -> Result<Call, Error> {
        Call::parse(self.pre.component(), text)
    }

    /// One call in an instance of its own.
    pub(super) async fn run(&self, terms: &Arc<Terms>, call: Call) -> Result<String, Error> {
        let mut store = State::store(self.engine(), terms);
        let mut results = vec![Val::Bool(false); call.results];
        match self.run_in(&mut store, &call, &mut results).await {
            Ok(()) => text::written(&results),
            Err(error) => Err(ended(&error, store.data().limits.refused.as_deref())),
        }
    }

    async fn run_in(
        &self,
        store: &mut Store<State>,
        call: &Call,
        results: &mut [Val],
    ) -> wasmtime::Result<()> {
        let instance = self.pre.instantiate_async(&mut *store).await?;
        let function = instance.get_func(&mut *store, call.function);
        let function = function.ok_or_else(|| wasmtime::format_err!("its function is gone"))?;
        function.call_async(store, &call.arguments, results).await
    }
}

/// [`IMPORTS`], and no more.
fn link(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    p2::add_to_linker_proxy_interfaces_async(linker)?;
    cli::environment::add_to_linker::<State, WasiCli>(linker, State::cli)?;
    cli::exit::add_to_linker::<State, WasiCli>(linker, State::cli)?;
    cli::terminal_input::add_to_linker::<State, WasiCli>(linker, State::cli)?;
    cli::terminal_output::add_to_linker::<State, WasiCli>(linker, State::cli)?;
    cli::terminal_stdin::add_to_linker::<State, WasiCli>(linker, State::cli)?;
    cli::terminal_stdout::add_to_linker::<State, WasiCli>(linker, State::cli)?;
    cli::terminal_stderr::add_to_linker::<State, WasiCli>(linker, State::cli)?;
    filesystem::types::add_to_linker::<State, WasiFilesystem>(linker, State::filesystem)?;
    filesystem::preopens::add_to_linker::<State, WasiFilesystem>(linker, State::filesystem)?;
    random::insecure::add_to_linker::<State, WasiRandom>(linker, |s| s.ctx().ctx.random())?;
    random::insecure_seed::add_to_linker::<State, WasiRandom>(linker, |s| s.ctx().ctx.random())?;
    secrets::link(linker)
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

/// How a call ended that did not end well.
fn ended(error: &wasmtime::Error, refused: Option<&str>) -> Error {
    let how = match error.downcast_ref::<I32Exit>() {
        Some(I32Exit(status)) => format!("it exited with status {status}"),
        None => one_line(&error.root_cause().to_string()),
    };
    if let Some(what) = refused {
        return Error::configuration(
            "plugin-limit",
            format!("{DOING}: it was refused {what}, and ended: {how}"),
            "open it with more, if it is to be trusted with that",
        );
    }
    Error::new(
        Kind::Internal,
        "plugin-trapped",
        format!("{DOING}: {how}"),
        "report it to whoever wrote the plugin; the next call has an instance of its own",
    )
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
