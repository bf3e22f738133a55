//! What is printed is never lost in silence: each command reports a standard output that it cannot write to, and
//! a shell that evaluates `get -o env` has the variables, or fails.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use vaultlet_dev::Local;
use vaultlet_tests::{Ended, Run, vaultlet};

const VALUE: &str = "correct horse 'battery' staple";

/// Runs lines of a shell with the program as `$0`, in a local Azure.
fn shell(program: &str, local: &Local, lines: &str) -> Ended {
    let ended = Run::program(program)
        .arguments(["-c", lines])
        .arguments([vaultlet()])
        .environment(local.environment().iter().cloned())
        .end();
    ended.reveals_none_of(&[VALUE], false);
    ended
}

fn local() -> Local {
    let local = Local::builder()
        .vault("kv-dev")
        .vault("kv-prod")
        .seed("db-password", VALUE)
        .seed("hub", "x");
    let local = local.seed("path", "/tmp").seed("nul", r#"{"a":"b\u0000c"}"#).seed("denied", VALUE);
    local.grant("managed:none:denied".parse().unwrap()).start().unwrap()
}

/// Every command that prints, in each format and with help.
const PRINTING: [&str; 28] = [
    "get akv://kv-dev/db-password",
    "get -o value akv://kv-dev/db-password",
    "get -o json akv://kv-dev/db-password",
    "get -o env akv://kv-dev/db-password",
    "get -o env akv://kv-dev/db-password akv://kv-dev/hub",
    "read akv://kv-dev/db-password",
    "list kv-dev",
    "list -o json kv-dev",
    "list -o value kv-dev",
    "ls kv-dev",
    "versions akv://kv-dev/db-password",
    "versions -o value akv://kv-dev/db-password",
    "inject --in-file /etc/passwd",
    "export -f json -e A=akv://kv-dev/hub",
    "export -f sh -e A=akv://kv-dev/hub",
    "export -f github -e A=akv://kv-dev/hub",
    "token --reveal",
    "token --reveal -o json",
    "whoami",
    "whoami -o json",
    "explain",
    "explain vault-forbidden",
    "identity serve",
    "identity serve -o json",
    "dev",
    "dev -o json",
    "--version",
    "get --help",
];

#[test]
fn a_standard_output_that_cannot_be_written_to_is_an_error_of_every_command() {
    let local = local();
    for command in PRINTING.into_iter().chain(["demo", "--help", "help", ""]) {
        for to in [">&-", "1</dev/null", ">/dev/full", "<&- >&-"] {
            let ended = shell("sh", &local, &format!("\"$0\" {command} {to}"));
            assert_eq!(
                (ended.code, ended.stdout.as_str()),
                (69, ""),
                "{command} {to}: {}",
                ended.stderr
            );
            let last = ended.stderr.lines().last().unwrap();
            assert!(last.contains("writing the answer: "), "{command} {to}: {last}");
            assert!(last.contains("output-failed"), "{command} {to}: {last}");
        }
    }
    // Without a word when stderr is closed, too, but not with success.
    let ended = shell("sh", &local, "\"$0\" get akv://kv-dev/db-password <&- >&- 2>&-");
    assert_eq!((ended.code, ended.stderr.as_str()), (69, ""));
}

#[test]
fn a_reader_that_has_gone_is_an_error() {
    let local = local();
    for command in PRINTING {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut program = Command::new(vaultlet());
        program.args(command.split(' ')).envs(local.environment().iter().cloned());
        let ended = Ended::from(program.stdout(writer).stderr(Stdio::piped()).output().unwrap());
        assert_eq!(ended.code, 69, "{command}: {}", ended.stderr);
        assert!(ended.stderr.contains("output-failed"), "{command}: {}", ended.stderr);
    }
}

/// An open standard output is none of those: the null device, a file, a pipe, one that a parent opened for both ways.
#[test]
fn an_open_standard_output_is_written_to() {
    let local = local();
    for to in [
        ">/dev/null",
        "1<>/dev/null",
        "| cat >/dev/null",
        ">/dev/null 2>&-",
        "<&- >/dev/null",
        "1<>out",
    ] {
        let lines = format!("cd \"$(mktemp -d)\"; \"$0\" get akv://kv-dev/db-password {to}");
        let ended = shell("sh", &local, &lines);
        assert_eq!((ended.code, ended.stderr.as_str()), (0, ""), "{to}");
    }
    let ended = shell("sh", &local, "\"$0\" get akv://kv-dev/db-password <&-");
    assert_eq!((ended.code, ended.stdout.as_str()), (0, VALUE));
}

/// A closed standard input is not an empty file of secrets.
#[test]
fn a_closed_standard_input_that_is_read_is_an_error() {
    let local = local();
    let ended = shell("sh", &local, "\"$0\" dev --seed-file - -- true <&-");
    assert_eq!(ended.code, 65, "{}", ended.stderr);
    assert!(ended.stderr.contains("standard input is closed"), "{}", ended.stderr);
    let ended = shell("sh", &local, "\"$0\" get akv://kv-dev/hub --user-assertion-file - <&-");
    assert_eq!(ended.code, 78, "{}", ended.stderr);
    assert!(ended.stderr.contains("standard input is closed"), "{}", ended.stderr);
}

/// The shells that are there.
fn shells() -> Vec<&'static str> {
    let mut shells = vec!["sh", "bash", "dash", "zsh", "ksh", "mksh", "yash", "busybox-sh"];
    shells.retain(|shell| {
        Run::program("sh").arguments(["-c", &format!("command -v {shell}")]).end().code == 0
    });
    shells
}

