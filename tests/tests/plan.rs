//! `vaultlet plan`: what would be read and whom it would talk to, without the network.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use serde_json::Value;
use vaultlet_host::Vaultlet;
use vaultlet_tests::sandbox::skipped;
use vaultlet_tests::{Run, vaultlet};

const SECRET: &str = "s3cret-of-the-machine";
const VARIABLES: [(&str, &str); 6] = [
    ("MSI_ENDPOINT", "http://127.0.0.1:9/MSI/s3cret-of-the-machine"),
    ("MSI_SECRET", SECRET),
    ("HTTPS_PROXY", "http://user:s3cret-of-the-machine@proxy.example.test:3128"),
    ("AZURE_CLIENT_ID", "00000000-1111-2222-3333-444444444444"),
    ("AZURE_FEDERATED_TOKEN_FILE", "/no/such/token"),
    ("VAULTLET_EXCLUDE", "environment"),
];

fn plan(arguments: &[&str]) -> vaultlet_tests::Ended {
    let ended = Run::vaultlet(["plan"]).arguments(arguments).environment(VARIABLES).end();
    ended.reveals_none_of(&[SECRET], true);
    ended
}

#[test]
fn the_json_is_that_of_the_library() {
    let ended = plan(&["akv://job/db-password", "-o", "json"]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let vaultlet = Vaultlet::builder().variables(VARIABLES).open().unwrap();
    let expected = vaultlet.plan_blocking(Some("akv://job/db-password")).unwrap();
    let printed: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(printed, serde_json::to_value(expected).unwrap());
    assert_eq!(ended.stdout.lines().count(), 1);
}

#[test]
fn people_read_what_is_set_whom_it_asks_and_what_is_there() {
    let ended =
        plan(&["akv://job/db-password", "--identity", "workload-identity,managed,azure-cli"]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let lines: Vec<_> = ended.stdout.lines().map(str::split_whitespace).collect();
    let line = |words: &str| {
        assert!(
            lines.iter().any(|line| line.clone().eq(words.split(' '))),
            "{words}: {}",
            ended.stdout
        );
    };
    line("https://job.vault.azure.net vault, through the proxy proxy.example.test:3128");
    line("http://127.0.0.1:9 identity endpoint");
    line("MSI_ENDPOINT http://127.0.0.1:9");
    line("MSI_SECRET set, not shown");
    line("HTTPS_PROXY http://proxy.example.test:3128");
    line("AZURE_CLIENT_ID 00000000-1111-2222-3333-444444444444");
    line("VAULTLET_EXCLUDE environment");
    line("az not in PATH");
    let (_, unset) = ended.stdout.split_once("Variables that are read, and not set").unwrap();
    assert!(unset.contains(" AZURE_TENANT_ID ") && !unset.contains("MSI_SECRET"), "{unset}");
    // Both without a reference, and with a vault alone.
    assert!(!plan(&[]).stdout.contains("\nVault\n"));
    for vault in ["akv://job", "job", "https://job.vault.azure.net"] {
        let ended = plan(&[vault]);
        assert!(
            ended.stdout.starts_with("Vault\n  https://job.vault.azure.net  vault"),
            "{ended:?}"
        );
    }
}

#[test]
fn what_is_wrong_is_said_as_elsewhere() {
    for (arguments, code, text) in [
        (vec!["akv://job/a_b"], 65, "(reference-malformed)"),
        (vec!["--cloud", "mars"], 64, "`--cloud`"),
        (vec!["a", "b"], 64, "see `vaultlet plan --help`"),
        (vec!["--ca-file", "/no/such.pem"], 78, "(ca-file)"),
    ] {
        let ended = plan(&arguments);
        assert_eq!(
            (ended.code, ended.stdout.as_str()),
            (code, ""),
            "{arguments:?}: {}",
            ended.stderr
        );
        assert!(ended.stderr.contains(text), "{arguments:?}: {}", ended.stderr);
    }
}

#[test]
fn no_socket_is_opened() {
    let folder = tempfile::tempdir().unwrap();
    let trace = folder.path().join("trace");
    let strace = ["-f", "-qq", "-e", "trace=%network,execve", "-o", trace.to_str().unwrap()];
    if Run::program("sh").arguments(["-c", "command -v strace"]).end().code != 0 {
        return skipped("plan without the network", "strace is not installed");
    }
    let ended = Run::program("strace")
        .arguments(strace)
        .arguments([vaultlet().to_str().unwrap(), "plan", "akv://job/db-password"])
        .environment(VARIABLES)
        .end();
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let trace = std::fs::read_to_string(trace).unwrap();
    let calls: Vec<_> = trace.lines().filter(|line| line.contains('(')).collect();
    assert!(calls.len() == 1 && trace.contains("execve("), "{trace}");
}

/// A variable with which `get` fails before it asks anybody.
#[test]
fn a_source_that_is_set_up_wrong_is_told() {
    for (variables, source, said) in [
        (
            vec![("OBO_ENDPOINT", "http://8.8.8.8/s3cret-of-the-machine")],
            "azureml-obo",
            "`OBO_ENDPOINT`",
        ),
        (
            vec![("MSI_ENDPOINT", "nonsense/s3cret-of-the-machine"), ("MSI_SECRET", SECRET)],
            "managed-identity",
            "`MSI_ENDPOINT`",
        ),
    ] {
        let ended = Run::vaultlet(["plan"]).environment(variables.clone()).end();
        ended.reveals_none_of(&[SECRET], true);
        assert_eq!(ended.code, 0, "{}", ended.stderr);
        let (_, remark) = ended.stdout.split_once("Source that is set up wrong").unwrap();
        let line = remark.lines().nth(1).unwrap();
        assert!(line.contains(source) && line.contains(said), "{line}");
        let get = Run::vaultlet(["get", "akv://job/x"]).environment(variables).end();
        assert_eq!(get.code, 78, "{}", get.stderr);
        assert!(get.stderr.contains(said), "{}", get.stderr);
    }
    assert!(!plan(&[]).stdout.contains("set up wrong"));
}
