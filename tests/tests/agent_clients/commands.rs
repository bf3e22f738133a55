//! Commands that get their secrets from an agent and have no identity: they print what they print without it.

use vaultlet_dev::{Local, Seed};
use vaultlet_tests::Run;
use vaultlet_tests::agent::Agent;

use crate::VALUE;

fn local() -> Local {
    Local::builder()
        .seed("s", VALUE)
        .seed("long", "x\"\\\n\u{1f}é👍".repeat(1_000))
        .seed("json", r#"{"user":"m3mber-of-json","n":1}"#)
        .seed("off", Seed::from("sw1tched-off").with_enabled(false))
        .seed("denied", "d3nied-value")
        .grant("managed:none:denied".parse().unwrap())
        .start()
        .unwrap()
}

#[test]
fn what_is_printed_is_what_a_direct_call_prints() {
    let local = local();
    let agent = Agent::start(&local, &[]);
    let many: Vec<_> = (0..300).map(|_| "akv://job/s").collect();
    let get_many = [&["get", "-o", "json"], many.as_slice()].concat();
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("text").display().to_string();
    std::fs::write(&text, "{{ akv://job/s }} {{ akv://job/json?json=/user }}").unwrap();
    for arguments in [
        &["get", "akv://job/s"][..],
        &["get", "akv://job/long"],
        &["get", "-o", "json", "akv://job/long"],
        &["get", "-o", "json", "akv://JOB/S", "@Microsoft.KeyVault(VaultName=job;SecretName=s)"],
        &["get", "-o", "env", "akv://job/s", "N=akv://job/json?json=/user"],
        &["get", "akv://job/json?json=/user"],
        &get_many,
        &[
            "run",
            "-e",
            "S=akv://job/s",
            "-e",
            "T=akv://job/none?default=x",
            "--",
            "sh",
            "-c",
            "echo \"$S $T\" | rev",
        ],
        &["run", "-e", "F=akv://job/s?as=file", "--", "sh", "-c", "wc -c < $F"],
        &["export", "-f", "json", "-e", "S=akv://job/s", "-e", "T=akv://job/none?optional"],
        &["inject", "--in-file", &text],
        // Errors.
        &["get", "akv://job/none"],
        &["get", "akv://job/s/0123456789abcdef0123456789abcdef"],
        &["get", "akv://job/off"],
        &["get", "-o", "json", "akv://job/denied"],
        &["get", "akv://job/json?json=/none"],
        &["get", "akv://job/s?json=/none"],
        &["get", "akv://job"],
        &["get", "akv://job/s?as=file"],
        &["get", "-o", "json", "akv://job/s", "akv://job/denied", "akv://job/none"],
        &[
            "run",
            "-o",
            "json",
            "-e",
            "A=akv://job/denied",
            "-e",
            "B=akv://job/none",
            "-e",
            "C=akv://job/s",
            "--",
            "true",
        ],
        &["export", "-f", "sh", "-e", "A=akv://job/off"],
    ] {
        let direct =
            Run::vaultlet(arguments).environment(local.environment().iter().cloned()).end();
        let by_agent = Run::vaultlet(arguments).environment(agent.variables()).end();
        let told = |text: &str| without_ids(text);
        assert_eq!(
            (by_agent.code, &by_agent.stdout),
            (direct.code, &direct.stdout),
            "{arguments:?}: {}",
            by_agent.stderr
        );
        assert_eq!(told(&by_agent.stderr), told(&direct.stderr), "{arguments:?}");
    }
}

/// Without the ids of requests, each of which is another one.
fn without_ids(text: &str) -> String {
    let mut parts = text.split("\"requestId\":\"");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + part.split_once('"').map_or("", |(_, rest)| rest))
}

#[test]
fn a_command_finds_the_agent_unless_it_is_to_have_no_identity() {
    let local = local();
    let agent = Agent::start(&local, &[]);
    let shown = |arguments: &[&str]| {
        let script =
            "echo \"${VAULTLET_AGENT:-none}\"; cat /proc/$PPID/task/*/comm 2>/dev/null; true";
        let arguments =
            [&["run", "-e", "S=akv://job/s"], arguments, &["--", "sh", "-c", script]].concat();
        let [place, _] = agent.variables();
        let ended = Run::vaultlet(arguments).environment([place]).end();
        assert_eq!(ended.code, 0, "{}", ended.stderr);
        ended.stdout
    };
    let place = format!("unix:{}\n", agent.socket().display());
    let kept = shown(&[]);
    assert!(kept.starts_with(&place), "{kept}");
    // No thread of an engine.
    assert!(kept.contains("vaultlet") && !kept.contains("vaultlet-epoch"), "{kept}");
    assert!(shown(&["--drop-identity"]).starts_with("none\n"));
    assert!(shown(&["--lend"]).starts_with("none\n"));
    // The local Azure has vaults of its own.
    let [place, _] = agent.variables();
    let in_dev = ["dev", "--seed", "s=0ther", "--", "sh", "-c", "echo \"${VAULTLET_AGENT:-none}\""];
    assert_eq!(Run::vaultlet(in_dev).environment([place]).end().stdout, "none\n");
}

