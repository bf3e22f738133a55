//! `vaultlet policy`, and policies that are refused.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::Value;
use vaultlet_host::Policy;
use vaultlet_tests::Run;

use crate::{Place, ended, local, rule, vaultlet_ended};

#[test]
fn a_policy_that_is_wrong_is_refused_with_its_line() {
    let local = local();
    let place = Place::new("");
    let policy = place.policy().display().to_string();
    let good = rule("akv://job/db", "");
    for (text, line) in [
        (format!("{good}colour = 1\n"), Some(4)),
        (format!("{good}[deny]\n"), Some(4)),
        ("[[allow]]\nreference = 1\n".into(), Some(2)),
        ("[[allow]]\nreference = \"akv://job\"\n".into(), Some(2)),
        ("[[allow]]\nreference = \"akv://job/db?json=/user\"\n".into(), Some(2)),
        (format!("{good}versions = \"newest\"\n"), Some(4)),
        (format!("{good}user = \"root\"\n"), Some(4)),
        (format!("{good}reference = \"akv://job/x\"\n"), Some(4)),
        ("[[allow]]\n".into(), Some(1)),
        ("x\n".into(), Some(1)),
    ] {
        place.write(&text);
        for command in [
            &["get", "akv://job/db"][..],
            &["policy", "check"],
            &["policy", "test", "akv://job/db"],
        ] {
            let ended = ended(&local, command, &[("VAULTLET_POLICY", &policy)], "");
            assert_eq!(ended.code, 78, "{text}: {}", ended.stderr);
            let place = line.map(|line| format!("`{policy}`: line {line}: ")).unwrap_or_default();
            assert!(ended.stderr.contains(&place), "{text}: {}", ended.stderr);
            assert!(ended.stderr.contains("(policy-malformed)"), "{}", ended.stderr);
            assert_eq!((ended.stderr.lines().count(), ended.stdout.as_str()), (1, ""));
        }
    }
    place.write(&good);
    fs::set_permissions(place.policy(), fs::Permissions::from_mode(0o666)).unwrap();
    for (path, id) in [(policy.as_str(), "policy-untrusted"), ("/nowhere/p.toml", "policy-file")] {
        let ended = vaultlet_ended(&local, &["get", "akv://job/db", "--policy", path]);
        assert_eq!(ended.code, 78, "{}", ended.stderr);
        assert!(ended.stderr.contains(id) && ended.stderr.contains(path), "{}", ended.stderr);
    }
    assert_eq!(local.counters().operation("get", 200), 0);
}

#[test]
fn policy_check_prints_each_rule_with_its_line() {
    let place = Place::new(&format!(
        "# comment\n{}{}",
        rule("https://job.vault.azure.net/secrets/db", "versions = \"latest\""),
        rule(
            "akv://job/train-*",
            "user = [\"no-such-user-here\"]\nprogram = [\"/no/such/program\", \"/usr/*\"]"
        ),
    ));
    let [flag, policy] = place.flag();
    let ended = Run::vaultlet(["policy", "check", &flag, &policy]).end();
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""));
    let audit = place.at("audit.jsonl").display().to_string();
    assert_eq!(
        ended.stdout,
        format!(
            "{policy}: 2 rules; audit: {audit}\n\
             line 2: akv://job.vault.azure.net/db, the latest version\n\
             line 5: akv://job/train-*, user no-such-user-here, program /no/such/program or /usr/*\n\
             line 5: note: this machine has no user `no-such-user-here`\n\
             line 5: note: this machine has no program `/no/such/program`\n"
        )
    );
    let ended = Run::vaultlet(["policy", "check", "-o", "json"])
        .environment([("VAULTLET_POLICY", &policy)])
        .end();
    let json: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(json["rules"][0]["versions"], "latest");
    assert_eq!(
        (&json["rules"][1]["line"], json["notes"].as_array().unwrap().len()),
        (&5.into(), 2)
    );
    let ended = Run::vaultlet(["policy", "check"]).end();
    assert!(ended.code == 64 && ended.stderr.contains("`VAULTLET_POLICY`"), "{ended:?}");
    place.write("[audit]\nfile = \"none/audit\"\n");
    let ended = Run::vaultlet(["policy", "check", &flag, &policy]).end();
    assert!(ended.code == 78 && ended.stderr.contains("(audit-failed)"), "{ended:?}");
}

