//! Builds the components that tests run.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{root, target};

/// Builds a component of `tests/guests`.
pub fn guest(name: &str) -> PathBuf {
    built("tests/guests", name)
}

/// Builds a component of `guest/adapters`.
pub fn adapter(name: &str) -> PathBuf {
    built("guest/adapters", name)
}

/// Builds a native program of `tests/guests`.
pub fn tool(name: &str) -> PathBuf {
    assert!(
        cargo("build", "tests/guests", name).status().is_ok_and(|s| s.success()),
        "`{name}` does not build"
    );
    target().join("guests/debug").join(name)
}

/// Composes a component of `tests/guests` with `vaultlet.wasm`, which provides its imports, as `wac
/// plug` does.
pub fn plugged(socket: &str) -> PathBuf {
    composed(&guest(socket), &target().join("vaultlet.wasm"), "plugged")
}

/// Composes two components, the second of which provides imports of the first, into a file with this
/// name.
pub fn composed(socket: &Path, plug: &Path, name: &str) -> PathBuf {
    let output = target().join("guests").join(name).with_extension("wasm");
    let mut cargo = cargo("run", "tests/guests", "compose");
    cargo.arg("--").args([socket, plug]).arg(&output);
    assert!(cargo.status().is_ok_and(|s| s.success()), "the components do not compose");
    output
}

/// Writes the metadata that a component is published with into a folder (`tests/guests/provenance`).
pub fn provenance(component: &Path, folder: &Path, source: &str, revision: &str) {
    let mut cargo = cargo("run", "tests/guests", "provenance");
    cargo.arg("--").args([component, folder]).args([source, revision]);
    assert!(cargo.status().is_ok_and(|s| s.success()), "the component cannot be described");
}

fn built(workspace: &str, name: &str) -> PathBuf {
    // One package at a time, since cargo unifies the features of all packages in a build.
    let mut cargo = cargo("build", workspace, name);
    cargo.args(["--release", "--target", "wasm32-wasip2"]);
    assert!(cargo.status().is_ok_and(|s| s.success()), "`{name}` of {workspace} does not build");
    target().join("guests/wasm32-wasip2/release").join(name).with_extension("wasm")
}

fn cargo(command: &str, workspace: &str, package: &str) -> Command {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args([command, "--quiet", "--locked", "--package", package]);
    cargo.arg("--manifest-path").arg(root().join(workspace).join("Cargo.toml"));
    cargo.arg("--target-dir").arg(target().join("guests")).current_dir(root());
    cargo
}
