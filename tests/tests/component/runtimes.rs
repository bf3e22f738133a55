//! The component in Python by wasmtime-py, and in Node and Deno by jco, with the examples of `wit/README.md`.

use std::ffi::OsString;
use std::path::Path;

use vaultlet_tests::stock::{Job, VALUE, component, component_p3};
use vaultlet_tests::{Ended, Run, root};

use crate::install::{node, python};

#[test]
fn the_component_runs_in_python() {
    let Some(python) = python() else { return };
    let program = root().join("tests/peers/component/job.py");
    reads_secrets(&[python.into(), program.into(), component().into()], &[]);
}

#[test]
fn the_component_runs_in_node_and_in_deno() {
    let job = Job::anywhere();
    let Some(folder) = node() else { return };
    transpile(&folder, &component(), "vaultlet");
    drop(job);
    reads_secrets(&["node".into(), folder.join("job.js").into()], &[]);
    reads_secrets(&deno(&folder, "127.0.0.1"), &[]);
    // Deno's permissions are an egress policy.
    let job = Job::anywhere();
    let denied = deno(&folder, "127.0.0.2");
    let ended = Run::program(&denied[0])
        .arguments(&denied[1..])
        .arguments([job.reference("db")])
        .environment([("DENO_NO_UPDATE_CHECK", "1")])
        .environment(job.variables())
        .end();
    assert_eq!((ended.code, ended.stdout.as_str()), (1, ""), "{}", ended.stderr);
    assert_eq!(job.local.counters().identity_requests(), 0, "{}", ended.stderr);
    ended.reveals_none_of(&[VALUE, job.msi_secret()], true);
}

/// Node 20 has no JavaScript Promise Integration.
#[test]
fn the_component_over_wasi_0_3_runs_in_deno() {
    let Some(folder) = node() else { return };
    transpile(&folder, &component_p3(), "vaultlet-p3");
    reads_secrets(&deno(&folder, "127.0.0.1"), &["vaultlet-p3"]);
}

/// The job in Deno, which may connect to this host alone.
fn deno(folder: &Path, host: &str) -> Vec<OsString> {
    let mut program = vec![folder.join("node_modules/.bin/deno").into(), "run".into()];
    program.extend(["--quiet", "--no-prompt", "--allow-env"].map(OsString::from));
    program.push(format!("--allow-read={}", folder.display()).into());
    program.push(format!("--allow-net={host}").into());
    program.push(folder.join("job.js").into());
    program
}

/// Transpiles a component into a folder beside the job. Each time, as the component may have changed.
fn transpile(folder: &Path, component: &Path, to: &str) {
    let ended = Run::program("node")
        .arguments([folder.join("transpile.js"), component.to_owned(), folder.join(to)])
        .end();
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""), "{}", ended.stdout);
}

/// Runs a program with several references, one at a time and each followed by `after`, and checks its output.
fn reads_secrets(program: &[OsString], after: &[&str]) {
    let job = Job::anywhere();
    let run = |reference: &str, more: &[(&str, &str)]| -> Ended {
        Run::program(&program[0])
            .arguments(&program[1..])
            .arguments([reference])
            .arguments(after)
            .environment([("DENO_NO_UPDATE_CHECK", "1")])
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
