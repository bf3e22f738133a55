//! The variables of `get -o env`, and what it prints when it fails.

use super::*;
use crate::command::{Output, run};

const ENV: [&str; 3] = ["get", "-o", "env"];

fn command(world: &ScriptedContext, arguments: &[&str]) -> Output {
    let arguments: Vec<String> = arguments.iter().map(|it| (*it).to_owned()).collect();
    world.run(|| run(world, &Memory::default(), &arguments))
}

/// A world with a vault that has no secrets but these: any other request fails the test.
fn world(secrets: &[(&str, &str)]) -> ScriptedContext {
    let world = ScriptedContext::new(&ML).answer(ML_REQUEST, 200, &[], ML_TOKEN);
    secrets.iter().fold(world, |world, (name, value)| {
        let value = value.replace('\0', "\\u0000");
        let body = format!(r#"{{"value":"{value}"}}"#);
        world.answer(&SECRET_REQUEST.replace("db-password", name), 200, &[], body.as_str())
    })
}

#[test]
fn two_variables_of_one_name_are_refused_before_anything_is_sent() {
    for (arguments, variable) in [
        (&["akv://kv-dev/db-password", "akv://kv-prod/db-password"][..], "DB_PASSWORD"),
        (&["akv://job/db-password", "akv://job/DB-Password"], "DB_PASSWORD"),
        (&["akv://job/db?json=/user", "akv://job/db?json=/port"], "DB"),
        (&["akv://job/a", "akv://job/a"], "A"),
        (&["akv://job/1pass", "_1PASS=akv://job/b"], "_1PASS"),
        (&["X=akv://job/a", "X=akv://job/b"], "X"),
        (&["X=akv://job/a", "akv://job/x"], "X"),
        (&["akv://job/a", "https://job.vault.azure.net/secrets/a"], "A"),
        (&["akv://job/a", "@Microsoft.KeyVault(VaultName=job;SecretName=A)"], "A"),
        (&["akv://job/a/0123456789abcdef0123456789abcdef", "akv://job/a"], "A"),
        (&["akv://job/b", "akv://job/a", "akv://job/c", "A=akv://job/b"], "A"),
        (&["http://127.0.0.1:1/secrets/a", "akv://job/a"], "A"),
    ] {
        let done = command(&ScriptedContext::new(&ML), &[&ENV[..], arguments].concat());
        assert_eq!((done.stdout.as_str(), done.exit), ("(exit 65)\n", 65), "{arguments:?}");
        let said = format!("`{variable}` is the variable of two references; give one another name");
        assert!(done.stderr.contains(&said), "{}", done.stderr);
        assert!(done.stderr.ends_with(" (variable-refused)\n"), "{}", done.stderr);
    }
}

#[test]
fn names_that_steer_a_shell_a_loader_or_an_interpreter_are_refused_unless_they_are_written() {
    for name in [
        "path",
        "ifs",
        "ld-preload",
        "LD-Library-Path",
        "ld-audit",
        "dyld-insert-libraries",
        "bash-env",
        "env",
        "ps4",
        "prompt-command",
        "shellopts",
        "pythonpath",
        "pythonstartup",
        "pythonhome",
        "node-options",
        "java-tool-options",
        "-java-options",
        "jdk-java-options",
        "classpath",
        "perl5opt",
        "perl5lib",
        "rubyopt",
        "rubylib",
        "git-ssh-command",
        "git-ssh",
        "git-config-global",
        "r-profile-user",
        "lua-init",
        "dotnet-startup-hooks",
        "gconv-path",
        "home",
        "random",
        "glibc-tunables",
        "openssl-conf",
        "zdotdir",
        "rustc-wrapper",
        "goflags",
        "makeflags",
        "-",
        "uid",
        "vaultlet-identity",
        "lc-all",
        "lessopen",
        "cdpath",
        "julia-load-path",
        "npm-config-script-shell",
    ] {
        let reference = format!("akv://job/{name}");
        let variable = name.to_uppercase().replace('-', "_");
        let refused = command(&ScriptedContext::new(&ML), &[&ENV[..], &[&reference]].concat());
        assert_eq!((refused.stdout.as_str(), refused.exit), ("(exit 65)\n", 65), "{name}");
        let said =
            format!("`{reference}`: `{variable}` changes how programs run; write that name, or ");
        assert!(refused.stderr.contains(&said), "{}", refused.stderr);
        for (written, expected) in [(variable.as_str(), variable.as_str()), ("SECRET", "SECRET")] {
            let done = command(
                &world(&[(name, "x")]),
                &[&ENV[..], &[&format!("{written}={reference}")]].concat(),
            );
            assert_eq!(done.stdout.as_str(), format!("export {expected}='x'\n"), "{}", done.stderr);
        }
    }
}

#[test]
fn other_names_are_set() {
    for (name, variable) in [
        ("db-password", "DB_PASSWORD"),
        ("1pass", "_1PASS"),
        ("path-to-model", "PATH_TO_MODEL"),
        ("environment", "ENVIRONMENT"),
        ("hf-token", "HF_TOKEN"),
        ("git-token", "GIT_TOKEN"),
        ("ldap-password", "LDAP_PASSWORD"),
        ("cargo-registry-token", "CARGO_REGISTRY_TOKEN"),
        ("user", "USER"),
        ("google-api-key", "GOOGLE_API_KEY"),
        ("azure-client-secret", "AZURE_CLIENT_SECRET"),
        ("java-keystore-password", "JAVA_KEYSTORE_PASSWORD"),
    ] {
        let reference = format!("akv://job/{name}");
        let done = command(&world(&[(name, "it's")]), &[&ENV[..], &[&reference]].concat());
        assert_eq!(
            done.stdout.as_str(),
            format!("export {variable}='it'\\''s'\n"),
            "{}",
            done.stderr
        );
    }
}

#[test]
fn a_written_name_is_that_of_a_variable() {
    for name in ["my-key", "1X", "", "X Y", " X", "X;rm", "é", "A.B", "$X", "A-B", "X[0]"] {
        let argument = format!("{name}=akv://job/a");
        let done = command(&ScriptedContext::new(&ML), &[&ENV[..], &[&argument]].concat());
        assert_eq!((done.stdout.as_str(), done.exit), ("(exit 65)\n", 65), "{name}");
        let said = format!("`akv://job/a`: `{name}` is not the name of a variable; ");
        assert!(done.stderr.contains(&said), "{}", done.stderr);
    }
    let done = command(&world(&[("a", "x")]), &[&ENV[..], &["lower_1=akv://job/a"]].concat());
    assert_eq!(done.stdout.as_str(), "export lower_1='x'\n");
    // An `=` within a reference begins no reference.
    let done = command(&ScriptedContext::new(&ML), &["get", "-o", "env", "akv://job/a?other=1"]);
    assert!(done.stderr.contains("(reference-malformed)"), "{}", done.stderr);
}

#[test]
fn a_null_character_is_in_no_variable() {
    for value in ["\0", "a\0b", "end\0"] {
        let done = command(&world(&[("db", value)]), &[&ENV[..], &["akv://job/db"]].concat());
        assert_eq!((done.stdout.as_str(), done.exit), ("(exit 65)\n", 65), "{}", done.stderr);
        assert_eq!(
            done.stderr,
            "vaultlet: setting `DB`: the value has a null character, which no variable can hold; read it by `-o value` or `-o json` (variable-refused)\n"
        );
    }
    let done = command(&world(&[("db", "a\0b")]), &["get", "akv://job/db"]);
    assert_eq!(done.stdout.as_str(), "a\0b");
}

/// Whatever goes wrong, a shell that evaluates the output ends with the exit code of the native program.
#[test]
fn a_failure_prints_the_line_that_ends_a_shell() {
    for (arguments, code) in [
        (&["get", "-o", "env"][..], 64),
        (&["get", "--nope", "-o", "env", "akv://job/a"], 64),
        (&["get", "-oenv", "akv://job/a", "--json"], 64),
        (&["get", "--output=env", "akv://job/a", "--timeout"], 64),
        (&["get", "akv://job/a", "--output", "env", "--client-id", "a", "--object-id", "b"], 64),
        (&["read", "-o=env"], 64),
        (&["get", "-o", "env", "akv://job/a", "--output"], 64),
        (&["get", "-o", "env", "akv://job/a", "-o", "xml"], 64),
        (&["get", "-o", "json", "akv://job/a", "-o", "env"], 64),
        (&["-o", "env", "get", "akv://job/a"], 64),
        (&["get", "-o", "env", "akv://x"], 65),
        (&["get", "-o", "env", "nonsense"], 65),
        (&["get", "-o", "env", "akv://job/a", "--cloud", "mars"], 64),
        (&["get", "-o", "env", "akv://job/a", "--identity", "environment"], 79),
    ] {
        let done = command(&ScriptedContext::new(&ML), arguments);
        assert_eq!(
            done.stdout.as_str(),
            format!("(exit {code})\n"),
            "{arguments:?} {}",
            done.stderr
        );
        assert_eq!((done.exit, done.stderr.lines().count()), (code, 1), "{}", done.stderr);
    }
    for (arguments, code) in [
        (&["get", "akv://x"][..], 65),
        (&["get", "-ojson", "akv://x"], 65),
        (&["list", "-o", "env", "job"], 64),
    ] {
        let done = command(&ScriptedContext::new(&ML), arguments);
        assert_eq!((done.stdout.as_str(), done.exit), ("", code), "{arguments:?}");
    }
}

#[test]
fn what_users_of_other_tools_type_is_understood_or_answered() {
    for (arguments, said) in [
        (&["exec", "--", "env"][..], "get -o env"),
        (&["run"], "get -o env"),
        (&["login"], "`vaultlet whoami`"),
        (&["akv://job/a"], "write `vaultlet get` before a reference"),
        (&["https://job.vault.azure.net/secrets/a"], "write `vaultlet get` before a reference"),
        (&["keyvault", "secret", "show"], "write `vaultlet get akv://VAULT/NAME`"),
        (&["secret"], "write `vaultlet get akv://VAULT/NAME`"),
        (&["set", "a", "b"], "vaultlet only reads"),
        (&["get", "--json", "akv://job/a"], "write `-o json`; see `vaultlet get --help`"),
        (
            &["get", "--format", "json", "akv://job/a"],
            "write `-o FORMAT`; see `vaultlet get --help`",
        ),
        (&["get", "-f", "json"], "write `-o FORMAT`"),
        (&["get", "--vault", "job", "a"], "write the reference akv://VAULT/NAME; "),
        (&["get", "--vault-name", "job", "--name", "a"], "write the reference akv://VAULT/NAME; "),
        (
            &["show", "--version", "x", "akv://job/a"],
            "akv://VAULT/NAME/VERSION; see `vaultlet get --help`",
        ),
        (&["read", "-n", "akv://job/a"], "see `vaultlet get --help`"),
        (&["ls", "--query", "x"], "write `-o json`"),
        (&["ls", "job", "x"], "see `vaultlet list --help`"),
        (&["whoami", "--verbose"], "write `--log info`; see `vaultlet whoami --help`"),
        (&["token", "--raw"], "see `vaultlet token --help`"),
        (&["versions"], "see `vaultlet versions --help`"),
    ] {
        let done = command(&ScriptedContext::new(&ML), arguments);
        assert!(done.stderr.contains(said), "{arguments:?}: {}", done.stderr);
        assert!(done.stderr.ends_with("--help` (usage)\n"), "{arguments:?}: {}", done.stderr);
    }
    for word in ["get", "read", "show"] {
        let done = command(&world(&[("a", "x")]), &[word, "akv://job/a"]);
        assert_eq!((done.stdout.as_str(), done.stderr.as_str()), ("x", ""));
    }
}
