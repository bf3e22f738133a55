//! Programs with nothing but `DefaultAzureCredential`, in each identity form that their SDK supports.

use std::ffi::OsString;

use vaultlet_dev::{Form, Local};
use vaultlet_tests::{Run, root};

use super::{
    VALUE,
    install::{go, java, node, python},
};

/// Identity forms that the SDKs find.
const COMMON: [Form; 6] = [
    Form::AppService,
    Form::CloudShell,
    Form::ClientSecret,
    Form::ClientCertificate,
    Form::WorkloadIdentity,
    Form::TokenExchange,
];

#[test]
fn python_finds_every_form() {
    let Some(python) = python() else { return };
    let job = root().join("tests/peers/python/job.py");
    let program = [python.into_os_string(), job.into_os_string()];
    let more = [Form::Imds, Form::ServiceFabric, Form::UserPassword];
    COMMON.into_iter().chain(more).for_each(|form| gets_the_secret(&program, form));
}

#[test]
fn node_finds_every_form_that_its_sdk_supports() {
    let Some(folder) = node() else { return };
    let program = ["node".into(), folder.join("job.js").into_os_string()];
    COMMON.into_iter().chain([Form::Imds]).for_each(|form| gets_the_secret(&program, form));
}

#[test]
fn go_finds_every_form_that_its_sdk_supports() {
    let Some(folder) = go() else { return };
    let program = [folder.join("job").into_os_string()];
    let more = [Form::ServiceFabric, Form::UserPassword];
    COMMON.into_iter().chain(more).for_each(|form| gets_the_secret(&program, form));
}

#[test]
fn java_finds_every_form_that_its_sdk_supports() {
    let Some(path) = java() else { return };
    let program = ["java".into(), "-classpath".into(), path, "Job".into()];
    // Java's SDK sends GET to Cloud Shell, which requires POST.
    let forms = COMMON.into_iter().filter(|form| *form != Form::CloudShell);
    forms.for_each(|form| gets_the_secret(&program, form));
}

fn gets_the_secret(program: &[OsString], form: Form) {
    let builder = Local::builder().vault("my-key-vault").seed("secret-name", VALUE);
    let local = builder.identity_form(form).start().unwrap();
    let ended = Run::program(&program[0])
        .arguments(&program[1..])
        .environment(local.environment().iter().cloned())
        .end();
    let log = local.log();
    let result = (ended.stdout.trim_end(), ended.code);
    assert_eq!(result, (VALUE, 0), "{form:?}: {} {log:?}", ended.stderr);
    let counters = local.counters();
    assert_eq!((counters.tokens_issued, counters.tunnels), (1, 0), "{form:?}: {log:?}");
}
