//! Compiles `embedded.wasm` of this package ahead of time, with the host's own engine configuration.
//!
//! A published package brings the component along. A checkout makes it first: its cargo
//! configuration names the command.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs};

use wasmtime::{Engine, OptLevel};

#[path = "src/instance/config.rs"]
mod config;

/// Names the command that makes the component in a checkout. It prints what to watch.
const COMMAND: &str = "VAULTLET_COMPONENT_COMMAND";

fn main() {
    println!("cargo::rerun-if-env-changed={COMMAND}");
    for watched in ["build.rs", "src/instance/config.rs", "embedded.wasm"] {
        println!("cargo::rerun-if-changed={watched}");
    }
    if let Err(message) = build(&variable("CARGO_MANIFEST_DIR")) {
        println!("cargo::error={message}");
    }
}

fn build(package: &Path) -> Result<(), String> {
    // cargo leaves this file in packages only.
    let is_checkout = !package.join("Cargo.toml.orig").exists();
    if let Some(command) = env::var_os(COMMAND).filter(|command| is_checkout && !command.is_empty())
    {
        make_component(Path::new(&command))?;
    }
    let component = package.join("embedded.wasm");
    let component = fs::read(&component).map_err(|error| {
        format!("{}: {error}; in a checkout, `guest/build/run` makes it", component.display())
    })?;
    let compiled = variable("OUT_DIR").join("embedded.cwasm");
    fs::write(&compiled, compile(&component)?)
        .map_err(|error| format!("cannot write {}: {error}", compiled.display()))
}

fn make_component(command: &Path) -> Result<(), String> {
    // What it prints on stdout is for cargo, as this script's own output is.
    let mut shell = Command::new("sh");
    // Windows runs no script by itself; Git brings a shell along.
    let made = if cfg!(windows) { shell.arg(command) } else { &mut Command::new(command) };
    let ended = made.stdin(Stdio::null()).status();
    match ended {
        Ok(status) if status.success() => Ok(()),
        Ok(_) => Err(format!("{} failed; its messages are above", command.display())),
        Err(error) => Err(format!("cannot run {}: {error}", command.display())),
    }
}

fn compile(component: &[u8]) -> Result<Vec<u8>, String> {
    let is_for_windows = env::var_os("CARGO_CFG_WINDOWS").is_some();
    let mut config = config::config(config::MEMORY_RESERVED, is_for_windows);
    // The baseline of the target, not this machine's processor.
    let target = env::var("TARGET").unwrap_or_default();
    config.cranelift_opt_level(OptLevel::Speed);
    config.target(&target).map_err(|e| format!("no code generation for `{target}`: {e:#}"))?;
    let engine = Engine::new(&config).map_err(|e| format!("engine: {e:#}"))?;
    engine
        .precompile_component(component)
        .map_err(|e| format!("the component does not compile: {e:#}"))
}

fn variable(name: &str) -> PathBuf {
    PathBuf::from(env::var_os(name).unwrap_or_default())
}
