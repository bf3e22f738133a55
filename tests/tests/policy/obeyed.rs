//! What commands and the library read under a policy, and what they deny before anybody is asked.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use vaultlet_host::Vaultlet;
use vaultlet_tests::{Ended, vaultlet};

use crate::{Place, SECRETS, VALUE, commands, ended, local, rule, user, vaultlet_ended};

#[test]
fn every_command_denies_what_is_not_allowed_before_anybody_is_asked() {
    let local = local();
    let place = Place::new(&rule("akv://job/train-*", ""));
    let policy = place.policy().display().to_string();
    for (words, stdin) in commands("akv://job/db-password") {
        let words: Vec<_> = words.iter().map(String::as_str).collect();
        let with_flag = [&words[..1], &["--policy", &policy], &words[1..]].concat();
        for (arguments, variables) in [
            (&with_flag, &[][..]),
            (&words, &[("VAULTLET_POLICY", policy.as_str())]),
            // The flag wins.
            (&with_flag, &[("VAULTLET_POLICY", "/nowhere")]),
        ] {
            let ended = ended(&local, arguments, variables, &stdin);
            assert_eq!(ended.code, 77, "{arguments:?}: {ended:?}");
            for part in [
                "akv://job.vault.azure.net/db-password",
                &policy,
                "policy-denied",
                "have it allowed",
            ] {
                assert!(ended.stderr.contains(part), "{arguments:?}: {part}: {}", ended.stderr);
            }
            ended.reveals_none_of(&SECRETS, true);
        }
    }
    let counters = local.counters();
    assert_eq!(counters.operation("get", 200), 0, "the vault was asked");
    assert!(place.events().iter().all(|it| it == "denied db-password policy-denied"));
    assert_eq!(place.events().len(), 3 * commands("").len());
    // What is allowed is read by the same commands, and recorded once for each.
    for (words, stdin) in commands("akv://job/train-key") {
        let words: Vec<_> = words.iter().map(String::as_str).collect();
        let ended = ended(&local, &words, &[("VAULTLET_POLICY", &policy)], &stdin);
        assert_eq!((ended.code, ended.stderr.as_str()), (0, ""), "{words:?}");
    }
    let events = place.events();
    let revealed = events.iter().filter(|it| *it == "reveal train-key").count();
    assert_eq!(revealed, commands("").len(), "{events:?}");
}

#[test]
fn without_a_policy_nothing_is_denied_and_an_empty_one_allows_nothing() {
    let local = local();
    let reference = "akv://job/db-password";
    for variables in [&[][..], &[("VAULTLET_POLICY", "")], &[("VAULTLET_POLICY", "  ")]] {
        assert_eq!(ended(&local, &["get", reference], variables, "").stdout, VALUE);
    }
    let place = Place::new("");
    for text in ["", "# nothing\n", "allow = []\n", "[audit]\nfile = \"stderr\"\n"] {
        place.write(text);
        let [flag, policy] = place.flag();
        let ended = vaultlet_ended(&local, &["get", reference, &flag, &policy]);
        assert_eq!((ended.code, ended.stdout.as_str()), (77, ""), "{text}: {}", ended.stderr);
    }
}

#[test]
fn commands_that_give_out_no_secret_read_no_policy() {
    let local = local();
    for words in [
        &["list", "akv://job"][..],
        &["versions", "akv://job/db"],
        &["whoami"],
        &["token", "--reveal"],
        &["policy", "init"],
    ] {
        let ended = ended(&local, words, &[("VAULTLET_POLICY", "/nowhere/policy.toml")], "");
        assert_eq!(ended.code, 0, "{words:?}: {}", ended.stderr);
    }
}

