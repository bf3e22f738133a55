//! `vaultlet job check`: the references that it finds, and what is only impossible on this machine. `vaultlet job run
//! --dev` has the vaults of the same references.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::sync::LazyLock;

use serde_json::Value;
use tempfile::TempDir;
use vaultlet_dev::{Local, Who};
use vaultlet_tests::{Ended, Run, vaultlet};

const VALUE: &str = "p4ssw0rd";
const OTHER: &str = "another-secret";

static LOCAL: LazyLock<Local> = LazyLock::new(|| {
    ["my-key-vault", "prod-my-key-vault", "tail-vault"]
        .into_iter()
        .fold(Local::builder(), |it, vault| it.vault(vault))
        .seed("db-password", VALUE)
        .seed("of-user", OTHER)
        .grant("managed:none:of-user".parse().unwrap())
        .run_as(Who::User)
        .start()
        .unwrap()
});

/// Runs `vaultlet job` in a folder with this file, which is named at the end and given as stdin, too.
fn job(text: &str, arguments: &[&str], name: Option<&str>) -> Ended {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("job.yml"), text).unwrap();
    let program = vaultlet().parent().unwrap().display().to_string();
    let path = format!("{program}:{}", std::env::var("PATH").unwrap());
    let ended = Run::program("sh")
        .arguments(["-c", "cd \"$1\" && shift && exec \"$@\" <job.yml", "sh"])
        .arguments([folder.path().to_str().unwrap(), vaultlet().to_str().unwrap(), "job"])
        .arguments(arguments)
        .arguments(name)
        .environment(LOCAL.environment().iter().cloned())
        .environment([("PATH", path.as_str())])
        .end();
    ended.reveals_none_of(&[VALUE, OTHER], true);
    ended
}

fn check(text: &str) -> (Value, Ended) {
    let text = format!("environment: azureml:e:1\n{text}\n");
    let ended = job(&text, &["check", "-o", "json"], Some("job.yml"));
    (serde_json::from_str(&ended.stdout).unwrap(), ended)
}

#[test]
fn a_check_lists_the_references_that_the_identity_may_not_read() {
    let text = "command: vaultlet get 'akv://my-key-vault/nope' \"$(cat akv://x)\"\n\
        environment: azureml:e:1\n\
        identity: {type: managed}\n\
        inputs: {a: akv://my-key-vault/absent}\n\
        environment_variables:\n  \
          A: akv://my-key-vault/of-user\n  \
          B: akv://my-key-vault/db-password\n  \
          C: akv://my-key-vault/not_a_name\n  \
          D: akv://my-key-vault/absent?optional\n  \
          E: https://my-key-vault.vault.azure.net/secrets/db-password\n  \
          F: '@Microsoft.KeyVault(VaultName=my-key-vault;SecretName=gone)'\n  \
          G: https://example.com/plain-value\n";
    let file = "job.yml";
    let ended = job(text, &["check"], Some(file));
    let lines: Vec<_> = ended.stdout.lines().collect();
    for (line, (at, path, id)) in lines.iter().zip([
        (":1:10", "command: reading secret `nope`", "(secret-not-found)"),
        (":4:13", "inputs.a: reading secret `absent`", "(secret-not-found)"),
        (":6:6", "environment_variables.A: reading secret `of-user`", "(vault-forbidden)"),
        (":8:6", "environment_variables.C: ", "(reference-malformed)"),
        (":11:6", "environment_variables.F: reading secret `gone`", "(secret-not-found)"),
    ]) {
        assert!(line.starts_with(&format!("{file}{at}: {path}")), "{line}");
        assert!(line.ends_with(id), "{line}");
    }
    assert_eq!((lines.len(), ended.code), (5, 66), "{}", ended.stdout);
    assert!(
        ended.stderr.ends_with("5 things are wrong; see the list on stdout (secret-not-found)\n")
    );
    let ended = job(text, &["check", "--as", "user", "-o", "json"], Some(file));
    let json: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(json["findings"].as_array().unwrap().len(), 4);
    assert_eq!(json["findings"][1]["line"], 4);
    assert_eq!(json["findings"][2]["id"], "reference-malformed");
    assert_eq!(json["references"].as_array().unwrap().len(), 8);
    assert_eq!(json["references"][0]["path"], "environment_variables.A");
    assert!(!ended.stdout.contains("plain-value"));
    let error: Value = serde_json::from_str(ended.stderr.lines().last().unwrap()).unwrap();
    assert_eq!((&error["error"]["kind"], ended.code), (&"not-found".into(), 66));
}