/// What fails, with its exit code.
const FAILING: [(&str, i32); 16] = [
    ("akv://kv-dev/missing", 66),
    ("akv://kv-dev/db-password akv://kv-dev/missing", 66),
    ("akv://kv-dev/denied", 77),
    ("akv://kv-dev/no_name", 65),
    ("akv://kv-dev/path", 65),
    ("akv://kv-dev/db-password akv://kv-prod/db-password", 65),
    ("'akv://kv-dev/nul?json=/a'", 65),
    ("1X=akv://kv-dev/hub", 65),
    ("--nope akv://kv-dev/hub", 64),
    ("", 64),
    ("--timeout akv://kv-dev/hub --output", 64),
    ("akv://kv-dev/hub --identity nobody", 64),
    ("akv://kv-dev/hub --identity environment", 79),
    ("akv://kv-dev/hub --json", 64),
    ("akv://kv-dev/hub --client-id a --object-id b", 64),
    ("akv://kv-dev/hub -o env", 64),
];

#[test]
fn a_shell_that_evaluates_a_failure_fails_with_its_exit_code() {
    let (local, shells) = (local(), shells());
    for (arguments, code) in FAILING {
        let get = format!("eval \"$(\"$0\" get -o env {arguments})\"");
        for shell_name in &shells {
            let ended = shell(shell_name, &local, &format!("set -e\n{get}\necho survived"));
            assert_eq!(
                (ended.code, ended.stdout.as_str()),
                (code, ""),
                "{shell_name} {get}: {}",
                ended.stderr
            );
            let ended = shell(shell_name, &local, &format!("{get} || exit\necho survived"));
            assert_eq!((ended.code, ended.stdout.as_str()), (code, ""), "{shell_name} {get}");
            let ended = shell(shell_name, &local, &format!("{get}\necho \"$?\""));
            assert_eq!(ended.stdout.trim(), code.to_string(), "{shell_name} {get}");
            assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
        }
        let printed = shell("sh", &local, &format!("\"$0\" get -o env {arguments}"));
        assert_eq!(printed.stdout, format!("(exit {code})\n"), "{arguments}: {}", printed.stderr);
    }
    let printed = shell("sh", &local, "VAULTLET_OUTPUT=env \"$0\" get --nope");
    assert_eq!((printed.stdout.as_str(), printed.code), ("(exit 64)\n", 64), "{}", printed.stderr);
}

#[test]
fn a_program_that_the_shell_starts_has_the_variables() {
    let local = local();
    for shell_name in shells() {
        let lines = "set -eu\n\
            eval \"$(\"$0\" get -o env akv://kv-dev/db-password HUB_2=akv://kv-dev/hub PATH=akv://kv-dev/path)\"\n\
            test \"$PATH\" = /tmp\n\
            exec /usr/bin/env";
        let ended = shell(shell_name, &local, lines);
        for line in [&format!("DB_PASSWORD={VALUE}"), "HUB_2=x", "PATH=/tmp"] {
            assert!(
                ended.stdout.lines().any(|it| it == line),
                "{shell_name}: {line} {}",
                ended.stderr
            );
        }
    }
}

/// A `NAME=` is of `env` alone.
#[test]
fn names_are_of_variables_only() {
    let local = local();
    for format in ["value", "json"] {
        let ended = shell("sh", &local, &format!("\"$0\" get -o {format} X=akv://kv-dev/hub"));
        assert_eq!((ended.code, ended.stdout.as_str()), (65, ""), "{}", ended.stderr);
        assert!(ended.stderr.contains("reference-malformed"), "{}", ended.stderr);
    }
}

/// A shell that waits for the variables of a command that goes on would wait without a word.
#[test]
fn a_command_that_serves_into_a_pipe_says_how_a_shell_gets_the_variables() {
    let local = local();
    for command in ["dev", "identity serve"] {
        let mut program = Command::new(vaultlet());
        program.args(command.split(' ')).envs(local.environment().iter().cloned());
        let mut child = program.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
        let said: Vec<_> =
            lines.take_while(|line| !line.ends_with("press Ctrl-C to end")).collect();
        child.kill().unwrap();
        child.wait().unwrap();
        let expected = format!("run `vaultlet {command} -- $SHELL`");
        assert!(said.last().is_some_and(|line| line.ends_with(&expected)), "{said:?}");
    }
}

#[test]
fn the_command_of_dev_finds_the_control_port_and_a_vault_without_tls() {
    let ended = Run::vaultlet(["dev", "--seed", "a=b", "--", "sh", "-c"])
        .arguments(["curl -fsS \"$VAULTLET_DEV_CONTROL/counters\" && \"$0\" get --allow-http-loopback \"$VAULTLET_DEV_HTTP/secrets/a\""])
        .arguments([vaultlet()])
        .end();
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert!(ended.stdout.starts_with('{') && ended.stdout.ends_with("}b"), "{}", ended.stdout);
}
