//! `vaultlet run --watch`: a command is started anew, told, or ended when a secret has a new version.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

use vaultlet_dev::{Local, Who};
use vaultlet_tests::vault::Writer;
use vaultlet_tests::{Ended, vaultlet};

const OLD: &str = "first-value-of-it";
const NEW: &str = "second-value-of-it";

/// Waits in steps, so that the shell handles its traps.
const WAIT: &str = "while :; do sleep 0.02; done";

fn local() -> Local {
    Local::builder().seed("s", OLD).seed("other", "never-changes").start().unwrap()
}

/// Waits until something is so, which it must be soon.
#[track_caller]
fn until(is_so: impl Fn() -> bool) {
    let late = Instant::now() + Duration::from_secs(60);
    while !is_so() {
        assert!(Instant::now() < late, "nobody asks any more");
        std::thread::yield_now();
    }
}

/// A watched command whose output is read as it comes.
struct Watched {
    child: Child,
    out: BufReader<ChildStdout>,
}

impl Watched {
    fn start(local: &Local, arguments: &[&str], script: &str) -> Self {
        let mut command = Command::new("env");
        command.arg("--default-signal").arg(vaultlet()).args(["run", "--watch"]);
        command.args(arguments).args(["--", "sh", "-c", script]);
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap());
        command.envs(local.environment().iter().cloned());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // A group whose parents are all of another session is not stopped from a terminal.
        let mut child = command.process_group(0).spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        Self { child, out }
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        assert_ne!(self.out.read_line(&mut line).unwrap(), 0, "the output ended");
        line.trim_end().to_owned()
    }

    #[track_caller]
    fn says(&mut self, expected: &str) {
        assert_eq!(self.line(), expected);
    }

    fn kill(&self, signal: &str) {
        let kill = Command::new("kill").args([signal, &self.child.id().to_string()]).status();
        assert!(kill.unwrap().success());
    }

    /// Waits for the end; returns the rest of the output.
    fn end(mut self) -> Ended {
        let mut stdout = String::new();
        self.out.read_to_string(&mut stdout).unwrap();
        Ended { stdout, ..Ended::from(self.child.wait_with_output().unwrap()) }
    }
}

#[test]
fn a_new_version_restarts_the_command_with_it_and_both_values_are_masked() {
    let local = local();
    let writer = Writer::new(&local);
    let script = format!(
        "trap 'echo bye; exit 7' TERM; trap 'exit 9' USR1; echo \"$P $S $PLAIN $(cat $F) $(cat $D)\"; {WAIT}"
    );
    let plain = format!("PLAIN={OLD}");
    let arguments =
        ["-e", "S=akv://job/s", "-e", "F=akv://job/s?as=file", "-e", "D=akv://job/s?as=fd"];
    let arguments =
        [&arguments[..], &["-e", "P=plain", "-e", &plain, "--interval", "0.2"]].concat();
    let mut watched = Watched::start(&local, &arguments, &script);
    // Of equal values the first name is shown.
    watched.says("plain <D> <D> <D> <D>");
    for round in 0..3 {
        writer.set("s", &format!("{NEW}-{round}"));
        watched.says("bye");
        watched.says("plain <D> <D> <D> <D>");
    }
    watched.kill("-USR1");
    let ended = watched.end();
    ended.reveals_none_of(&[OLD, NEW], true);
    assert_eq!((ended.code, ended.stdout.as_str()), (9, ""), "{}", ended.stderr);
    let told = "vaultlet: D, F, S changed in the vault; restarting the command\n";
    assert_eq!(ended.stderr, told.repeat(3));
}

#[test]
fn a_signal_tells_the_command_whose_files_have_the_new_value_by_then() {
    let local = local();
    let writer = Writer::new(&local);
    let script = format!(
        "trap 'echo \"$(cat $F) $(cat $D) $S\"' HUP; trap 'exit 4' TERM; echo ready; stat -c %a $F; {WAIT}"
    );
    for (mode, length) in [("signal:HUP", 40), ("signal:1", 0)] {
        let arguments =
            ["-e", "F=akv://job/s?as=file", "-e", "D=akv://job/s?as=fd", "-e", "S=akv://job/s"];
        let arguments =
            [&arguments[..], &["--no-masking", "--interval", "0.2", "--on-change", mode]].concat();
        writer.set("s", OLD);
        let mut watched = Watched::start(&local, &arguments, &script);
        watched.says("ready");
        watched.says("600");
        // Longer and shorter than the one before.
        for value in [format!("{NEW}{}", "x".repeat(length)), "short".to_owned()] {
            writer.set("s", &value);
            watched.says(&format!("{value} {value} {OLD}"));
        }
        watched.kill("-TERM");
        assert_eq!(watched.end().code, 4);
    }
}

