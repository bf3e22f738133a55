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
use zeroize::Zeroizing;

use crate::call::Call;
use crate::error::{Error, Kind};
use crate::instance::{Pages, config, not_executable};
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

/// An engine without the pooling allocator of the handle's: a plugin may have memory of any size,
/// and its instances take no memory that was reserved for the handle.
pub(super) fn engine() -> Result<Engine, Error> {
    let mut config = config(limits::PLUGIN_MEMORY_RESERVED, cfg!(windows));
    config.with_custom_code_memory(Some(Arc::new(Pages::written())));
    Engine::new(&config).map_err(|e| Error::internal(format!("opening a plugin: {e:#}")))
}

impl PluginComponent {
    pub(super) fn new(code: &CompiledCode) -> Result<Self, Error> {
        let engine = engine()?;
        // SAFETY: an engine of the same configuration compiled it, in this process or its parent.
        #[allow(unsafe_code, reason = "wasmtime trusts compiled code; this is its own")]
        let component = unsafe { Component::deserialize(&engine, &code.0) };
        let component = component.map_err(|e| {
            not_executable("opening a plugin", &e).unwrap_or_else(|| refused(&format!("{e:#}")))
        })?;
        for (name, _) in component.component_type().imports(&engine) {
            let interface = name.split_once('@').map_or(name, |(interface, _)| interface);
            if !IMPORTS.contains(&interface) {
                return Err(not_usable(&format!("it imports `{name}`, which no plugin is given")));
            }
        }
        let mut linker = Linker::new(&engine);
        let refused = |e: wasmtime::Error| refused(&format!("{e:#}"));
        link(&mut linker).map_err(refused)?;
        Ok(Self { pre: linker.instantiate_pre(&component).map_err(refused)? })
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
        function: FunctionCall,
        call: &Arc<Call>,
    ) -> Result<Zeroizing<String>, Error> {
        let mut store = PluginState::new_store(self.engine(), options, call);
        let mut results = Scrubbed(vec![Val::Bool(false); function.results]);
        match self.run_in(&mut store, &function, &mut results.0).await {
            Ok(()) => wave::results_text(&results.0),
            Err(error) => {
                call.check()?;
                Err(call_error(&error, store.data().limits.refused.as_deref()))
            }
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

/// The error of a component that is not usable, in words of the compiler's.
pub(super) fn refused(why: &str) -> Error {
    not_usable(why)
}

pub(super) fn not_usable(why: &str) -> Error {
    Error::configuration(
        "plugin-refused",
        format!("opening a plugin: {}", shown(why)),
        "give a component of the world `vaultlet:keyvault/consumer`, without sockets and HTTP",
    )
}

/// The error of a call that trapped, exited or exceeded a limit.
fn call_error(error: &wasmtime::Error, refused: Option<&str>) -> Error {
    if let Some(own) = error.downcast_ref::<Error>() {
        return own.clone();
    }
    let how = match error.downcast_ref::<I32Exit>() {
        Some(I32Exit(status)) => format!("it exited with status {status}"),
        None => shown(&error.root_cause().to_string()),
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

/// A text that may have parts of the plugin's file in it, as one line that people can be shown: what
/// steers a terminal or changes the order of the text is escaped. Whatever comes from the file goes
/// through here.
fn shown(text: &str) -> String {
    let words = text.split_whitespace().map(|word| {
        let escaped = word.chars().map(|c| match c {
            '"' | '\'' | '\\' => c.to_string(),
            c => c.escape_debug().to_string(),
        });
        escaped.collect::<String>()
    });
    let mut line = words.collect::<Vec<_>>().join(" ");
    if let Some((end, _)) = line.char_indices().nth(limits::PLUGIN_SHOWN_MAX) {
        line.truncate(end);
        line.push('…');
    }
    line
}

/// Values that may hold a secret, scrubbed when they are dropped.
struct Scrubbed(Vec<Val>);

impl Drop for Scrubbed {
    fn drop(&mut self) {
        self.0.iter_mut().for_each(wave::scrub);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_from_a_file_does_not_steer_a_terminal() {
        for (text, expected) in [
            ("unknown import: `a\nb\tc`", "unknown import: `a b c`"),
            ("\u{1b}[31mEVIL\u{1b}]0;pwn\u{7}", "\\u{1b}[31mEVIL\\u{1b}]0;pwn\\u{7}"),
            ("a\u{202e}b\u{2066}c", "a\\u{202e}b\\u{2066}c"),
            ("a\u{200b}b\u{feff}c\u{ad}d", "a\\u{200b}b\\u{feff}c\\u{ad}d"),
            ("a\u{2028}b\u{2029}c\u{85}d", "a b c d"),
            ("a\rb\u{8}c\u{9b}d\0", "a b\\u{8}c\\u{9b}d\\0"),
            ("\u{e0041}\u{61c}x", "\\u{e0041}\\u{61c}x"),
            ("it's \"quoted\" é 秘密", "it's \"quoted\" é 秘密"),
        ] {
            assert_eq!(shown(text), expected, "{text:?}");
        }
        assert!(shown(&"x".repeat(1 << 20)).len() < 4_096);
    }
}
