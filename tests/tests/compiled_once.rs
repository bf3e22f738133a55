//! Wasmtime takes minutes to compile. It has one set of features in the tests and in what the tests build, and another
//! one in all packages of a release. A dependency that asks for one more feature of a crate below wasmtime in some of
//! them has it asked for in all: `tests/Cargo.toml` and `tests/workspace-hack/Cargo.toml` are the places.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::collections::BTreeSet;
use std::process::Command;

use vaultlet_tests::{builds, root};

#[test]
fn for_the_tests_and_for_what_they_build() {
    let tests = wasmtime(&["--workspace", "--edges", "normal,build,dev"]);
    let built = wasmtime(&["--workspace", "--edges", "normal,build"]);
    assert_same(&tests, &built, "`cargo build --workspace`");
    // The build script of vaultlet-host runs the compiler that the tests run.
    let names: BTreeSet<_> = tests.iter().map(|line| line.split('|').next()).collect();
    assert_eq!(names.len(), tests.len(), "two variants: {tests:#?}");
}

#[test]
fn for_each_package_of_a_release() {
    let program = wasmtime(&["--edges", "normal,build"]);
    for package in ["vaultlet-ffi", "vaultlet-node", "vaultlet-python"] {
        let built = wasmtime(&["--package", package, "--edges", "normal,build"]);
        assert_same(&program, &built, package);
    }
}

#[track_caller]
fn assert_same(expected: &BTreeSet<String>, found: &BTreeSet<String>, what: &str) {
    let differences: Vec<_> = expected.symmetric_difference(found).collect();
    assert!(differences.is_empty(), "{what}: {differences:#?}");
}

/// Wasmtime and all crates below it, each with its features, in all their variants.
fn wasmtime(arguments: &[&str]) -> BTreeSet<String> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["tree", "--locked", "--no-dedupe", "--prefix", "depth", "--format", "|{p}|{f}"]);
    let output = builds(&mut cargo).args(arguments).current_dir(root()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let (mut crates, mut top) = (BTreeSet::new(), None);
    for line in text.lines().filter(|line| line.contains('|')) {
        let (depth, name) = line.split_once('|').unwrap();
        let depth: usize = depth.parse().unwrap();
        if top.is_some_and(|top| depth <= top) {
            top = None;
        }
        if top.is_none() && name.starts_with("wasmtime v") {
            top = Some(depth);
        }
        if top.is_some() {
            crates.insert(name.replace(" (proc-macro)", ""));
        }
    }
    assert!(crates.len() > 50, "{crates:?}");
    crates
}