#[test]
fn a_policy_that_cannot_be_read_is_told_where_there_is_nothing_to_read() {
    let local = local();
    for words in [&["run", "--", "true"][..], &["export", "-f", "json"], &["redact"], &["inject"]] {
        let with_flag = [&words[..1], &["--policy", "/nowhere/p.toml"], &words[1..]].concat();
        let variable = ("VAULTLET_POLICY", "/nowhere/p.toml");
        for (words, variables) in [(&with_flag[..], &[][..]), (words, &[variable])] {
            let ended = ended(&local, words, variables, "text");
            assert_eq!((ended.code, ended.stdout.as_str()), (78, ""), "{words:?}");
            assert!(ended.stderr.contains("(policy-file)"), "{words:?}: {}", ended.stderr);
        }
        assert_eq!(ended(&local, words, &[("VAULTLET_POLICY", " ")], "text").code, 0, "{words:?}");
    }
}

#[test]
fn all_or_nothing_holds_of_several_secrets() {
    let local = local();
    let place = Place::new(&rule("akv://job/train-*", ""));
    let [flag, policy] = place.flag();
    let (good, bad) = ("akv://job/train-key", "akv://job/db?json=/user");
    for references in [[good, bad], [bad, good]] {
        let arguments = [&["get", "-o", "json", &flag, &policy][..], &references].concat();
        let ended = vaultlet_ended(&local, &arguments);
        assert_eq!((ended.code, ended.stdout.as_str()), (77, ""), "{}", ended.stderr);
        // Neither the options nor a member are told.
        let error: Value = serde_json::from_str(ended.stderr.lines().last().unwrap()).unwrap();
        assert_eq!(
            (&error["error"]["id"], &error["error"]["kind"]),
            (&"policy-denied".into(), &"denied".into())
        );
        assert!(
            !ended.stderr.contains("json=") && !ended.stderr.contains("/user"),
            "{}",
            ended.stderr
        );
    }
    assert_eq!(local.counters().operation("get", 200), 0, "none is asked for when one is denied");
    // Each variable has its line.
    let variables =
        ["-e", "A=akv://job/db", "-e", "B=akv://job/train-gone", "-e", "C=akv://other/x"];
    let arguments = [&["run", &flag, &policy][..], &variables, &["--", "true"]].concat();
    let ended = vaultlet_ended(&local, &arguments);
    let lines: Vec<_> = ended.stderr.lines().collect();
    assert_eq!((ended.code, lines.len()), (77, 3), "{}", ended.stderr);
    for (line, (name, id)) in lines.iter().zip([
        ("A", "policy-denied"),
        ("B", "secret-not-found"),
        ("C", "policy-denied"),
    ]) {
        assert!(line.starts_with(&format!("vaultlet: {name}: ")) && line.contains(id), "{line}");
    }
    let events = place.events();
    assert!(events.contains(&"failed train-gone secret-not-found".to_owned()), "{events:?}");
    // Nor do the commands that only look say more than they may.
    for arguments in [&["doctor", bad, "-o", "json"][..], &["job", "check", "job.yml"]] {
        let folder = tempfile::tempdir().unwrap();
        let job = "type: command\ncommand: x\nenvironment: azureml:x@latest\ncompute: azureml:c\n\
            environment_variables:\n  KEY: akv://job/db\n";
        fs::write(folder.path().join("job.yml"), job).unwrap();
        let mut command = Command::new(vaultlet());
        command.args(arguments).args(place.flag()).current_dir(&folder).env_clear();
        command.envs(local.environment().iter().cloned());
        let ended = Ended::from(command.output().unwrap());
        assert_eq!(ended.code, 77, "{arguments:?}: {ended:?}");
        let said = format!("{}{}", ended.stdout, ended.stderr);
        assert!(said.contains("policy-denied"), "{arguments:?}: {said}");
    }
    // An optional one that is denied is no missing one.
    let variables = ["-e", "A=akv://job/db?optional", "-e", "B=akv://job/db?default=x"];
    let arguments = [&["run", &flag, &policy][..], &variables, &["--", "true"]].concat();
    assert_eq!(vaultlet_ended(&local, &arguments).code, 77);
}

