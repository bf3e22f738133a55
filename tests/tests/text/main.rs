//! `vaultlet inject`, `redact` and `export`, and programs of a terminal under `run`.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod any_bytes;
mod export;
mod inject;
mod readers;
mod redact;
mod screen;
mod shells;

use std::io::Write as _;
use std::process::{Command, Stdio};

use vaultlet_dev::{Local, Seed};
use vaultlet_tests::{Ended, vaultlet};

/// A value with what quotes, escapes and expansions are made of.
const VALUE: &str = "p4ss \"w0rd\"/'é' \\$HOME `id` $(id) %41 #x !!";
const MEMBER: &str = "member-of-json";
const LINES: &str = "first line of it\n\nxy\n'third' \"line\" %25\n";
const SECRETS: [&str; 5] =
    [VALUE, MEMBER, "first line of it", "'third' \"line\" %25", "never-read"];

fn local() -> Local {
    Local::builder()
        .seed("db-password", VALUE)
        .seed("db", format!(r#"{{"user":"{MEMBER}","n":1}}"#))
        .seed("lines", LINES)
        .seed("short", "abc")
        .seed("empty", "")
        .seed("template", "{{ akv://job/db-password }}")
        .seed("nul", "a\0b")
        .seed("off", Seed::from("never-read").with_enabled(false))
        .seed("denied", "never-read")
        .grant("managed:none:denied".parse().unwrap())
        .start()
        .unwrap()
}

/// A command of the program in a local Azure.
fn command(local: &Local, arguments: &[&str]) -> Command {
    let mut command = Command::new(vaultlet());
    command.args(arguments).env_clear().env("PATH", std::env::var_os("PATH").unwrap());
    command.envs(local.environment().iter().cloned());
    command
}

/// Runs a command with this standard input; returns how it ended, and the bytes of its standard output.
fn fed(mut command: Command, input: &[u8]) -> (Ended, Vec<u8>) {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let output = std::thread::scope(|scope| {
        // It may end without reading.
        scope.spawn(move || drop(stdin.write_all(input)));
        child.wait_with_output().unwrap()
    });
    let bytes = output.stdout.clone();
    (Ended::from(output), bytes)
}