#[test]
fn every_form_of_reference_is_found_in_the_command_and_in_inputs() {
    let good = "akv://my-key-vault/db-password";
    for (text, found) in [
        // The end of one is another.
        (
            "-e A=akv://prod-my-key-vault/nope -e B=akv://my-key-vault/nope",
            &["akv://prod-my-key-vault/nope", "akv://my-key-vault/nope"][..],
        ),
        ("akv://my-key-vault/a akv://my-key-vault/a", &["akv://my-key-vault/a"]),
        ("x 'AKV://my-key-vault/nope'", &["AKV://my-key-vault/nope"]),
        (
            "x https://my-key-vault.vault.azure.net/secrets/nope; HTTPS://TAIL-VAULT.VAULT.azure.cn/secrets/a",
            &[
                "https://my-key-vault.vault.azure.net/secrets/nope",
                "HTTPS://TAIL-VAULT.VAULT.azure.cn/secrets/a",
            ],
        ),
        (
            "x '@Microsoft.KeyVault(VaultName=my-key-vault;SecretName=ab)' '@microsoft.keyvault(SecretUri=https://tail-vault.vault.azure.net/secrets/b)'",
            &[
                "@Microsoft.KeyVault(VaultName=my-key-vault;SecretName=ab)",
                "@microsoft.keyvault(SecretUri=https://tail-vault.vault.azure.net/secrets/b)",
            ],
        ),
        (r#"printf "a\nakv://my-key-vault/x\n""#, &["akv://my-key-vault/x"]),
        // Others have such URLs, too, and what a shell puts together is not known.
        ("x https://example.com/secrets/a https://tail-vault.vault.azure.net/keys/a", &[]),
        (
            "x akv://$V/a \"akv://v/\"$N akv://v/{} https://tail-vault.vault.azure.net/secrets/$N akv://v",
            &[],
        ),
        ("x @Microsoft.KeyVault(VaultName=$V;SecretName=a)", &[]),
        // Prose.
        (
            "see akv://my-key-vault/x. Or (akv://my-key-vault/y), [akv://my-key-vault/z]!",
            &["akv://my-key-vault/x", "akv://my-key-vault/y", "akv://my-key-vault/z"],
        ),
        (
            "see akv://my-key-vault/x: akv://my-key-vault/y… “akv://my-key-vault/z”",
            &["akv://my-key-vault/x", "akv://my-key-vault/y", "akv://my-key-vault/z"],
        ),
        (
            "get akv://my-key-vault/x&&get 'akv://my-key-vault/y?json=/a&as=file'&",
            &["akv://my-key-vault/x", "akv://my-key-vault/y?json=/a&as=file"],
        ),
    ] {
        let block = text.replace('\n', " ");
        for (member, path) in [
            (format!("command: |-\n  {block}"), "command"),
            (format!("command: echo\ninputs:\n  a: |-\n    {block}"), "inputs.a"),
        ] {
            let (json, _) = check(&member);
            let references = json["references"].as_array().unwrap();
            let texts: Vec<_> =
                references.iter().map(|it| it["reference"].as_str().unwrap()).collect();
            assert_eq!(texts, found, "{text}");
            assert!(references.iter().all(|it| it["path"] == path), "{json}");
            // None can be read, and none is malformed.
            let findings = json["findings"].as_array().unwrap();
            assert!(findings.iter().all(|it| it["id"] != "reference-malformed"), "{text}: {json}");
        }
    }
    let (json, ended) = check(&format!("command: echo\ninputs: {{a: 'see {good}.'}}"));
    assert_eq!((ended.code, json["findings"].as_array().unwrap().len()), (0, 0), "{json}");
    let (_, ended) = check("command: cat https://my-key-vault.vault.azure.net/secrets/nope");
    assert_eq!(ended.code, 66, "{ended:?}");
}

#[test]
fn no_default_and_no_user_of_a_reference_is_shown() {
    let (json, ended) = check(
        "command: echo\nenvironment_variables: {A: 'akv://my-key-vault/x?json=/a&default=SENTINEL'}",
    );
    assert_eq!(json["references"][0]["reference"], "akv://my-key-vault/x?json=/a&default=…");
    ended.reveals_none_of(&["SENTINEL"], true);
    let text = "command: x akv://u:SENTINEL@my-key-vault/a 'akv://my-key-vault/b?default=SENTINEL&c=SENTINEL'\n\
        environment: azureml:e:1\n\
        inputs: {a: 'akv://u:SENTINEL@my-key-vault/x?sig=SENTINEL', \
          b: '@Microsoft.KeyVault(SecretUri=https://u:SENTINEL@my-key-vault.vault.azure.net/secrets/x?sig=SENTINEL)'}\n\
        environment_variables: {A: 'akv://u:SENTINEL@my-key-vault/x', B: 'akv://my-key-vault/x?sig=SENTINEL'}\n";
    for arguments in [&["check"][..], &["check", "-o", "json"], &["run"], &["run", "-o", "json"]] {
        let ended = job(text, arguments, Some("job.yml"));
        assert_eq!(ended.code, 65, "{ended:?}");
        ended.reveals_none_of(&["SENTINEL"], true);
    }
}

#[test]
fn what_is_only_impossible_here_is_a_note() {
    let cloud = "code: git+https://example.com/train.git\n\
        command: train ${{inputs.data}}\n\
        inputs: {data: {path: 'azureml:rows:1'}}\n\
        resources: {instance_count: 4}";
    let (json, ended) = check(cloud);
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""), "{json}");
    assert_eq!(json["findings"].as_array().unwrap().len(), 0, "{json}");
    let lines: Vec<_> = json["notes"].as_array().unwrap().iter().map(|it| &it["line"]).collect();
    assert_eq!(lines, [2, 4, 5], "{json}");
    assert_eq!(json["notes"][0]["id"], "job-unsupported");
    let text = format!("{cloud}\nenvironment: azureml:e:1\n");
    let ended = job(&text, &["check"], Some("job.yml"));
    let lines: Vec<_> = ended.stdout.lines().collect();
    assert_eq!((ended.code, lines.len()), (0, 4), "{}", ended.stdout);
    assert!(lines[0].starts_with("job.yml:1:7: note: `code` is"), "{}", lines[0]);
    assert!(lines[3].contains("nothing is wrong"), "{}", lines[3]);
    assert_eq!(job(&text, &["run"], Some("job.yml")).code, 78);
    // The exit code is that of what is wrong, also after a note.
    let (json, ended) =
        check(&format!("{cloud}\nenvironment_variables: {{A: akv://my-key-vault/nope}}"));
    assert_eq!((ended.code, json["findings"].as_array().unwrap().len()), (66, 1), "{json}");
    assert_eq!(json["notes"].as_array().unwrap().len(), 3);
}

