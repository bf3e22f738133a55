//! A file that is not a plugin is refused when it is opened, with the reason.

use vaultlet_host::Kind;
use vaultlet_tests::guests::guest;

use crate::job::{Job, unruly};

/// The error of opening a file as a plugin, which must be the same twice.
fn refused(job: &Job, wasm: &[u8]) -> String {
    let mut refusals = [(); 2].map(|()| {
        let error = job.vaultlet.plugin(wasm).open().unwrap_err();
        assert_eq!((error.kind, error.id.as_str()), (Kind::Configuration, "plugin-refused"));
        let line = error.to_string();
        assert!(line.starts_with("opening a plugin: ") && !line.contains('\n'), "{line}");
        job.say(&format!("{line} {error:?}"));
        line
    });
    assert_eq!(refusals[0], refusals[1]);
    std::mem::take(&mut refusals[0])
}

fn text(wat: &str) -> Vec<u8> {
    wat::parse_str(wat).unwrap()
}

#[test]
fn bytes_that_are_not_a_component_are_refused() {
    let job = Job::new();
    refused(&job, b"");
    refused(&job, b"#!/bin/sh\n");
    refused(&job, b"(component)");
    refused(&job, &unruly()[..1_000]);
    let error = refused(&job, &text("(module)"));
    assert!(error.contains("module"), "{error}");
    let mut flipped = unruly();
    flipped[6] ^= 1;
    refused(&job, &flipped);
}

/// Wasmtime trusts precompiled code without validation, so none is accepted.
#[test]
fn precompiled_code_is_refused() {
    let job = Job::new();
    refused(&job, b"\x7fELF\x02\x01\x01\xc8\0\0\0\0\0\0\0\0\x01\0\x3e\0");
}

#[test]
fn an_import_of_the_network_is_refused() {
    let job = Job::new();
    let error = refused(&job, &std::fs::read(guest("prober")).unwrap());
    assert!(error.contains("it imports `wasi:http/"), "{error}");
    for interface in [
        "wasi:sockets/tcp@0.2.6",
        "wasi:sockets/instance-network@0.2.0",
        "wasi:sockets/ip-name-lookup@0.2.3",
        "wasi:http/outgoing-handler@0.2.6",
        "wasi:http/types@0.2.0",
        "wasi:http/client@0.3.0",
        "wasi:config/store@0.2.0-rc.1",
        "vaultlet:keyvault/credentials@0.1.0",
        "vaultlet:keyvault/plan@0.1.0",
        "vaultlet:keyvault/simple@0.1.0",
        "vaultlet:keyvault/secrets-of-others",
        "example:other/thing",
    ] {
        let wasm = text(&format!("(component (import \"{interface}\" (instance)))"));
        let error = refused(&job, &wasm);
        let expected = format!("it imports `{interface}`, which no plugin is given;");
        assert!(error.contains(&expected), "{error}");
    }
    let error = refused(&job, &text("(component (import \"a-function\" (func)))"));
    assert!(error.contains("it imports `a-function`"), "{error}");
}

#[test]
fn an_import_of_another_type_or_version_is_refused() {
    let job = Job::new();
    for import in [
        "(import \"vaultlet:keyvault/secrets@0.1.0\" (instance (export \"get\" (func))))",
        "(import \"vaultlet:keyvault/secrets@0.1.0\" (instance (export \"list-all\" (func))))",
        "(import \"vaultlet:keyvault/secrets@2.0.0\" (instance (export \"get\" (func))))",
        "(import \"vaultlet:keyvault/secrets@0.1.0\" (func))",
        "(import \"wasi:cli/environment@0.3.0\" (instance (export \"get-arguments\" (func))))",
    ] {
        refused(&job, &text(&format!("(component {import})")));
    }
}

#[test]
fn a_component_without_imports_is_a_plugin() {
    let job = Job::new();
    let wasm = text(
        r#"(component
            (core module $m (func (export "f") (result i32) i32.const 42))
            (core instance $i (instantiate $m))
            (func (export "answer") (result u32) (canon lift (core func $i "f"))))"#,
    );
    let plugin = job.vaultlet.plugin(wasm).open().unwrap();
    assert_eq!(job.call(&plugin, "answer()"), "42");
}

/// What a file says reaches a person without what a terminal obeys, wherever in the message it stands.
#[test]
fn a_name_in_a_file_does_not_steer_a_terminal() {
    let job = Job::new();
    let name = "\\1b[31mEVIL\\1b]0;pwn\\07\\e2\\80\\ae\\e2\\80\\8b";
    for wat in [
        format!(
            "(component (core module $m (import \"{name}\" \"x\" (func))) (core instance (instantiate $m)))"
        ),
        format!(
            "(component (core module $m (import \"x\" \"{name}\" (func))) (core instance $x) (core instance (instantiate $m (with \"x\" (instance $x)))))"
        ),
        format!(
            "(component (core module $m (func (export \"{name}\"))) (core instance $i (instantiate $m)) (func (export \"f\") (canon lift (core func $i \"g\"))))"
        ),
    ] {
        let error = refused(&job, &text(&wat));
        assert!(!error.contains(['\u{1b}', '\u{7}', '\u{202e}', '\u{200b}']), "{error:?}");
    }
}
