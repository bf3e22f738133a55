//! A command under `vaultlet run` behaves as it does under a shell that it replaces: each exit code, each signal,
//! also to the whole process group, and processes that it leaves behind.

use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicI32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use vaultlet_dev::Local;
use vaultlet_tests::{Ended, vaultlet};

use crate::support::kill;

/// How a command is started: by itself, which is the reference, or by `vaultlet run` in each way in which that
/// handles its output.
pub(crate) const WAYS: [&[&str]; 5] = [
    &[],
    &["run", "--"],
    &["run", "--no-masking", "--"],
    &["run", "-e", "S=akv://job/s", "--"],
    &["run", "--watch", "-e", "S=akv://job/s", "--"],
];
pub(crate) const VALUE: &str = "value-of-the-secret";

pub(crate) fn local() -> Local {
    Local::builder().seed("s", VALUE).start().unwrap()
}

/// A command that is started in one of these ways, in a local Azure, with the default action of each signal.
pub(crate) fn started(local: &Local, way: &[&str], command: &[&str]) -> Command {
    let mut all = Command::new("env");
    all.arg("--default-signal");
    if !way.is_empty() {
        all.arg(vaultlet()).args(way);
    }
    all.args(command).env_clear().env("PATH", std::env::var_os("PATH").unwrap());
    all.envs(local.environment().iter().cloned()).env("PROGRAM", vaultlet());
    all.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    all
}

#[test]
fn every_exit_code_is_the_commands_own() {
    let local = local();
    for (number, way) in WAYS.into_iter().enumerate() {
        let next = AtomicI32::new(0);
        // The ways differ in how the output is carried, and end alike.
        let step = if number < 2 { 1 } else { 17 };
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    loop {
                        let code = next.fetch_add(step, Ordering::SeqCst);
                        if code > 255 {
                            break;
                        }
                        let script = format!("exit {code}");
                        let status = started(&local, way, &["sh", "-c", &script]).status().unwrap();
                        assert_eq!(status.code(), Some(code), "{way:?}");
                    }
                });
            }
        });
    }
}

/// Starts a command in a process group of its own, sends the group a signal once the command is ready, and
/// returns its end.
fn with_signal(local: &Local, way: &[&str], script: &str, signal: &str) -> Ended {
    let mut command = started(local, way, &["sh", "-c", script]);
    let mut child = command.process_group(0).spawn().unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    out.read_line(&mut line).unwrap();
    assert_eq!(line, "ready\n", "{way:?}");
    let group = format!("-{}", child.id());
    let status = Command::new("kill").args([&format!("-{signal}"), "--", &group]).status();
    assert!(status.unwrap().success(), "{signal}");
    let mut stdout = String::new();
    out.read_to_string(&mut stdout).unwrap();
    Ended { stdout, ..Ended::from(child.wait_with_output().unwrap()) }
}

#[test]
fn a_signal_to_the_whole_group_ends_the_command_as_without_the_wrapper() {
    let local = local();
    for signal in ["HUP", "INT", "QUIT", "TERM", "USR1", "PIPE", "34"] {
        let ends = "echo ready; exec sleep 1000";
        let heeds = format!("trap 'echo got; exit 9' {signal}; echo ready; {}", crate::WAIT);
        for script in [ends, &heeds] {
            let expected = with_signal(&local, WAYS[0], script, signal);
            for way in &WAYS[1..] {
                let ended = with_signal(&local, way, script, signal);
                let told = (ended.code, &ended.stdout);
                assert_eq!(told, (expected.code, &expected.stdout), "{signal}, {way:?}: {ended:?}");
            }
        }
    }
}

#[test]
fn a_command_that_ignores_a_signal_is_not_ended_by_it() {
    let local = local();
    let script = format!(
        "trap '' TERM INT HUP; n=0; trap 'n=$((n + 1)); echo tick $n' USR1; trap 'exit 5' USR2; echo ready; {}",
        crate::WAIT
    );
    for way in WAYS {
        let mut child = started(&local, way, &["sh", "-c", &script]).spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        let mut says = |expected: &str| {
            line.clear();
            out.read_line(&mut line).unwrap();
            assert_eq!(line.trim_end(), expected, "{way:?}");
        };
        says("ready");
        for at in 1..=3 {
            for signal in ["TERM", "INT", "HUP", "USR1"] {
                kill(child.id(), signal);
            }
            says(&format!("tick {at}"));
        }
        kill(child.id(), "USR2");
        assert_eq!(child.wait().unwrap().code(), Some(5), "{way:?}");
    }
}

#[test]
fn a_process_that_the_command_leaves_behind_does_not_keep_the_wrapper() {
    let local = local();
    // It holds the command's output, too.
    let script = "sleep 1000 & echo $!; exit 3";
    for way in WAYS {
        let started_at = Instant::now();
        let mut child = started(&local, way, &["sh", "-c", script]).spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut left = String::new();
        out.read_line(&mut left).unwrap();
        let code = child.wait().unwrap().code();
        let took = started_at.elapsed();
        kill(left.trim().parse().unwrap(), "KILL");
        assert_eq!(code, Some(3), "{way:?}");
        assert!(took < Duration::from_secs(20), "{way:?}: {took:?}");
    }
}

#[test]
fn wrappers_may_be_nested() {
    let local = local();
    let program = vaultlet().display().to_string();
    let inner = [&*program, "run", "-e", "T=akv://job/s", "--"];
    let script = format!("echo $S $T; trap 'echo got; exit 85' TERM; echo ready; {}", crate::WAIT);
    for depth in 1..=3 {
        let mut command = inner.repeat(depth);
        command.extend(["sh", "-c", &script]);
        let mut child = started(&local, WAYS[3], &command).spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut line = || out.next().unwrap().unwrap();
        // The innermost masks first, and the first name of equal values is its own.
        assert_eq!((line().as_str(), line().as_str()), ("<T> <T>", "ready"), "{depth}");
        kill(child.id(), "TERM");
        assert_eq!(line(), "got");
        assert_eq!(child.wait().unwrap().code(), Some(85), "{depth}");
    }
}