#[test]
fn the_local_azure_has_every_vault_that_the_file_names() {
    let references = [
        "@Microsoft.KeyVault(VaultName=first-vault;SecretName=s)",
        "@Microsoft.KeyVault(VaultName=second-vault;SecretName=s)",
        "@Microsoft.KeyVault(SecretUri=https://third-vault.vault.azure.net/secrets/s)",
        "akv://china-vault.vault.azure.cn/s",
        "https://gov-vault.vault.usgovcloudapi.net/secrets/s",
        "https://upper-vault.VAULT.azure.net/secrets/s",
        "AKV://fifth-vault/s",
        "akv://x-tail-vault/s",
        "akv://tail-vault/s",
        "akv://made-vault/\"$N\"",
    ];
    let quoted: Vec<_> =
        references.iter().map(|it| format!("'{}'", it.replace('"', "'"))).collect();
    let text = format!(
        "command: |\n  N=s; for r in {}; do vaultlet get \"$r\" >got || exit 9; wc -c <got; done\n",
        quoted.join(" ")
    );
    let ended = job(&text, &["run", "--dev", "--seed", "s=12345678"], Some("job.yml"));
    assert_eq!(ended.stdout, "8\n".repeat(references.len()), "{}", ended.stderr);
}

#[test]
fn a_file_can_be_stdin() {
    let text = "command: echo made; cat\nenvironment: azureml:e:1\n";
    let ended = job(text, &["check"], Some("-"));
    assert_eq!(
        (ended.code, ended.stdout.starts_with("-: nothing is wrong")),
        (0, true),
        "{ended:?}"
    );
    for more in [&["run"][..], &["run", "--dev"]] {
        let ended = job(text, more, Some("-"));
        assert_eq!(
            (ended.code, ended.stdout.as_str()),
            (0, "made\n"),
            "{more:?}: {}",
            ended.stderr
        );
    }
    let ended = job(text, &["run", "--dev", "--seed-file", "-"], Some("-"));
    assert_eq!((ended.code, ended.stdout.as_str()), (64, ""), "{}", ended.stderr);
    assert!(ended.stderr.contains("both"), "{}", ended.stderr);
    assert!(job("command: [1]", &["check"], Some("-")).stdout.starts_with("-:1:10: `command`"));
}

#[test]
fn a_command_that_is_too_long_is_told_so() {
    let long = "x".repeat(140_000);
    for text in [
        format!("command: echo {long}\n"),
        format!("command: echo\nenvironment_variables: {{A: {long}}}\n"),
    ] {
        let ended = job(&text, &["run"], Some("job.yml"));
        assert_eq!(ended.code, 126);
        assert!(
            ended.stderr.contains("128 KiB") && !ended.stderr.contains("PATH"),
            "{}",
            ended.stderr
        );
    }
}
