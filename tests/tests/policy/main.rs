//! Policies and audits: what commands and libraries obey, what is recorded before a value is given out, and
//! `vaultlet policy`.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod obeyed;
mod of_policy;
mod recorded;

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;
use vaultlet_dev::Local;
use vaultlet_tests::{Ended, Run, vaultlet};

const VALUE: &str = "s3ntinel-of-policies";
const MEMBER: &str = "s3ntinel-of-a-member";
const SECRETS: [&str; 2] = [VALUE, MEMBER];

fn local() -> Local {
    Local::builder()
        .vault("job")
        .vault("other")
        .seed("db-password", VALUE)
        .seed("train-key", VALUE)
        .seed("db", format!(r#"{{"user":"{MEMBER}"}}"#))
        .start()
        .unwrap()
}

/// A folder with a policy and the file of its audit.
struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    /// A policy of these lines, with an audit to a file beside it.
    fn new(rules: &str) -> Self {
        let place = Self { folder: tempfile::tempdir().unwrap() };
        place.write(&format!("{rules}\n[audit]\nfile = \"audit.jsonl\"\n"));
        place
    }

    fn write(&self, text: &str) {
        fs::write(self.policy(), text).unwrap();
        fs::set_permissions(self.policy(), fs::Permissions::from_mode(0o600)).unwrap();
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn policy(&self) -> PathBuf {
        self.at("policy.toml")
    }

    fn flag(&self) -> [String; 2] {
        ["--policy".into(), self.policy().display().to_string()]
    }

    /// The lines of the audit.
    fn audit(&self) -> Vec<Value> {
        let text = fs::read_to_string(self.at("audit.jsonl")).unwrap_or_default();
        assert!(text.is_empty() || text.ends_with('\n'), "{text}");
        for secret in SECRETS {
            assert!(!text.contains(secret), "a secret is in the audit");
        }
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The events of the audit, each with the secret's name, and the id of the error.
    fn events(&self) -> Vec<String> {
        let event = |line: &Value| {
            let name = line["reference"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
            let id = line["id"].as_str().map(|id| format!(" {id}")).unwrap_or_default();
            format!("{} {name}{id}", line["event"].as_str().unwrap())
        };
        self.audit().iter().map(event).collect()
    }
}

fn rule(reference: &str, more: &str) -> String {
    format!("[[allow]]\nreference = \"{reference}\"\n{more}\n")
}

/// Runs the program in a local Azure, with a secret on its stdin where it reads that.
fn ended(local: &Local, arguments: &[&str], variables: &[(&str, &str)], stdin: &str) -> Ended {
    let mut command = Command::new(vaultlet());
    command.args(arguments).env_clear().env("PATH", std::env::var_os("PATH").unwrap());
    command.envs(local.environment().iter().cloned()).envs(variables.iter().copied());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // It may end without reading.
    let _ = child.stdin.take().unwrap().write_all(stdin.as_bytes());
    let ended = Ended::from(child.wait_with_output().unwrap());
    ended.reveals_none_of(&SECRETS, false);
    ended
}

fn vaultlet_ended(local: &Local, arguments: &[&str]) -> Ended {
    ended(local, arguments, &[], "")
}

/// What each command that obeys a policy is given to read this reference.
fn commands(reference: &str) -> Vec<(Vec<String>, String)> {
    let variable = format!("X={reference}");
    let own = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    vec![
        (own(&["get", reference]), String::new()),
        (own(&["get", "-o", "json", reference]), String::new()),
        (own(&["get", "-o", "env", reference]), String::new()),
        (own(&["run", "-e", &variable, "--", "printenv", "X"]), String::new()),
        (own(&["run", "--no-masking", "-e", &variable, "--", "true"]), String::new()),
        (own(&["run", "--drop-identity", "-e", &variable, "--", "true"]), String::new()),
        (own(&["export", "-f", "json", "-e", &variable]), String::new()),
        (own(&["redact", "-e", &variable]), "text".into()),
        (own(&["inject"]), format!("{{{{ {reference} }}}}")),
    ]
}

/// The name of the user who runs the tests.
fn user() -> String {
    Run::program("id").arguments(["-un"]).end().stdout.trim().to_owned()
}
