//! The Python package as its users have it: installed from its wheel into a virtual environment, in a
//! local Azure. The package's own tests, `host/python/tests`, run here one file at a time. The tests in
//! this folder compare the package with the command line and with Azure's SDK.
//!
//! Where there is no Python these tests say so and are skipped, unless `VAULTLET_REQUIRE_PEERS=1`.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod agent;
mod azure;
mod install;
mod job;
mod records;
mod types;
mod wit;

use std::path::Path;

use vaultlet_dev::{Form, Local, Who};
use vaultlet_tests::environment::{self, Table};
use vaultlet_tests::{Ended, Run, root};

const VALUE: &str = "correct horse battery staple";

#[test]
fn secrets_are_not_shown() {
    passes("test_secret.py");
}

#[test]
fn calls() {
    passes("test_calls.py");
}

#[test]
fn errors() {
    passes("test_errors.py");
}

#[test]
fn signals() {
    passes("test_signals.py");
}

#[test]
fn asyncio() {
    passes("test_aio.py");
}

#[test]
fn processes() {
    passes("test_processes.py");
}

#[test]
fn memory() {
    passes("test_memory.py");
}

#[test]
fn client_like_azures() {
    passes("test_azure.py");
}

#[test]
fn credentials_for_azures_packages() {
    passes("test_credentials.py");
}

#[test]
fn environments() {
    let Some(python) = install::python() else { return };
    let local = Table::read().local().run_as(Who::User).start().unwrap();
    let ended = pytest(&python, "test_environment.py", &local);
    assert_eq!(ended.code, 0, "{}\n{}", ended.stdout, ended.stderr);
    ended.reveals_none_of(&[VALUE], true);
}

#[test]
fn the_version_is_that_of_cargo() {
    let Some(python) = install::python() else { return };
    let program = "import importlib.metadata as metadata, vaultlet\n\
        print(vaultlet.__version__, metadata.version('vaultlet'))";
    let ended = Run::program(python).arguments(["-c", program]).end();
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(ended.stdout.trim_end(), format!("{version} {version}"), "{}", ended.stderr);
}

#[test]
fn prompts() {
    passes_as(Form::DeviceCode, "test_prompt.py");
}

/// Runs one file of the package's own tests, in a local Azure of its own.
fn passes(file: &str) {
    passes_as(Form::AzureMl, file);
}

fn passes_as(form: Form, file: &str) {
    let Some(python) = install::python() else { return };
    let local = Local::builder()
        .identity_form(form)
        .vault("my-key-vault")
        .seed("db-password", VALUE)
        .seed("other", VALUE)
        .seed("settings", format!(r#"{{"user":"{VALUE}"}}"#))
        .run_as(Who::User)
        .start()
        .unwrap();
    let ended = pytest(&python, file, &local);
    assert_eq!(ended.code, 0, "{}\n{}", ended.stdout, ended.stderr);
    assert!(ended.stdout.contains(" passed"), "{}", ended.stdout);
    ended.reveals_none_of(&[VALUE], true);
}

fn pytest(python: &Path, file: &str, local: &Local) -> Ended {
    let file = root().join("host/python/tests").join(file);
    let full = std::env::var("VAULTLET_TEST_FULL").unwrap_or_default();
    Run::program(python)
        .arguments(["-W", "error", "-m", "pytest", "-q", "-p", "no:cacheprovider"])
        .arguments([file])
        .environment(local.environment().iter().cloned())
        .environment([("CONTROL", local.control()), ("VALUE", VALUE)])
        .environment([("HTTP", local.vault("my-key-vault").unwrap().http())])
        .environment([("TABLE", environment::path())])
        .environment([("VAULTLET_TEST_FULL", full.as_str()), ("PYTHONDONTWRITEBYTECODE", "1")])
        .end()
}
