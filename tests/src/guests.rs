//! The components that tests run, built once.

use std::path::PathBuf;
use std::process::Command;

use crate::{root, target};

/// A component of `tests/guests`, by its name.
pub fn guest(name: &str) -> PathBuf {
    // One at a time: cargo would give all of a build the features that one of them asks for.
    let mut cargo = cargo("build", name);
    cargo.args(["--release", "--target", "wasm32-wasip2"]);
    assert!(cargo.status().is_ok_and(|s| s.success()), "`{name}` of the tests does not build");
    target().join("guests/wasm32-wasip2/release").join(name).with_extension("wasm")
}

/// A native program of `tests/guests`, by its name.
pub fn tool(name: &str) -> PathBuf {
    assert!(cargo("build", name).status().is_ok_and(|s| s.success()), "`{name}` does not build");
    target().join("guests/debug").join(name)
}

/// One component with its imports from another, as `wac plug` makes it.
pub fn plugged(socket: &str) -> PathBuf {
    let (socket, plug) = (guest(socket), target().join("vaultlet.wasm"));
    let output = target().join("guests/plugged.wasm");
    let mut cargo = cargo("run", "compose");
    cargo.arg("--").args([socket, plug]).arg(&output);
    assert!(cargo.status().is_ok_and(|s| s.success()), "the components do not compose");
    output
}

fn cargo(command: &str, package: &str) -> Command {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args([command, "--quiet", "--locked", "--package", package]);
    cargo.arg("--manifest-path").arg(root().join("tests/guests/Cargo.toml"));
    cargo.arg("--target-dir").arg(target().join("guests")).current_dir(root());
    cargo
}