#[test]
fn doctor_and_plan_say_what_the_agent_is() {
    let local = local();
    let agent = Agent::start(&local, &[]);
    let [place, _] = agent.variables();
    let doctor = |arguments: &[&str], variables: &[(&str, &str)]| {
        let arguments = [&["doctor", "-o", "json"], arguments].concat();
        let run = Run::vaultlet(arguments).environment(variables.iter().copied());
        let ended = run.end();
        let all: serde_json::Value = serde_json::from_str(&ended.stdout).unwrap();
        let find = |id: &str| {
            let mut checks = all["checks"].as_array().unwrap().iter();
            let found = checks.find(|it| it["id"] == id).unwrap_or_else(|| panic!("{all}"));
            format!("{} {}", found["state"].as_str().unwrap(), found["seen"].as_str().unwrap())
        };
        (ended.code, ["agent", "identity", "access", "secret"].map(find))
    };
    let here = [("VAULTLET_AGENT", place.1.as_str())];
    let (code, [of_agent, identity, access, secret]) = doctor(&["akv://job/s"], &here);
    assert_eq!(code, 0, "{of_agent} {access}");
    assert!(
        of_agent.starts_with("ok unix:") && of_agent.contains("answers: vaultlet 0."),
        "{of_agent}"
    );
    assert!(identity.starts_with("ok not needed here"), "{identity}");
    assert!(access.starts_with("ok ") && access.ends_with("the agent gives it"), "{access}");
    assert!(secret.starts_with("ok "), "{secret}");
    let (code, [_, _, access, _]) = doctor(&["akv://job/denied"], &here);
    assert_eq!(code, 77, "{access}");
    let gone = [("VAULTLET_AGENT", "unix:/nowhere/agent.sock")];
    let (code, [of_agent, _, access, _]) = doctor(&["akv://job/s"], &gone);
    assert_eq!(code, 69, "{of_agent}");
    assert!(of_agent.starts_with("fail ") && access.starts_with("warn "), "{of_agent} {access}");
    let plan = Run::vaultlet(["plan", "-o", "json"]).environment(here).end();
    let plan: serde_json::Value = serde_json::from_str(&plan.stdout).unwrap();
    assert_eq!(plan["agent"], place.1.as_str());
}

/// Of a program's own: what it does not allow is not asked for, and what the agent gives is recorded.
#[test]
fn a_policy_is_obeyed_before_the_agent_is_asked() {
    let served = crate::giving();
    let folder = tempfile::tempdir().unwrap();
    let [policy, audit] = ["policy.toml", "audit"].map(|name| folder.path().join(name));
    let text = format!("[[allow]]\nreference = \"akv://job/s*\"\n[audit]\nfile = {audit:?}\n");
    std::fs::write(&policy, text).unwrap();
    let get = |references: &[&str]| {
        let variables = [
            ("VAULTLET_AGENT", served.place()),
            ("VAULTLET_POLICY", policy.display().to_string()),
            ("VAULTLET_CA_FILE", "/nowhere".to_owned()),
        ];
        let run = Run::vaultlet(["get", "-o", "json"]).arguments(references);
        run.environment(variables).end()
    };
    for references in [&["akv://job/other"][..], &["akv://job/s", "akv://job/other"]] {
        let ended = get(references);
        assert_eq!((ended.code, served.connected()), (77, 0), "{}", ended.stderr);
        assert!(ended.stderr.contains("\"policy-denied\""), "{}", ended.stderr);
    }
    assert_eq!(get(&["akv://job/s", "akv://job/s2"]).code, 0);
    let lines = std::fs::read_to_string(&audit).unwrap();
    let lines = lines.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let lines: Vec<_> =
        lines.map(|it| format!("{} {} {}", it["event"], it["reference"], it["source"])).collect();
    let revealed: Vec<_> = lines.iter().filter(|it| it.contains("reveal")).collect();
    assert_eq!(revealed.len(), 2, "{lines:?}");
    assert!(revealed.iter().all(|it| it.ends_with("\"agent\"")), "{lines:?}");
}
