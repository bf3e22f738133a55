//! Builds the guest for `wasm32-wasip2`, compiles it ahead of time with the host's own engine
//! configuration, and leaves both files where the host (and the user of stock runtimes) finds them.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use wasmparser::BinaryReader;
use wasmtime::{Engine, OptLevel};

#[path = "src/instance/config.rs"]
mod config;

const TARGET: &str = "wasm32-wasip2";

fn main() {
    let root = var("CARGO_MANIFEST_DIR").join("../..");
    for watched in ["guest/core", "guest/component", "wit", "Cargo.lock"] {
        println!("cargo::rerun-if-changed={}", root.join(watched).display());
    }
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=src/instance/config.rs");
    if let Err(message) = build(&root) {
        println!("cargo::error={message}");
    }
}

fn build(root: &Path) -> Result<(), String> {
    let out = var("OUT_DIR");
    // cargo marks its target directory; one guest serves all profiles of the host.
    let target = out.ancestors().find(|p| p.join("CACHEDIR.TAG").exists()).unwrap_or(&out);
    add_target(root)?;
    let component = build_guest(root, &target.join("component"))?;
    let wasm = fs::read(&component).map_err(|e| format!("{}: {e}", component.display()))?;
    let wasm = without_custom_sections(&wasm).map_err(|e| format!("the component: {e}"))?;
    write(&out.join("vaultlet.cwasm"), &compile(&wasm)?)?;
    // For `wasmtime` and for composition; README says where.
    write(&target.join("vaultlet.wasm"), &wasm)
}

/// rustup adds the target only when asked, where its automatic installation is off.
fn add_target(root: &Path) -> Result<(), String> {
    let rustup =
        |arguments: &[&str]| Command::new("rustup").args(arguments).current_dir(root).output();
    let installed = match rustup(&["target", "list", "--installed"]) {
        Ok(list) => list,
        Err(_) if sysroot_has_target() => return Ok(()),
        Err(_) => {
            return Err(format!(
                "the component needs Rust's `{TARGET}` target and rustup is not there to add it; \
                 install rustup, or your distribution's package of that target"
            ));
        }
    };
    if String::from_utf8_lossy(&installed.stdout).lines().any(|line| line == TARGET) {
        return Ok(());
    }
    println!("cargo::warning=adding Rust's {TARGET} target: rustup target add {TARGET}");
    match rustup(&["target", "add", TARGET]) {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => Err(format!(
            "`rustup target add {TARGET}` failed: {}",
            String::from_utf8_lossy(&output.stderr).trim().replace('\n', " ")
        )),
        Err(error) => Err(format!("`rustup target add {TARGET}` failed: {error}")),
    }
}

fn sysroot_has_target() -> bool {
    Command::new(var("RUSTC")).args(["--print", "sysroot"]).output().is_ok_and(|o| {
        let sysroot = String::from_utf8_lossy(&o.stdout).trim().to_owned();
        Path::new(&sysroot).join("lib/rustlib").join(TARGET).exists()
    })
}

/// A target directory of its own: the outer cargo holds the lock of the other.
fn build_guest(root: &Path, target: &Path) -> Result<PathBuf, String> {
    let mut cargo = Command::new(var("CARGO"));
    cargo
        .args([
            "rustc",
            "--package",
            "vaultlet-component",
            "--lib",
            "--profile",
            "guest",
            "--locked",
        ])
        .args(["--target", TARGET])
        .args(["--quiet", "--color", "never"])
        .arg("--target-dir")
        .arg(target)
        .current_dir(root);
    // What cargo tells a build script about the outer build must not steer the inner one.
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_ENCODED_")
            || text == "RUSTFLAGS"
            || text == "RUSTC_WRAPPER"
            || text == "RUSTC_WORKSPACE_WRAPPER"
            || text.starts_with("CARGO_PROFILE_")
        {
            cargo.env_remove(&name);
        }
    }
    let output = cargo.output().map_err(|e| format!("cannot run cargo for the component: {e}"))?;
    if !output.status.success() {
        eprintln!("{}", String::from_utf8_lossy(&output.stderr));
        return Err("the component did not build; cargo's messages are above".into());
    }
    Ok(target.join(TARGET).join("guest/vaultlet_component.wasm"))
}

/// Names for debuggers and the tools' own, 10 KB that no runtime reads.
fn without_custom_sections(component: &[u8]) -> Result<Vec<u8>, wasmparser::BinaryReaderError> {
    const PREAMBLE: usize = 8;
    const CUSTOM: u8 = 0;
    let mut reader = BinaryReader::new(component, 0);
    let mut kept = reader.read_bytes(PREAMBLE)?.to_vec();
    while !reader.eof() {
        let start = reader.current_position();
        let id = reader.read_u8()?;
        let size = reader.read_var_u32()?;
        reader.read_bytes(size as usize)?;
        if id != CUSTOM {
            kept.extend(component.get(start..reader.current_position()).unwrap_or_default());
        }
    }
    Ok(kept)
}

fn compile(component: &[u8]) -> Result<Vec<u8>, String> {
    let mut config = config::config();
    // The baseline of the target, not this machine's processor.
    let target = env::var("TARGET").unwrap_or_default();
    config.cranelift_opt_level(OptLevel::SpeedAndSize);
    config.target(&target).map_err(|e| format!("no code generation for `{target}`: {e:#}"))?;
    let engine = Engine::new(&config).map_err(|e| format!("engine: {e:#}"))?;
    engine
        .precompile_component(component)
        .map_err(|e| format!("the component does not compile: {e:#}"))
}

/// Leaves the file alone when it is the same, so that nothing downstream is rebuilt.
fn write(path: &Path, bytes: &[u8]) -> Result<(), String> {
    if fs::read(path).is_ok_and(|old| old == bytes) {
        return Ok(());
    }
    fs::write(path, bytes).map_err(|e| format!("cannot write {}: {e}", path.display()))
}

fn var(name: &str) -> PathBuf {
    PathBuf::from(env::var_os(name).unwrap_or_default())
}
