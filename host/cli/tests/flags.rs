//! Where a value came from decides what an error about it says: a flag is a usage error (64) that names
//! the flag, a variable a configuration error (78) that names the variable. The arguments of a program
//! after `--` are never vaultlet's.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::process::Command;

const GUID: &str = "11111111-1111-4111-8111-111111111111";

/// Each setting, with a value that it must not have.
const SETTINGS: &[(&str, &str)] = &[
    ("identity", "nobody"),
    ("exclude", "nobody"),
    ("client-id", "not-a-guid"),
    ("object-id", "not-a-guid"),
    ("resource-id", "not-an-id"),
    ("additional-tenants", "not a tenant"),
    ("cloud", "mars"),
    ("timeout", "soon"),
    ("resolve", "nowhere"),
    ("allow-http-identity", "not a host"),
];

/// Flags of the commands that run a program, with values that they must not have.
const OWN: &[(&[&str], &str, &str, &str)] = &[
    (&["identity", "serve"], "VAULTLET_PORT", "port", "0"),
    (&["identity", "serve"], "VAULTLET_OUTPUT", "output", "xml"),
    (&["identity", "serve"], "VAULTLET_LOG", "log", "loud"),
    (&["run"], "VAULTLET_INTERVAL", "interval", "never"),
    (&["run"], "VAULTLET_ON_CHANGE", "on-change", "signal:none"),
    #[cfg(feature = "dev")]
    (&["dev"], "VAULTLET_DEV_SEED", "seed", "no-value"),
    #[cfg(feature = "dev")]
    (&["dev"], "VAULTLET_DEV_AS", "as", "nobody"),
    #[cfg(feature = "dev")]
    (&["dev"], "VAULTLET_DEV_GRANT", "grant", "nobody:none"),
    #[cfg(feature = "dev")]
    (&["dev"], "VAULTLET_DEV_IDENTITY_FORM", "identity-form", "none"),
    #[cfg(feature = "dev")]
    (&["dev"], "VAULTLET_DEV_OUTPUT", "output", "xml"),
    #[cfg(feature = "dev")]
    (&["dev"], "VAULTLET_LOG", "log", "loud"),
];

/// Runs the program; returns its exit code and stderr.
fn run(arguments: &[&str], variables: &[(&str, &str)]) -> (i32, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vaultlet"));
    command.args(arguments).env_clear().env("PATH", "/usr/bin:/bin");
    let ended = command.envs(variables.iter().copied()).output().unwrap();
    (ended.status.code().unwrap(), String::from_utf8(ended.stderr).unwrap())
}

fn variable(flag: &str) -> String {
    format!("VAULTLET_{}", flag.to_uppercase().replace('-', "_"))
}

/// Checks that the error names the wrong flag or variable, and not the other of the two.
fn names(ended: &(i32, String), exit: i32, named: &str, other: &str) {
    let (code, stderr) = ended;
    assert_eq!(*code, exit, "{named}: {stderr}");
    assert!(stderr.contains(named), "{named}: {stderr}");
    assert!(!stderr.contains(&format!("`{other}`")), "{named}: {stderr}");
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
}

#[test]
fn an_error_about_a_setting_names_the_flag_or_the_variable() {
    for (flag, value) in SETTINGS {
        let (name, flag) = (variable(flag), format!("--{flag}"));
        let one_word = format!("{flag}={value}");
        for command in [&["get", "akv://v/n"][..], &["whoami"], &["list", "v"]] {
            let by_flag = run(&[command, &[&one_word]].concat(), &[]);
            names(&by_flag, 64, &flag, &name);
            let by_flag = run(&[command, &[&flag, value]].concat(), &[]);
            names(&by_flag, 64, &flag, &name);
            names(&run(command, &[(&name, value)]), 78, &name, &flag);
        }
        // The flag wins.
        let both = run(&["whoami", &one_word], &[(&name, GUID)]);
        names(&both, 64, &flag, &name);
    }
}

#[test]
fn the_child_s_arguments_are_not_parsed() {
    for (flag, value) in SETTINGS {
        let (name, flag) = (variable(flag), format!("--{flag}"));
        let one_word = format!("{flag}={value}");
        for child in [&["echo", &flag, "x"][..], &["echo", &one_word], &[&flag]] {
            let ended = run(&[&["identity", "serve", "--"][..], child].concat(), &[(&name, value)]);
            names(&ended, 78, &name, &flag);
            let ended = run(&[&["identity", "serve", &one_word, "--"][..], child].concat(), &[]);
            names(&ended, 64, &flag, &name);
        }
    }
    for (command, name, flag, value) in OWN {
        let flag = format!("--{flag}");
        let one_word = format!("{flag}={value}");
        for child in [&["echo", &flag, "x"][..], &["echo", &one_word]] {
            let ended = run(&[*command, &["--"], child].concat(), &[(name, value)]);
            names(&ended, 78, name, &flag);
            let ended = run(&[*command, &[&one_word, "--"], child].concat(), &[]);
            names(&ended, 64, &flag, name);
        }
    }
}

