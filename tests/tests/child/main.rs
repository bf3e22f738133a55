//! A COMMAND that `vaultlet` runs notices nothing of it: signals, exit codes, stopping, process 1, and what a
//! process has from its parent.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod hidden;
mod inherited;
mod process_one;
mod reference;
mod stopped;
mod streams;
mod support;
mod terminal;

use support::{RUNNERS, Wrapped, kill};

/// Waits in steps, so that the shell handles its traps.
const WAIT: &str = "while :; do sleep 0.02; done";

#[test]
fn the_exit_code_is_the_commands_own() {
    let cases: &[(&[&str], i32)] = &[
        (&["sh", "-c", "exit 0"], 0),
        (&["sh", "-c", "exit 1"], 1),
        (&["sh", "-c", "exit 85"], 85),
        (&["sh", "-c", "exit 143"], 143),
        (&["sh", "-c", "exit 255"], 255),
        (&["sh", "-c", "kill -KILL $$"], 137),
        (&["sh", "-c", "kill -SEGV $$"], 139),
        (&["sh", "-c", "kill -USR1 $$"], 138),
        (&["sh", "-c", "kill -34 $$"], 162),
        (&["sh", "-c", "kill -64 $$"], 192),
        (&["no-such-program"], 127),
        (&["/no/such/program"], 127),
        (&["/"], 126),
        (&["/etc/passwd"], 126),
        (&["/etc/passwd/x"], 126),
    ];
    for runner in RUNNERS {
        for (command, code) in cases {
            let ended = Wrapped::start(runner, command).end();
            assert_eq!((ended.code, ended.stdout.as_str()), (*code, ""), "{runner:?} {command:?}");
            let is_ours = command.len() == 1;
            assert_eq!(ended.stderr.lines().count(), usize::from(is_ours), "{}", ended.stderr);
        }
    }
}

#[test]
fn each_signal_is_passed_on_and_the_command_decides() {
    let signals = [
        "HUP", "INT", "QUIT", "USR1", "USR2", "PIPE", "ALRM", "TERM", "CONT", "TSTP", "TTIN",
        "TTOU", "URG", "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "IO", "PWR", "34", "35", "50",
        "64",
    ];
    for signal in signals {
        let script = format!("trap 'echo got; exit 9' {signal}; echo ready; {WAIT}");
        for runner in RUNNERS {
            let mut wrapped = Wrapped::start(runner, &["sh", "-c", &script]);
            wrapped.read_until("ready");
            kill(wrapped.id(), signal);
            let ended = wrapped.end();
            let told = (ended.code, ended.stdout.as_str());
            assert_eq!(told, (9, "got\n"), "{signal}, {runner:?}: {}", ended.stderr);
        }
    }
}

#[test]
fn a_command_that_a_signal_ends_gives_128_and_its_number() {
    for (signal, code) in [
        ("HUP", 129),
        ("INT", 130),
        ("QUIT", 131),
        ("USR1", 138),
        ("USR2", 140),
        ("PIPE", 141),
        ("ALRM", 142),
        ("TERM", 143),
        ("XCPU", 152),
        ("PROF", 155),
        ("34", 162),
        ("64", 192),
    ] {
        for runner in RUNNERS {
            let mut wrapped = Wrapped::start(runner, &["sh", "-c", "echo ready; exec sleep 1000"]);
            wrapped.read_until("ready");
            // The shell has been replaced, or soon is; a signal that comes before ends it all the same.
            kill(wrapped.id(), signal);
            assert_eq!(wrapped.end().code, code, "{runner:?} {signal}");
        }
    }
}

#[test]
fn a_second_signal_does_not_kill_and_a_late_end_is_waited_for() {
    for runner in RUNNERS {
        let script = format!(
            "n=0; trap 'n=$((n + 1)); echo term $n' TERM; trap 'echo saved; exit 85' USR1; echo ready; {WAIT}"
        );
        let mut wrapped = Wrapped::start(runner, &["sh", "-c", &script]);
        wrapped.read_until("ready");
        for at in 1..=3 {
            kill(wrapped.id(), "TERM");
            wrapped.read_until(&format!("term {at}"));
        }
        kill(wrapped.id(), "USR1");
        wrapped.read_until("saved");
        assert_eq!(wrapped.end().code, 85, "{runner:?}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn the_command_is_asked_to_end_when_its_wrapper_is_killed() {
    for runner in RUNNERS {
        let script = format!("trap 'echo asked; exit' TERM; echo ready; {WAIT}");
        let mut wrapped = Wrapped::start(runner, &["sh", "-c", &script]);
        wrapped.read_until("ready");
        kill(wrapped.id(), "KILL");
        wrapped.read_until("asked");
        // The pipe closes when the last process that holds it has ended.
        assert_eq!(wrapped.end().code, 137, "{runner:?}");
    }
}
