//! A plugin under the policy of its handle: both its grants and the policy must allow a secret, and what it is given is
//! recorded.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use vaultlet_host::{Kind, Vaultlet};

use crate::job::{DB, Job, VALUE, read, unruly};

fn handle(job: &Job, folder: &Path, rules: &str, audit: &str) -> Vaultlet {
    let policy = folder.join("policy.toml");
    fs::write(&policy, format!("{rules}\n[audit]\nfile = {audit:?}\n")).unwrap();
    fs::set_permissions(&policy, fs::Permissions::from_mode(0o600)).unwrap();
    let variables = job.local.environment().iter().cloned();
    Vaultlet::builder().variables(variables).policy(policy).open().unwrap()
}

const RULES: &str =
    "[[allow]]\nreference = \"akv://job/db\"\n[[allow]]\nreference = \"akv://job/absent\"\n";

#[test]
fn a_plugin_is_held_to_its_grants_and_to_the_policy_and_each_value_is_recorded_once() {
    let (job, folder) = (Job::new(), tempfile::tempdir().unwrap());
    let vaultlet = handle(&job, folder.path(), RULES, "audit.jsonl");
    let plugin = vaultlet.plugin(unruly()).name("p").grant("akv://job/*").grant("akv://*/x").open();
    let plugin = plugin.unwrap();
    let ok = format!("ok({})", vaultlet_host::wave_text(VALUE));
    for (reference, expected) in [
        (DB, ok.as_str()),
        ("akv://job/ungranted", "(policy-denied)"),
        ("akv://job/absent", "(secret-not-found)"),
        ("akv://other/db", "(plugin-not-granted)"),
        ("akv://other/x", "(policy-denied)"),
    ] {
        let result = job.call(&plugin, &read(reference));
        assert!(result.contains(expected), "{reference}: {result}");
        // Where the policy is, is the host's business.
        assert!(!result.contains("policy.toml"), "{result}");
    }
    let audit = fs::read_to_string(folder.path().join("audit.jsonl")).unwrap();
    job.say(&audit);
    let lines: Vec<serde_json::Value> =
        audit.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let events: Vec<_> = lines
        .iter()
        .map(|line| (line["event"].as_str().unwrap(), line["id"].as_str().unwrap_or_default()))
        .collect();
    let expected = [
        ("reveal", ""),
        ("denied", "policy-denied"),
        ("failed", "secret-not-found"),
        ("denied", "plugin-not-granted"),
        ("denied", "policy-denied"),
    ];
    assert_eq!(events, expected);
    assert!(lines.iter().all(|line| line["plugin"] == "p"), "{audit}");
    assert_eq!(job.local.counters().operation("get", 200), 1);
}

#[test]
fn a_value_that_cannot_be_recorded_is_not_given_to_a_plugin() {
    let (job, folder) = (Job::new(), tempfile::tempdir().unwrap());
    let vaultlet = handle(&job, folder.path(), RULES, "/dev/full");
    let plugin = vaultlet.plugin(unruly()).grant(DB).open().unwrap();
    for _ in 0..2 {
        let error = job.fails(&plugin, &read(DB));
        assert_eq!((error.kind, error.id.as_str()), (Kind::Configuration, "audit-failed"));
    }
}
