//! Regressions that fuzzing has found.

use super::*;
use crate::planner::{Subject, resolve};

/// A host without a dot looks like a vault's name; its canonical form must not be that of another vault.
#[test]
fn a_host_without_a_dot_is_not_a_vaults_name() {
    let canonical = |text: &str| resolve(&Subject::Secret(text.into()), &[]).unwrap().reference;
    assert_eq!(canonical("https://job/secrets/a"), "akv://job:443/a");
    assert_eq!(canonical("akv://job:443/a"), "akv://job:443/a");
    assert_eq!(canonical("https://h4/secrets/a"), "akv://h4:443/a");
    assert_eq!(canonical("akv://job/a"), "akv://job.vault.azure.net/a");
}

#[test]
fn a_pointer_in_an_error_has_no_control_characters() {
    let world = with_token().answer(SECRET_REQUEST, 200, &[], r#"{"value":"{}"}"#);
    let secret = read(&world, &Memory::default(), "akv://job/db-password?json=/a%1b%0a");
    let error = failed(secret, "pointer-missing", ErrorKind::InvalidArgument);
    assert!(error.message.contains("`/a??`"), "{}", error.line());
}

#[test]
fn a_path_in_an_error_has_no_control_characters() {
    let path = "/run/\u{1b}[2J\nx";
    let variables = [
        ("VAULTLET_IDENTITY", "workload-identity"),
        ("AZURE_CLIENT_ID", GUID),
        ("AZURE_TENANT_ID", "t"),
        ("AZURE_FEDERATED_TOKEN_FILE", path),
    ];
    let world = ScriptedContext::new(&variables);
    let error = failed(ask(&world, &Memory::default()), "no-identity", ErrorKind::NotConfigured);
    assert!(error.line().contains("/run/?[2J?x"), "{}", error.line());
    let world = ScriptedContext::new(&variables).file(path, "no token");
    failed(ask(&world, &Memory::default()), "credential-file", ErrorKind::Configuration);
}

#[test]
fn codes_and_ids_that_look_like_a_token_are_dropped() {
    let variables =
        [("AZURE_CLIENT_ID", GUID), ("AZURE_TENANT_ID", "t"), ("AZURE_CLIENT_SECRET", "hunter2")];
    let body = r#"{"error":"eyJhbGciOi","error_description":"no","trace_id":"eyJhbGciOi"}"#;
    let world =
        ScriptedContext::new(&variables).answer("POST <*> content-type: <*> | <*>", 400, &[], body);
    let result = ask(&world, &Memory::default());
    let error = failed(result, "authority-unexpected", ErrorKind::Unavailable);
    assert!(!error.json().contains("eyJ"), "{}", error.json());

    let id = [("x-ms-request-id", "eyJhbGciOi")];
    let world = ScriptedContext::new(&ML).answer(ML_REQUEST, 400, &id, "no");
    let result = ask(&world, &Memory::default());
    let error = failed(result, "identity-refused", ErrorKind::Unauthenticated);
    assert!(!error.json().contains("eyJ"), "{}", error.json());
}
