//! `vaultlet get` against the local Azure, with the vault's real name through the proxy.

use vaultlet_dev::{Local, Who};
use vaultlet_tests::{Run, vaultlet};

const VALUE: &str = "correct horse battery staple é";

#[test]
fn a_first_secret_with_a_managed_identity_takes_two_requests() {
    let local = Local::builder().vault("my-key-vault").seed("db-password", VALUE).start().unwrap();
    let ended = Run::vaultlet(["get", "akv://my-key-vault/db-password"])
        .environment(local.environment().iter().cloned())
        .end();
    assert_eq!((ended.stdout.as_str(), ended.stderr.as_str(), ended.code), (VALUE, "", 0));
    let methods: Vec<_> = local.log().iter().map(|e| format!("{e:?}")).collect();
    assert_eq!(methods.len(), 2, "{methods:#?}");
}

#[test]
fn a_secret_is_read_on_behalf_of_the_user() {
    let local =
        Local::builder().vault("my-key-vault").seed("db", VALUE).run_as(Who::User).start().unwrap();
    let ended = Run::vaultlet(["get", "akv://my-key-vault/db", "-o", "json", "--log", "info"])
        .environment(local.environment().iter().cloned())
        .end();
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert!(ended.stderr.contains("/OBO/token"), "{}", ended.stderr);
    ended.reveals_none_of(&[VALUE], false);
}

/// Some clusters limit the address space of a job (`ulimit -v`).
#[test]
fn four_gib_of_address_space_are_enough() {
    let ended = Run::program("sh")
        .arguments([
            "-c",
            "ulimit -v 4194304; exec \"$0\" dev --seed db=v4lue -- \"$0\" get akv://job/db",
        ])
        .arguments([vaultlet()])
        .end();
    assert_eq!((ended.code, ended.stdout.as_str()), (0, "v4lue"), "{}", ended.stderr);
}

#[test]
fn an_address_space_limit_that_is_too_low_is_named() {
    let ended = Run::program("sh")
        .arguments(["-c", "ulimit -v 100000; exec \"$0\" get akv://my-key-vault/db"])
        .arguments([vaultlet()])
        .end();
    assert_eq!((ended.code, ended.stdout.as_str()), (78, ""), "{}", ended.stderr);
    assert!(ended.stderr.contains("raise the limit (`ulimit -v`)"), "{}", ended.stderr);
    assert!(ended.stderr.contains("(address-space)"), "{}", ended.stderr);
}