/// Only a `--vault` before the `--` counts: the exit code shows whether the name came from the flag or the
/// variable.
#[cfg(feature = "dev")]
#[test]
fn a_vault_among_the_child_s_arguments_is_ignored() {
    let child = ["--", "echo", "--vault=good"];
    let by_variable = run(&[&["dev"], &child[..]].concat(), &[("VAULTLET_DEV_VAULT", "a_b")]);
    let by_flag = run(&[&["dev", "--vault=a_b"], &child[..]].concat(), &[]);
    assert_eq!((by_variable.0, by_flag.0), (78, 64), "{by_variable:?} {by_flag:?}");
}

#[test]
fn an_output_format_among_the_child_s_arguments_is_ignored() {
    let is_json = |(_, stderr): (i32, String)| stderr.starts_with("{\"error\":");
    let wrong = ["identity", "serve", "--identity=nobody"];
    for child in
        [&["-o", "json"][..], &["-ojson"], &["-o=json"], &["--output=json"], &["--output", "json"]]
    {
        let of_child = [&wrong[..], &["--", "echo"], child].concat();
        assert!(!is_json(run(&of_child, &[])), "{child:?}");
        let of_vaultlet = [&wrong[..], child, &["--", "echo", "-o", "export"]].concat();
        assert!(is_json(run(&of_vaultlet, &[])), "{child:?}");
        // Arguments that cannot be parsed.
        let broken = [&["identity", "serve", "--nonsense", "--", "echo"][..], child].concat();
        assert!(!is_json(run(&broken, &[])), "{child:?}");
        let broken = [&["get", "--nonsense"][..], child].concat();
        assert!(is_json(run(&broken, &[])), "{child:?}");
        assert!(!is_json(run(&[&broken[..], &["-o", "value"]].concat(), &[])), "{child:?}");
    }
    assert!(is_json(run(&["get", "--nonsense"], &[("VAULTLET_OUTPUT", "json")])));
    assert!(!is_json(run(&["get", "--nonsense", "-o", "env"], &[("VAULTLET_OUTPUT", "json")])));
    let by_variable = [("VAULTLET_OUTPUT", "json"), ("VAULTLET_CLOUD", "mars")];
    assert!(is_json(run(&["whoami"], &by_variable)));
}

#[test]
fn flags_may_be_anywhere_and_are_never_abbreviated() {
    names(&run(&["--log", "loud", "whoami"], &[]), 64, "--log", "VAULTLET_LOG");
    names(&run(&["whoami", "--log=loud"], &[]), 64, "--log", "VAULTLET_LOG");
    // A flag of the chosen command, before it.
    names(&run(&["--cloud=mars", "whoami"], &[]), 64, "--cloud", "VAULTLET_CLOUD");
    names(&run(&["whoami", "--clou=mars"], &[]), 64, "--clou", "VAULTLET_CLOUD");
    // The flag is right: the variable does not count.
    let right = ["list", "v", "--cloud=china", "--vault=v"];
    names(&run(&right, &[("VAULTLET_CLOUD", "mars")]), 64, "--vault", "VAULTLET_VAULT");
    // A vault in the variable is a default, which the argument wins over.
    let (code, stderr) =
        run(&["list", "a/b"], &[("VAULTLET_VAULT", "v"), ("VAULTLET_IDENTITY", "azure-cli")]);
    assert!(code == 65 && stderr.contains("(reference-malformed)"), "{stderr}");
}

#[test]
fn an_error_names_the_variable_that_is_wrong() {
    let both = [("VAULTLET_LOG", "info"), ("VAULTLET_OUTPUT", "xml")];
    names(&run(&["whoami"], &both), 78, "`VAULTLET_OUTPUT`", "VAULTLET_LOG");
    let both = [("VAULTLET_LOG", "loud"), ("VAULTLET_OUTPUT", "json")];
    names(&run(&["whoami"], &both), 78, "`VAULTLET_LOG`", "VAULTLET_OUTPUT");
    // The flag wins over a variable that is wrong.
    let (_, stderr) = run(&["whoami", "--log=off", "--cloud=mars"], &both);
    assert!(stderr.contains("`--cloud`") && !stderr.contains("VAULTLET_"), "{stderr}");
    // A variable cannot say that a token may be shown.
    names(&run(&["token"], &[("VAULTLET_REVEAL", "true")]), 64, "`--reveal`", "VAULTLET_REVEAL");
}

#[test]
fn errors_are_explained() {
    let (code, stderr) = run(&["explain", "vault-forbiden"], &[]);
    assert_eq!(code, 64, "{stderr}");
    assert!(stderr.contains("try `vault-forbidden`"), "{stderr}");
    let explained = Command::new(env!("CARGO_BIN_EXE_vaultlet"))
        .args(["explain", "vault-forbidden"])
        .env_clear()
        .output()
        .unwrap();
    let text = String::from_utf8(explained.stdout).unwrap();
    let (id, text) = text.split_once("\n\n").unwrap();
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/ERRORS.md");
    let page = std::fs::read_to_string(page).unwrap();
    assert!(page.contains(&format!("## {id}\n\n{text}")), "{text}");
}
