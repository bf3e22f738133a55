//! What the policy and `--allow` give, and that it is written down before it is given.

use std::fs;
use std::process::Command;

use serde_json::Value;
use vaultlet_tests::{Ended, kill};

use crate::support::{Agent, MEMBER, SECRETS, VALUE, folder, local};

fn lines(file: &std::path::Path) -> Vec<Value> {
    let text = fs::read_to_string(file).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn both_the_policy_and_allow_must_allow() {
    let local = local();
    let folder = folder();
    let file = folder.path().join("policy.toml");
    fs::write(&file, "[[allow]]\nreference = \"akv://job/*\"\n").unwrap();
    let policy = ["--policy", file.to_str().unwrap()];
    let allow = ["--allow", "akv://job/json"];
    for (arguments, s, json) in [
        (policy.to_vec(), 200, 200),
        (allow.to_vec(), 403, 200),
        ([policy, allow].concat(), 403, 200),
        ([policy, ["--allow", "akv://other/*"]].concat(), 403, 403),
    ] {
        let agent = Agent::start(&local, &arguments);
        for _ in 0..2 {
            assert_eq!(agent.secret("akv://job/s").status, s, "{arguments:?}");
            assert_eq!(agent.secret("https://job.vault.azure.net/secrets/s").status, s);
            assert_eq!(agent.secret("akv://job/json").status, json, "{arguments:?}");
            assert_eq!(agent.secret("akv://job/json?json=/user").status, json, "with its members");
        }
        let body = r#"{"references":["akv://job/json","akv://job/s"]}"#;
        let both = agent.post(body).status;
        assert_eq!(both, s.max(json), "{arguments:?}");
    }
}

#[test]
fn a_program_is_the_one_that_asks_and_a_line_says_who_had_what() {
    let local = local();
    let folder = folder();
    let (file, log) = (folder.path().join("policy.toml"), folder.path().join("audit.jsonl"));
    let curl =
        String::from_utf8(Command::new("which").arg("curl").output().unwrap().stdout).unwrap();
    let curl = fs::canonicalize(curl.trim()).unwrap();
    let policy = format!(
        "[[allow]]\nreference = \"akv://job/*\"\nprogram = [\"{}\"]\n[audit]\nfile = \"{}\"\n",
        curl.display(),
        log.display()
    );
    fs::write(&file, policy).unwrap();
    let agent = Agent::start(&local, &["--policy", file.to_str().unwrap()]);
    let ask = |program: &std::path::Path, reference: &str| {
        let mut command = Command::new(program);
        command.args(["-sS", "--unix-socket"]).arg(&agent.socket);
        command.arg(format!("http://localhost/v1/secret?reference={reference}"));
        Ended::from(command.output().unwrap()).stdout
    };
    // By a link the program is the same; a copy is another one.
    let (link, copy) = (folder.path().join("link"), folder.path().join("copy"));
    std::os::unix::fs::symlink(&curl, &link).unwrap();
    assert!(Command::new("cp").arg(&curl).arg(&copy).status().unwrap().success());
    assert!(ask(&curl, "akv://job/s").contains(VALUE));
    assert!(ask(&link, "akv://job/json?json=/user").contains(MEMBER));
    assert!(ask(&copy, "akv://job/s").contains("policy-denied"));
    assert!(ask(&curl, "akv://job/absent").contains("secret-not-found"));
    assert_eq!(agent.secret("akv://job/s").error().2, "policy-denied");
    let found = lines(&log);
    let shown = |line: &Value| {
        let text = |name: &str| line[name].as_str().unwrap_or("-").to_owned();
        [text("event"), text("reference"), text("program"), text("id")]
    };
    let curl = curl.to_str().unwrap();
    let own = std::env::current_exe().unwrap().canonicalize().unwrap();
    let reference = |name: &str| format!("akv://job.vault.azure.net/{name}");
    let expected = [
        ["reveal", &reference("s"), curl, "-"],
        ["reveal", &reference("json"), curl, "-"],
        ["denied", &reference("s"), copy.to_str().unwrap(), "policy-denied"],
        ["failed", &reference("absent"), curl, "secret-not-found"],
        ["denied", &reference("s"), own.to_str().unwrap(), "policy-denied"],
    ];
    assert_eq!(found.iter().map(shown).collect::<Vec<_>>(), expected);
    assert!(found[0]["version"].as_str().unwrap().len() == 32, "{}", found[0]);
    assert_eq!(found[4]["pid"], std::process::id());
    let text = fs::read_to_string(&log).unwrap();
    assert!(SECRETS.iter().all(|secret| !text.contains(secret)));
}

#[test]
fn of_several_secrets_none_is_written_down_as_given_out_unless_all_are() {
    let local = local();
    let folder = folder();
    let (file, log) = (folder.path().join("policy.toml"), folder.path().join("audit.jsonl"));
    let rule = "[[allow]]\nreference = \"akv://job/*\"\n[audit]\nfile = ";
    fs::write(&file, format!("{rule}{:?}\n", log.to_str().unwrap())).unwrap();
    let agent = Agent::start(&local, &["--policy", file.to_str().unwrap()]);
    for (last, id) in [
        ("akv://job/absent", "secret-not-found"),
        ("akv://job/json?json=/absent", "pointer-missing"),
        ("akv://job/s?json=/user", "secret-not-json"),
    ] {
        fs::write(&log, "").unwrap();
        let body = serde_json::json!({ "references": ["akv://job/s", "akv://job/json", last] });
        assert_eq!(agent.post(&body.to_string()).error().2, id);
        let found = lines(&log);
        let found: Vec<_> = found.iter().map(|it| (&it["event"], &it["id"])).collect();
        assert_eq!(found, [(&Value::from("failed"), &Value::from(id))], "{last}");
    }
}

#[test]
fn when_the_audit_cannot_be_written_nothing_is_given_out() {
    let local = local();
    let folder = folder();
    let (file, log) = (folder.path().join("policy.toml"), folder.path().join("audit.jsonl"));
    let policy = |target: &str| {
        let text =
            format!("[[allow]]\nreference = \"akv://job/*\"\n[audit]\nfile = \"{target}\"\n");
        fs::write(&file, text).unwrap();
    };
    policy(log.to_str().unwrap());
    let agent = Agent::start(&local, &["--policy", file.to_str().unwrap()]);
    assert_eq!(agent.secret("akv://job/s").value(), VALUE);
    // Of several of which one has no such member.
    let both = r#"{"references":["akv://job/s","akv://job/json?json=/none"]}"#;
    assert_eq!(agent.post(both).error().2, "pointer-missing");
    let events = lines(&log);
    let events: Vec<_> = events.iter().map(|line| line["event"].as_str().unwrap()).collect();
    assert_eq!(events, ["reveal", "failed"]);
    // A full disk.
    policy("/dev/full");
    kill(agent.child.id(), "HUP");
    crate::support::until("the new audit", || agent.secret("akv://job/s").status != 200);
    let failed = (500, "configuration".to_owned(), "audit-failed".to_owned());
    for _ in 0..2 {
        assert_eq!(agent.secret("akv://job/s").error(), failed);
        assert_eq!(
            agent.post(r#"{"references":["akv://job/json","akv://job/s"]}"#).error(),
            failed
        );
    }
}
