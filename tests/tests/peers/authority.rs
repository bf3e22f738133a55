//! The SDKs' own credentials against the local authority: by its real name, with instance discovery, and
//! by `AZURE_AUTHORITY_HOST`.

use std::ffi::{OsStr, OsString};

use vaultlet_dev::{Counters, Form, Local};
use vaultlet_tests::{Run, root};

use super::{
    VALUE,
    install::{go, java, node, python},
};

/// Identity forms, each with its name in the test programs and in the authority's counters.
const APPLICATION: [(Form, &str, &str); 3] = [
    (Form::ClientSecret, "client-secret", "client-secret"),
    (Form::ClientCertificate, "client-certificate", "client-certificate"),
    (Form::WorkloadIdentity, "workload-identity", "federated-token"),
];

#[test]
fn python_credentials_work_against_the_local_authority() {
    let Some(program) = python_program() else { return };
    for (form, name, operation) in APPLICATION {
        gets_the_secret(&program, form, name, operation, &[]);
    }
}

#[test]
fn python_user_credentials_work_against_the_local_authority() {
    let Some(program) = python_program() else { return };
    for (form, name, operation) in [
        (Form::UserPassword, "user-password", "user-password"),
        (Form::OnBehalfOf, "on-behalf-of", "on-behalf-of"),
        (Form::DeviceCode, "device-code", "device-token"),
    ] {
        gets_the_secret(&program, form, name, operation, &[]);
    }
}

#[test]
fn python_credentials_follow_azure_authority_host() {
    let Some(program) = python_program() else { return };
    for (form, name, operation) in APPLICATION {
        let at = |local: &Local| ("AZURE_AUTHORITY_HOST", local.authority().to_owned());
        let counters = gets_the_secret(&program, form, name, operation, &[&at]);
        assert!(counters.handshakes.contains_key("authority"), "{counters:?}");
    }
}

#[test]
fn node_credentials_work_against_the_local_authority() {
    let Some(folder) = node() else { return };
    let program = ["node".into(), folder.join("credential.js").into_os_string()];
    for (form, name, operation) in APPLICATION {
        gets_the_secret(&program, form, name, operation, &[]);
    }
}

#[test]
fn go_credentials_work_against_the_local_authority() {
    let Some(folder) = go() else { return };
    for (form, name, operation) in APPLICATION {
        gets_the_secret(&[folder.join("credential").into()], form, name, operation, &[]);
    }
}

#[test]
fn java_credentials_work_against_the_local_authority() {
    let Some(path) = java() else { return };
    let program = ["java".into(), "-classpath".into(), path, "Credential".into()];
    for (form, name, operation) in APPLICATION {
        gets_the_secret(&program, form, name, operation, &[]);
    }
}

fn python_program() -> Option<[OsString; 2]> {
    let program = root().join("tests/peers/python/credential.py");
    Some([python()?.into_os_string(), program.into_os_string()])
}

type More<'a> = &'a [&'a dyn Fn(&Local) -> (&'static str, String)];

fn gets_the_secret(
    program: &[OsString],
    form: Form,
    name: &str,
    operation: &str,
    more: More<'_>,
) -> Counters {
    let builder = Local::builder().vault("my-key-vault").seed("secret-name", VALUE);
    let local = builder.identity_form(form).start().unwrap();
    let ended = Run::program(&program[0])
        .arguments(&program[1..])
        .arguments([OsStr::new(name)])
        .environment(local.environment().iter().cloned())
        .environment([("CONTROL", local.control())])
        .environment(more.iter().map(|more| more(&local)))
        .end();
    let log = local.log();
    assert_eq!(
        (ended.stdout.trim_end(), ended.code),
        (VALUE, 0),
        "{name}: {} {log:?}",
        ended.stderr
    );
    let app = local.application();
    ended.reveals_none_of(&[VALUE], false).reveals_none_of(&[app.secret(), app.password()], true);

    let counters = local.counters();
    assert_eq!(counters.authority[operation].get(&200), Some(&1), "{name}: {counters:?}");
    assert_eq!((counters.tokens_issued, counters.operation("get", 200)), (1, 1), "{name}");
    assert_eq!((counters.identity_requests(), counters.tunnels), (0, 0), "{name}: {log:?}");
    counters
}
