//! The component in Python by wasmtime-py and in Node by jco, with the examples of `wit/README.md`.

use std::ffi::OsStr;

use vaultlet_tests::stock::{Job, VALUE, component};
use vaultlet_tests::{Ended, Run, root};

use crate::install::{node, python};

#[test]
fn the_component_runs_in_python() {
    let Some(python) = python() else { return };
    let program = root().join("tests/peers/component/job.py");
    reads_secrets(&[python.as_os_str(), program.as_os_str(), component().as_os_str()]);
}

#[test]
fn the_component_runs_in_node() {
    let job = Job::anywhere();
    let Some(folder) = node() else { return };
    // Transpiled each time, as the component may have changed.
    let ended = Run::program("node")
        .arguments([folder.join("transpile.js"), component(), folder.join("vaultlet")])
        .end();
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""), "{}", ended.stdout);
    drop(job);
    reads_secrets(&[OsStr::new("node"), folder.join("job.js").as_os_str()]);
}

/// Runs a program with several references, one at a time, and checks its output.
fn reads_secrets(program: &[&OsStr]) {
    let job = Job::anywhere();
    let run = |reference: &str, more: &[(&str, &str)]| -> Ended {
        Run::program(program[0])
            .arguments(&program[1..])
            .arguments([reference])
            .environment(job.variables())
            .environment(more.iter().copied())
            .end()
    };
    let ended = run(&job.reference("db"), &[]);
    assert_eq!((ended.stdout.trim_end(), ended.code), (VALUE, 0), "{}", ended.stderr);
    ended.reveals_none_of(&[VALUE, job.msi_secret()], false);
    let counters = job.local.counters();
    // The vault has no known name, so the first request goes without a token.
    assert_eq!((counters.tokens_issued, counters.challenges), (1, 1), "{counters:?}");
    assert_eq!(counters.operation("get", 200), 1, "{counters:?}");

    let member = format!("{}?json=/user", job.reference("db"));
    for (reference, id) in [
        (job.reference("denied"), "vault-forbidden"),
        (job.reference("missing"), "secret-not-found"),
        (member, "secret-not-json"),
        ("akv://x".into(), "reference-malformed"),
    ] {
        let ended = run(&reference, &[]);
        assert_eq!((ended.code, ended.stdout.as_str()), (1, ""), "{reference}: {}", ended.stderr);
        assert!(ended.stderr.trim_end().ends_with(&format!("({id})")), "{}", ended.stderr);
        ended.reveals_none_of(&[VALUE, job.msi_secret()], true);
    }
    // The component sees no variables but those that the program passes to it.
    let ended = run(&job.reference("db"), &[("VAULTLET_ALLOW_HTTP_LOOPBACK", "false")]);
    assert!(ended.stderr.contains("(reference-malformed)"), "{}", ended.stderr);
    ended.reveals_none_of(&[VALUE, job.msi_secret()], true);
}