#[test]
fn every_form_of_a_reference_and_every_member_is_the_same_secret() {
    let local = local();
    let host = "job.vault.azure.net";
    let version = {
        let ended = vaultlet_ended(&local, &["get", "-o", "json", "akv://job/db"]);
        serde_json::from_str::<Value>(&ended.stdout).unwrap()["version"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let forms = [
        "akv://job/db".to_owned(),
        "AKV://JOB/db".into(),
        format!("akv://{host}:443/db/{version}"),
        format!("https://{host}/secrets/db"),
        format!("@Microsoft.KeyVault(SecretUri=https://{host}/secrets/db/{version})"),
        "@Microsoft.KeyVault(VaultName=job;SecretName=db)".into(),
        "akv://job/db?json=/user".into(),
    ];
    let look_alikes =
        ["akv://job/DB", "akv://job/db-password", "akv://other/db", "akv://job/train-key"];
    for pattern in [&forms[0], &forms[3], &forms[5]] {
        let place = Place::new(&rule(pattern, ""));
        let [flag, policy] = place.flag();
        for form in &forms {
            let ended = vaultlet_ended(&local, &["get", form, &flag, &policy]);
            assert_eq!(ended.code, 0, "{pattern} and {form}: {}", ended.stderr);
        }
        for other in look_alikes {
            let ended = vaultlet_ended(&local, &["get", other, &flag, &policy]);
            assert_eq!(ended.code, 77, "{pattern} and {other}: {}", ended.stderr);
        }
        let lines = place.audit();
        assert!(lines[..forms.len()].iter().all(|line| line["version"] == version.as_str()));
        let canonical = format!("akv://{host}/db");
        assert!(lines[..forms.len()].iter().all(|line| line["reference"] == canonical.as_str()));
    }
    // The latest version only.
    let place = Place::new(&rule("akv://job/*", "versions = \"latest\""));
    let [flag, policy] = place.flag();
    for (form, code) in forms.iter().zip([0, 0, 77, 0, 77, 0, 0]) {
        let ended = vaultlet_ended(&local, &["get", form, &flag, &policy]);
        assert_eq!(ended.code, code, "{form}: {}", ended.stderr);
    }
    // A vault without TLS.
    let http = local.vault("job").unwrap().http();
    let place = Place::new(&rule(&format!("{http}/secrets/db"), ""));
    let [flag, policy] = place.flag();
    for (name, code) in [("db", 0), ("db-password", 77)] {
        let reference = format!("{http}/secrets/{name}");
        let arguments = ["get", &reference, "--allow-http-loopback", &flag, &policy];
        let ended = vaultlet_ended(&local, &arguments);
        assert_eq!(ended.code, code, "{}", ended.stderr);
    }
    assert_eq!(vaultlet_ended(&local, &["get", "akv://job/db", &flag, &policy]).code, 77);
}

#[test]
fn the_user_and_the_program_that_ask_are_compared() {
    let local = local();
    let folder = tempfile::tempdir().unwrap();
    let tool = folder.path().join("tool");
    symlink("/usr/bin/env", &tool).unwrap();
    let tool = tool.display().to_string();
    let env = fs::canonicalize("/usr/bin/env").unwrap().display().to_string();
    let get = &["get", "akv://job/db"][..];
    let run = |words: &[&'static str]| [&["run", "-e", "X=akv://job/db", "--"][..], words].concat();
    let own = vaultlet().canonicalize().unwrap().display().to_string();
    let list = |key: &str, item: &str| format!("{key} = [\"/nowhere\", \"{item}\"]");
    for (more, arguments, code) in [
        (format!("user = [\"{}\"]", user()), get.to_vec(), 0),
        ("user = [\"no-such-user-here\"]".into(), get.to_vec(), 77),
        ("user = [\"4294967290\"]".into(), get.to_vec(), 77),
        (list("program", &own), get.to_vec(), 0),
        (list("program", "/usr/bin/env"), get.to_vec(), 77),
        (list("program", &env), run(&["env"]), 0),
        (list("program", &env), run(&["/usr/bin/env"]), 0),
        // A link in the policy leads to the program, too; and `*` does not go below a folder.
        (list("program", &tool), run(&["env"]), 0),
        (list("program", "/usr/*"), run(&["env"]), 77),
        (list("program", "/*/*/*"), run(&["env"]), i32::from(env.matches('/').count() != 3) * 77),
        (list("program", &env), run(&["sh", "-c", "true"]), 77),
        (list("program", &own), run(&["env"]), 77),
        // A file that is no program.
        (list("program", &env), run(&["/etc/passwd"]), 77),
    ] {
        let place = Place::new(&rule("akv://job/db", &more));
        let [flag, policy] = place.flag();
        let arguments = [&arguments[..1], &[&*flag, &*policy], &arguments[1..]].concat();
        let ended = vaultlet_ended(&local, &arguments);
        assert_eq!(ended.code, code, "{more} {arguments:?}: {}", ended.stderr);
        let lines = place.audit();
        assert_eq!(lines[0]["user"], user().as_str());
    }
    // The program that is found by the PATH that the command gets.
    let place = Place::new(&rule("akv://job/db", &list("program", &env)));
    let [flag, policy] = place.flag();
    fs::write(folder.path().join("env"), "#!/bin/sh\n").unwrap();
    fs::set_permissions(folder.path().join("env"), fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("PATH={}", folder.path().display());
    let arguments = ["run", &flag, &policy, "-e", &path, "-e", "X=akv://job/db", "--", "env"];
    let ended = vaultlet_ended(&local, &arguments);
    assert_eq!(ended.code, 77, "{}", ended.stderr);
    let program = place.audit()[0]["program"].as_str().unwrap().to_owned();
    assert_eq!(Path::new(&program), folder.path().join("env").canonicalize().unwrap());
}

#[test]
fn the_library_obeys_the_policy_of_its_builder_or_its_environment() {
    let local = local();
    let place = Place::new(&rule("akv://job/train-*", ""));
    let with = |more: &[(&str, &str)]| {
        let variables = local.environment().iter().map(|(k, v)| (k.as_str(), v.as_str()));
        Vaultlet::builder().variables(variables.chain(more.iter().copied()))
    };
    let policy = place.policy();
    let path = policy.to_str().unwrap();
    let handles = [
        with(&[]).policy(&policy).open().unwrap(),
        with(&[("VAULTLET_POLICY", path)]).open().unwrap(),
        with(&[("VAULTLET_POLICY", "/nowhere")]).policy(&policy).open().unwrap(),
    ];
    for handle in &handles {
        let (good, bad) = ("akv://job/train-key", "akv://job/db?json=/user");
        assert_eq!(handle.get_blocking(good).unwrap().reveal(), VALUE);
        let denied = |error: vaultlet_host::Error| {
            assert_eq!(
                (error.id.as_str(), error.kind.as_str()),
                ("policy-denied", "denied"),
                "{error}"
            );
        };
        denied(handle.get_blocking(bad).unwrap_err());
        denied(handle.get_many_blocking(&[good, bad]).unwrap_err());
        denied(futures_lite::future::block_on(handle.get(bad)).unwrap_err());
        denied(futures_lite::future::block_on(handle.get_many(&[good, bad])).unwrap_err());
        let variables = vec![("A".to_owned(), bad.to_owned()), ("B".to_owned(), good.to_owned())];
        let request = vaultlet_host::EnvironmentRequest { variables: Some(variables), only: None };
        let error = handle.resolve_environment_blocking(&request).unwrap_err();
        assert_eq!(error.variables.len(), 1, "{error}");
        denied(error);
        // What has no values is not the policy's.
        assert!(handle.list_blocking("job").unwrap().len() >= 3);
        assert!(!handle.versions_blocking("akv://job/db").unwrap().is_empty());
        assert_eq!(handle.canonical(bad).unwrap().secret(), "akv://job.vault.azure.net/db");
    }
    assert_eq!(with(&[("VAULTLET_POLICY", "/nowhere")]).open().unwrap_err().id, "policy-file");
}
