//! Puts what `vaultlet get` runs at one place in the static program: the functions that `hot-functions.txt` names.
//!
//! The system maps a program in pieces of 64 KiB, when they are first used. The functions of a short call are otherwise
//! spread over all of the program, and nearly every piece is mapped for each of them. Functions that are not found, as
//! after a change of the code, are merely elsewhere; `tests/bench/hot-functions` makes the list anew.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

const LIST: &str = "hot-functions.txt";

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={LIST}");
    let is = |name: &str, value: &str| env::var(name).is_ok_and(|it| it == value);
    // Names are so in this target's builds alone (.cargo/config.toml).
    if !is("PROFILE", "release") || !is("CARGO_CFG_TARGET_ENV", "musl") {
        return;
    }
    match script() {
        Ok(script) => println!("cargo::rustc-link-arg-bins=-Wl,-T,{}", script.display()),
        Err(message) => println!("cargo::error={message}"),
    }
    // Relocations take 1 % of the bytes.
    println!("cargo::rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    // The linker that comes with Rust, which does all that in a second.
    if let Some(folder) = linker() {
        println!("cargo::rustc-link-arg-bins=-B{}", folder.display());
        println!("cargo::rustc-link-arg-bins=-fuse-ld=lld");
    }
}

/// The linker's script, beside its own.
fn script() -> Result<PathBuf, String> {
    let list = fs::read_to_string(LIST).map_err(|error| format!("{LIST}: {error}"))?;
    let names = list.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    // Functions that are marked as cold are apart from others.
    let sections = names.map(|name| format!("    *(.text.{name} .text.unlikely.{name})\n"));
    let sections: String = sections.collect();
    let script =
        format!("SECTIONS {{\n  .text.hot : {{\n{sections}  }}\n}}\nINSERT BEFORE .text;\n");
    let file = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default()).join("hot.ld");
    fs::write(&file, script).map_err(|error| format!("{}: {error}", file.display()))?;
    Ok(file)
}

fn linker() -> Option<PathBuf> {
    let rustc = env::var_os("RUSTC")?;
    let said = Command::new(rustc).args(["--print", "sysroot"]).output().ok()?.stdout;
    let sysroot = String::from_utf8(said).ok()?;
    let host = env::var("HOST").ok()?;
    let folder = Path::new(sysroot.trim()).join("lib/rustlib").join(host).join("bin/gcc-ld");
    folder.join("ld.lld").exists().then_some(folder)
}
