//! `vaultlet` as process 1 of a container.

use std::process::Command;

use vaultlet_tests::sandbox::skipped;
use vaultlet_tests::vault::Writer;
use vaultlet_tests::vaultlet;

use crate::reference::local;
use crate::support::{RUNNERS, Wrapped, kill, words};

/// `vaultlet` as process 1, if the system permits it.
fn as_process_one() -> Option<Command> {
    let mut command = unshared()?;
    command.arg(vaultlet());
    Some(command)
}

/// `unshare` with what this user needs to make a process 1, if the system permits it.
fn unshared() -> Option<Command> {
    let kinds: [&[&str]; 2] = [&["-pf", "--mount-proc"], &["-r", "-pf", "--mount-proc"]];
    let flags = kinds.into_iter().find(|flags| {
        let tried = Command::new("unshare").args(*flags).arg("true").output();
        tried.is_ok_and(|output| output.status.success())
    })?;
    let mut command = Command::new("unshare");
    command.args(flags).arg("--kill-child");
    Some(command)
}

#[test]
fn orphans_are_waited_for_by_process_one() {
    // Two orphans, one of which leads its own session; the command itself goes on until both are gone.
    let script = "sh -c 'sleep 0.1 & setsid sleep 0.1 & echo $! orphaned'
        while grep -qs sleep /proc/[0-9]*/comm; do sleep 0.02 & wait; done
        cat /proc/[0-9]*/stat | grep -c ' Z '; exit 4";
    for runner in RUNNERS {
        let Some(mut command) = as_process_one() else {
            return skipped("orphans_are_waited_for_by_process_one", "no process namespace");
        };
        command.args(words(runner)).args(["sh", "-c", "n=$(echo); eval \"$0\"", script]);
        let ended = Wrapped::spawn(&command).end();
        assert!(ended.stdout.ends_with("orphaned\n0\n"), "{ended:?}");
        assert_eq!(ended.code, 4, "{ended:?}");
    }
}

#[test]
fn process_one_passes_signals_on() {
    for signal in ["TERM", "INT", "USR1", "HUP", "34"] {
        let script = format!(
            "trap 'echo got; exit 9' {signal}; grep -h ^NSpid: /proc/1/status; echo ready; {}",
            crate::WAIT
        );
        let Some(mut command) = as_process_one() else {
            return skipped("process_one_passes_signals_on", "no process namespace");
        };
        command.args(RUNNERS[0]).args(["--", "sh", "-c", &script]);
        let mut wrapped = Wrapped::spawn(&command);
        wrapped.read_until("ready");
        // Outside, process 1 is the child of `unshare`.
        let children = format!("/proc/{0}/task/{0}/children", wrapped.id());
        let children = std::fs::read_to_string(children).unwrap();
        kill(children.split_whitespace().next().unwrap().parse().unwrap(), signal);
        let ended = wrapped.end();
        assert_eq!((ended.code, ended.stdout.as_str()), (9, "got\n"), "{signal}: {ended:?}");
    }
}

#[test]
fn a_watched_command_of_process_one_is_started_again_and_orphans_are_waited_for() {
    let local = local();
    let writer = Writer::new(&local);
    let Some(mut command) = unshared() else {
        return skipped("a_watched_command_of_process_one", "no process namespace");
    };
    let script = format!(
        "sh -c 'setsid sh -c : & echo orphaned'; trap 'exit 3' TERM; echo ready
        trap 'sleep 0.2; cat /proc/[0-9]*/stat | grep -c \" Z \"; exit 5' USR1; {}",
        crate::WAIT
    );
    let variables = local.environment().iter().map(|(name, value)| format!("{name}={value}"));
    command.arg("env").args(variables).arg(vaultlet());
    command.args(["run", "--watch", "--interval", "0.1", "-e", "S=akv://job/s", "--"]);
    let mut wrapped = Wrapped::spawn(command.args(["sh", "-c", &script]));
    wrapped.read_until("ready");
    writer.set("s", "another-value");
    wrapped.read_until("ready");
    let children = format!("/proc/{0}/task/{0}/children", wrapped.id());
    let children = std::fs::read_to_string(children).unwrap();
    kill(children.split_whitespace().next().unwrap().parse().unwrap(), "USR1");
    let ended = wrapped.end();
    assert_eq!((ended.code, ended.stdout.as_str()), (5, "0\n"), "{ended:?}");
}