#[test]
fn exit_ends_the_command_and_vaultlet_with_75() {
    let local = local();
    let writer = Writer::new(&local);
    let script = format!("trap 'echo saved; exit 3' TERM; echo ready; {WAIT}");
    let arguments = ["-e", "S=akv://job/s", "--interval", "0.2", "--on-change", "exit"];
    let mut watched = Watched::start(&local, &arguments, &script);
    watched.says("ready");
    writer.set("s", NEW);
    let ended = watched.end();
    assert_eq!((ended.code, ended.stdout.as_str()), (75, "saved\n"), "{}", ended.stderr);
}

#[test]
fn while_asking_fails_the_command_goes_on_and_one_line_says_so() {
    let local = local();
    let writer = Writer::new(&local);
    let script = format!("trap 'exit 3' TERM; echo $S; {WAIT}");
    let arguments = ["-e", "S=akv://job/s", "-e", "T=akv://job/other", "--interval", "0.1"];
    let arguments = [&arguments[..], &["--no-masking"]].concat();
    let mut watched = Watched::start(&local, &arguments, &script);
    watched.says(OLD);
    for outage in 0..2 {
        local.grant("managed:none".parse().unwrap());
        let (refused, read) =
            (|| local.counters().operation("get", 403), || local.counters().operation("get", 200));
        let before = refused();
        until(|| refused() >= before + 6);
        local.grant("managed:secrets-officer".parse().unwrap());
        writer.set("s", &format!("{NEW}{outage}"));
        watched.says(&format!("{NEW}{outage}"));
        // The outage is over for the other secret, too.
        let before = read();
        until(|| read() >= before + 6);
    }
    watched.kill("-TERM");
    let ended = watched.end();
    assert_eq!(ended.code, 3, "{}", ended.stderr);
    let lines: Vec<_> =
        ended.stderr.lines().filter(|line| line.contains("vault-forbidden")).collect();
    assert_eq!(lines.len(), 2, "{}", ended.stderr);
    assert!(lines.iter().all(|line| line.starts_with("vaultlet: watching ")
        && line.ends_with("; the command goes on with the value that it has (vault-forbidden)")));
}

