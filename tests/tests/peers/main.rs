//! Microsoft's own SDKs in the local Azure, in the simplest programs that people run in jobs, without
//! any option or change for the test: what works for them works for any client.
//!
//! The SDKs are installed into `target/peers`. A test whose interpreter is missing is skipped, or fails
//! with `VAULTLET_REQUIRE_PEERS=1`.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod authority;
mod crowd;
mod forms;
mod install;
mod jobs;
mod lent;

use std::ffi::OsStr;

use install::{go, java, node, python};
use vaultlet_dev::{Local, Who};
use vaultlet_tests::{Run, root, vaultlet};

const VALUE: &str = "correct horse battery staple";

#[test]
fn python_reads_a_secret_by_default_credential() {
    let Some(python) = python() else { return };
    let job = root().join("tests/peers/python/job.py");
    gets_the_secret(&[python.as_os_str(), job.as_os_str()], "azure-ml");
}

#[test]
fn python_reads_a_secret_on_behalf_of_the_user() {
    let Some(python) = python() else { return };
    let job = root().join("tests/peers/python/user_job.py");
    gets_the_secret(&[python.as_os_str(), job.as_os_str()], "azure-ml-obo");
}

#[test]
fn node_reads_a_secret_by_default_credential() {
    let Some(folder) = node() else { return };
    gets_the_secret(&[OsStr::new("node"), folder.join("job.js").as_os_str()], "azure-ml");
}

#[test]
fn go_reads_a_secret_by_default_credential() {
    let Some(folder) = go() else { return };
    gets_the_secret(&[folder.join("job").as_os_str()], "azure-ml");
}

#[test]
fn java_reads_a_secret_by_default_credential() {
    let Some(path) = java() else { return };
    let program = ["java", "-classpath"].map(OsStr::new);
    // Java's SDK supports all local identity endpoints but Azure ML's.
    gets_the_secret(&[&program[..], &[&path, OsStr::new("Job")]].concat(), "app-service");
}

#[test]
fn vaultlet_reads_the_same_secret() {
    let get = [vaultlet().as_os_str(), "get".as_ref(), "akv://my-key-vault/secret-name".as_ref()];
    let ended = in_dev(&get, "azure-ml");
    assert_eq!((ended.stdout.as_str(), ended.code), (VALUE, 0), "{}", ended.stderr);
    ended.reveals_none_of(&[VALUE], false);
}

/// Runs a program with `vaultlet dev`, then again with a local Azure that counts its requests.
fn gets_the_secret(program: &[&OsStr], endpoint: &str) {
    let form = endpoint.trim_end_matches("-obo");
    let ended = in_dev(program, form);
    assert_eq!((ended.stdout.trim_end(), ended.code), (VALUE, 0), "{}", ended.stderr);
    ended.reveals_none_of(&[VALUE], false);

    let local = Local::builder()
        .vault("my-key-vault")
        .seed("secret-name", VALUE)
        .run_as(Who::User)
        .identity_form(form.parse().unwrap())
        .start()
        .unwrap();
    let ended = Run::program(program[0])
        .arguments(&program[1..])
        .environment(local.environment().iter().cloned())
        .end();
    assert_eq!((ended.stdout.trim_end(), ended.code), (VALUE, 0), "{}", ended.stderr);
    let secret = |name: &str| matches!(name, "MSI_SECRET" | "IDENTITY_HEADER");
    let secret = &local.environment().iter().find(|(name, _)| secret(name)).unwrap().1;
    ended.reveals_none_of(&[VALUE], false).reveals_none_of(&[secret], true);

    // Each SDK sends a first request without a token, to learn the audience from the challenge.
    let counters = local.counters();
    assert_eq!(counters.operation("get", 401), 1, "{counters:?}");
    assert_eq!(counters.operation("get", 200), 1, "{counters:?}");
    assert_eq!(counters.identity.get(endpoint), Some(&1), "{counters:?}");
    assert_eq!(counters.tunnels, 0, "it talked to somebody else: {:?}", local.log());
}

/// Runs `vaultlet dev … -- PROGRAM`.
fn in_dev(program: &[&OsStr], form: &str) -> vaultlet_tests::Ended {
    let seed = format!("secret-name={VALUE}");
    Run::vaultlet(["dev", "--vault", "my-key-vault", "--seed", &seed, "--as", "user"])
        .arguments(["--identity-form", form, "--"])
        .arguments(program)
        .end()
}