#[test]
fn policy_test_says_allowed_or_denied_and_by_which_line() {
    let place = Place::new(&format!(
        "{}{}{}",
        rule("akv://job/db", "user = [\"trainer\"]"),
        rule("akv://job/train-*", "program = [\"/usr/bin/env\"]"),
        rule("akv://job/latest", "versions = \"latest\""),
    ));
    let [flag, policy] = place.flag();
    let version = "0123456789abcdef0123456789abcdef";
    for (words, code, says, json) in [
        (
            vec!["akv://job/db", "--user", "trainer"],
            0,
            "allowed by line 1 of",
            ("allowed", Some(1)),
        ),
        (
            vec!["akv://job/db?json=/user", "--user", "trainer"],
            0,
            "allowed by line 1",
            ("allowed", Some(1)),
        ),
        (
            vec!["akv://job/db?optional", "--user", "trainer"],
            0,
            "allowed by line 1",
            ("allowed", Some(1)),
        ),
        (vec!["akv://job/db"], 77, "denied: line 1 of", ("denied", Some(1))),
        (
            vec!["akv://job/train-x", "--program", "env"],
            0,
            "allowed by line 4",
            ("allowed", Some(4)),
        ),
        (vec!["akv://job/train-x"], 77, "to other programs only", ("denied", Some(4))),
        (vec!["akv://job/latest"], 0, "allowed by line 7", ("allowed", Some(7))),
        (vec!["akv://job/x"], 77, "denied: no line of", ("denied", None)),
        (
            vec!["akv://job/db", "--cloud", "china", "--user", "trainer"],
            0,
            "allowed",
            ("allowed", Some(1)),
        ),
        (vec!["akv://job.vault.azure.cn/db", "--user", "trainer"], 77, "denied", ("denied", None)),
    ] {
        let arguments = [&["policy", "test", &flag, &policy][..], &words].concat();
        let ended = Run::vaultlet(&arguments).end();
        assert_eq!((ended.code, ended.stderr.as_str()), (code, ""), "{words:?}: {}", ended.stdout);
        assert!(
            ended.stdout.contains(says) && ended.stdout.lines().count() == 1,
            "{words:?}: {}",
            ended.stdout
        );
        let ended = Run::vaultlet([&arguments[..], &["-o", "json"]].concat()).end();
        let answer: Value = serde_json::from_str(&ended.stdout).unwrap();
        assert_eq!(ended.code, code);
        assert_eq!(
            (answer["decision"].as_str().unwrap(), answer["line"].as_i64()),
            (json.0, json.1),
            "{words:?}"
        );
        assert_eq!(
            (&answer["reference"], &answer["policy"]),
            (&words[0].into(), &policy.as_str().into())
        );
    }
    let with_version = format!("akv://job/latest/{version}");
    let ended = Run::vaultlet(["policy", "test", &with_version, &flag, &policy]).end();
    assert!(ended.code == 77 && ended.stdout.contains("without a version only"), "{ended:?}");
    for (words, code) in
        [(vec!["akv://job"], 65), (vec![], 64), (vec!["akv://job/x", "--cloud", "mars"], 64)]
    {
        let ended = Run::vaultlet([&["policy", "test", &flag, &policy][..], &words].concat()).end();
        assert_eq!((ended.code, ended.stdout.as_str()), (code, ""), "{words:?}: {}", ended.stderr);
    }
}

#[test]
fn policy_init_writes_what_the_job_needs_and_nothing_else() {
    let local = local();
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    fs::write(at("job.env"), "DB=akv://job/db?json=/user\nPLAIN=x\nAGAIN=AKV://JOB/db\n").unwrap();
    fs::write(
        at("job.yml"),
        "type: command\ncommand: python train.py\nenvironment: azureml:x@latest\ncompute: azureml:c\n\
         environment_variables:\n  KEY: akv://job/train-key\n",
    )
    .unwrap();
    let init = |arguments: &[&str], variables: &[(&str, &str)]| {
        let run = Run::vaultlet([&["policy", "init"][..], arguments].concat());
        run.environment(variables.iter().copied()).end()
    };
    let environment = [("HERE", "akv://job/db-password")];
    for (arguments, expected) in [
        (vec![], vec!["db-password"]),
        (vec!["--env-file", &at("job.env")], vec!["db", "db-password"]),
        (vec![&*at("job.yml")], vec!["train-key"]),
        (
            vec![&*at("job.yml"), "--env-file", &at("job.env"), "-e", "X=akv://other/x"],
            vec!["db", "train-key", "x"],
        ),
    ] {
        let ended = init(&arguments, &environment);
        assert_eq!((ended.code, ended.stderr.as_str()), (0, ""), "{arguments:?}");
        let lines = ended.stdout.lines().filter_map(|line| line.strip_prefix("reference = "));
        let names: Vec<_> =
            lines.map(|it| it.trim_matches('"').rsplit('/').next().unwrap()).collect();
        assert_eq!(names, expected, "{}", ended.stdout);
    }
    // Written once, for its owner to change, and obeyed as it is.
    let policy = at("policy.toml");
    let arguments = ["--env-file", &at("job.env"), "--out-file", &policy];
    assert_eq!(init(&arguments, &[]).code, 0);
    let text = fs::read_to_string(&policy).unwrap();
    assert!(text.contains("# AGAIN, DB\n"), "{text}");
    assert!(Policy::load(&policy).is_ok(), "{text}");
    let ended = init(&arguments, &[]);
    assert!(ended.code == 73 && ended.stderr.contains("(policy-exists)"), "{ended:?}");
    assert_eq!(fs::read_to_string(&policy).unwrap(), text);
    for (name, code) in [("db", 0), ("train-key", 77)] {
        let reference = format!("akv://job/{name}");
        assert_eq!(vaultlet_ended(&local, &["get", &reference, "--policy", &policy]).code, code);
    }
    // What is malformed is told by its name, and a job without references is told, too.
    let ended = init(&["-e", "X=akv://job"], &[]);
    assert!(ended.code == 65 && ended.stderr.starts_with("vaultlet: X: "), "{ended:?}");
    let ended = init(&[], &[]);
    assert!(ended.code == 0 && ended.stderr.contains("allows nothing"), "{ended:?}");
    assert_eq!(init(&[&at("none.yml")], &[]).code, 78);
    assert_eq!(init(&["--out-file", &at("none/policy.toml")], &[]).code, 69);
}