#[test]
fn what_cannot_change_is_not_asked_for_again_and_a_new_value_that_cannot_be_used_is_left() {
    let local = Local::builder().seed("s", OLD).seed("j", r#"{"a":"first"}"#).start().unwrap();
    let writer = Writer::new(&local);
    let version = vaultlet_tests::Run::vaultlet(["get", "-o", "json", "akv://job/s"])
        .environment(local.environment().iter().cloned())
        .end();
    let version: serde_json::Value = serde_json::from_str(&version.stdout).unwrap();
    let versioned = format!("S=akv://job/s/{}", version.get("version").unwrap().as_str().unwrap());
    let gets = || local.counters().operation("get", 200);
    let before = gets();
    let script = format!("trap 'exit 3' TERM; echo $J; {WAIT}");
    // Nothing to watch: the command runs as it would without the flag.
    let alone = Watched::start(&local, &["-e", &versioned, "--interval", "0.1"], "exit 5").end();
    assert_eq!((alone.code, gets() - before), (5, 1), "{}", alone.stderr);
    assert!(alone.stderr.contains("there is nothing to watch"), "{}", alone.stderr);

    let before = gets();
    let arguments = ["-e", &versioned, "-e", "J=akv://job/j?json=/a", "--interval", "0.1"];
    let arguments = [&arguments[..], &["--no-masking"]].concat();
    let mut watched = Watched::start(&local, &arguments, &script);
    watched.says("first");
    writer.set("j", "no JSON");
    until(|| gets() >= before + 6);
    writer.set("j", r#"{\"a\":\"third\"}"#);
    watched.says("third");
    watched.kill("-TERM");
    let ended = watched.end();
    let lines: Vec<_> = ended.stderr.lines().filter(|line| line.contains("watching J: ")).collect();
    assert_eq!(lines.len(), 1, "{}", ended.stderr);
    let log = local.log();
    let paths = || log.iter().map(|entry| format!("{entry:?}"));
    assert!(
        paths().filter(|it| it.contains("secrets/s/")).count() <= 3,
        "{:?}",
        paths().collect::<Vec<_>>()
    );
}

#[test]
fn a_command_that_is_being_ended_is_not_started_again() {
    let local = local();
    let writer = Writer::new(&local);
    // It takes its time to end, as a job that saves its state does.
    let script = format!(
        "trap 'echo asked; while ! [ -e $STOP ]; do sleep 0.02; done; exit 6' TERM; echo ready; {WAIT}"
    );
    let folder = tempfile::tempdir().unwrap();
    for is_asked_first in [false, true] {
        let stop = folder.path().join(is_asked_first.to_string());
        let variable = format!("STOP={}", stop.display());
        let arguments = ["-e", "S=akv://job/s", "-e", &variable, "--interval", "0.1"];
        let mut watched = Watched::start(&local, &arguments, &script);
        watched.says("ready");
        let gets = || local.counters().operation("get", 200);
        if is_asked_first {
            watched.kill("-TERM");
            watched.says("asked");
            writer.set("s", "third-value-of-it");
            let before = gets();
            until(|| gets() >= before + 2);
        } else {
            writer.set("s", NEW);
            watched.says("asked");
            watched.kill("-TERM");
        }
        std::fs::write(stop, "").unwrap();
        let ended = watched.end();
        assert_eq!(ended.code, 6, "{is_asked_first}: {}", ended.stderr);
        // The second signal may have come while the first was handled.
        assert!(["", "asked\n"].contains(&ended.stdout.as_str()), "{}", ended.stdout);
    }
}

#[test]
fn a_secret_that_expires_is_asked_for_before_it_does() {
    let local = local();
    let writer = Writer::new(&local);
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    writer.set_until("s", OLD, now + 4);
    let script = format!("trap 'exit 3' TERM; echo $S; {WAIT}");
    let mut watched = Watched::start(&local, &["-e", "S=akv://job/s", "--no-masking"], &script);
    watched.says(OLD);
    let started = Instant::now();
    writer.set("s", NEW);
    watched.says(NEW);
    assert!(started.elapsed() < Duration::from_secs(30), "{:?}", started.elapsed());
    watched.kill("-TERM");
    assert_eq!(watched.end().code, 3);
}

#[test]
fn a_secret_that_was_missing_and_is_optional_is_noticed_and_a_lent_identity_stays() {
    let local = Local::builder().seed("s", OLD).run_as(Who::Managed).start().unwrap();
    let writer = Writer::new(&local);
    let script = format!(
        "trap 'exit 3' TERM; echo \"${{S-unset}} ${{T-unset}} $($PROGRAM get akv://job/s)\"; {WAIT}"
    );
    let program = format!("PROGRAM={}", vaultlet().display());
    let arguments = ["-e", "S=akv://job/later?optional", "-e", "T=akv://job/later?default=none"];
    let more = ["-e", "U=akv://job/s", "-e", &program, "--lend", "--interval", "0.1"];
    let mut watched = Watched::start(&local, &[&arguments[..], &more].concat(), &script);
    watched.says("unset none <U>");
    writer.set("later", NEW);
    watched.says("<S> <S> <U>");
    watched.kill("-TERM");
    let ended = watched.end();
    ended.reveals_none_of(&[OLD, NEW], true);
    assert_eq!(ended.code, 3, "{}", ended.stderr);
}

#[test]
fn signals_stopping_and_exit_codes_are_the_commands_own_after_a_restart() {
    let local = local();
    let writer = Writer::new(&local);
    let script = format!("echo $$; trap 'exit 85' USR1; trap 'exit 1' TERM; {WAIT}");
    let arguments = ["-e", "S=akv://job/s", "--interval", "0.1"];
    for (number, (signal, code)) in
        [("-USR1", 85), ("-KILL", 137), ("-INT", 130)].into_iter().enumerate()
    {
        let mut watched = Watched::start(&local, &arguments, &script);
        let first = watched.line();
        writer.set("s", &format!("{NEW}{number}"));
        let command: u32 = watched.line().parse().unwrap();
        assert_ne!(first, command.to_string());
        let wrapper = watched.child.id();
        for stopped in [command, wrapper] {
            signal_and_wait(
                stopped,
                if stopped == wrapper { "TSTP" } else { "STOP" },
                [command, wrapper],
                true,
            );
            signal_and_wait(wrapper, "CONT", [command, wrapper], false);
        }
        // A signal that cannot be caught goes to the command, as a scheduler's would.
        let whom = if signal == "-KILL" { command } else { wrapper };
        let kill = Command::new("kill").args([signal, &whom.to_string()]).status();
        assert!(kill.unwrap().success());
        let ended = watched.end();
        assert_eq!(ended.code, code, "{signal}: {}", ended.stderr);
    }
}

/// Sends a signal, and waits until both processes are stopped, or are not.
fn signal_and_wait(process: u32, signal: &str, both: [u32; 2], stopped: bool) {
    let kill = Command::new("kill").args([&format!("-{signal}"), &process.to_string()]).status();
    assert!(kill.unwrap().success());
    let is_stopped = |process: u32| {
        let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
        stat.rsplit(") ").next().unwrap().starts_with('T')
    };
    while !both.into_iter().all(|process| is_stopped(process) == stopped) {
        std::thread::yield_now();
    }
}
