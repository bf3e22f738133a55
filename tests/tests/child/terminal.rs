//! A command at a terminal: it sees one, what is typed reaches it, and what the terminal sends, once.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::process::{Child, Command, Stdio};

use rustix::pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};
use vaultlet_dev::Local;
use vaultlet_tests::vault::Writer;

use crate::reference::{WAYS, local, started};

const SIZE: Winsize = Winsize { ws_row: 33, ws_col: 99, ws_xpixel: 0, ws_ypixel: 0 };

/// A session at a terminal, whose leader is a shell that runs one command.
struct Session {
    terminal: File,
    leader: Child,
    seen: String,
}

impl Session {
    /// Starts a shell that runs the command and says how it ended.
    fn start(local: &Local, way: &[&str], script: &str) -> Self {
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let terminal = openpt(flags).unwrap();
        grantpt(&terminal).unwrap();
        unlockpt(&terminal).unwrap();
        let theirs = ioctl_tiocgptpeer(&terminal, flags).unwrap();
        tcsetwinsize(&terminal, SIZE).unwrap();
        let inner = started(local, way, &["sh", "-c", script]);
        let mut leader = Command::new("setsid");
        // Under job control the command has a process group of its own, to which the terminal sends.
        leader.args([
            "--ctty",
            "--wait",
            "sh",
            "-mc",
            "\"$@\"; echo \"code $?\"; fg >/dev/null 2>&1; echo \"code $?\"",
            "sh",
        ]);
        leader.arg(inner.get_program()).args(inner.get_args()).env_clear();
        leader.envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?))));
        let stream = |fd: &OwnedFd| Stdio::from(fd.try_clone().unwrap());
        leader.stdin(stream(&theirs)).stdout(stream(&theirs)).stderr(stream(&theirs));
        let leader = leader.spawn().unwrap();
        Self { terminal: File::from(terminal), leader, seen: String::new() }
    }

    /// Reads until this text has come.
    #[track_caller]
    fn until(&mut self, text: &str) {
        let mut piece = [0; 4096];
        while !self.seen.contains(text) {
            let count = self.terminal.read(&mut piece).unwrap_or(0);
            assert_ne!(count, 0, "no {text} in {:?}", self.seen);
            self.seen.push_str(&String::from_utf8_lossy(&piece[..count]));
        }
    }

    fn type_in(&mut self, keys: &str) {
        self.terminal.write_all(keys.as_bytes()).unwrap();
    }

    /// Reads to the end of the session; returns all that was seen.
    fn end(mut self) -> String {
        let mut piece = [0; 4096];
        while let Ok(count @ 1..) = self.terminal.read(&mut piece) {
            self.seen.push_str(&String::from_utf8_lossy(&piece[..count]));
        }
        self.leader.wait().unwrap();
        self.seen
    }
}

#[test]
fn the_command_sees_a_terminal_of_the_same_size_and_settings() {
    let local = local();
    let script = "for i in 0 1 2; do test -t $i && echo tty $i; done; stty size; stty -a <&0 | tail -n +2 | grep -o -e '-\\?echo ' -e '-\\?icanon' -e '-\\?isig'; exit 4";
    let seen = |way| Session::start(&local, way, script).end();
    let expected = seen(WAYS[0]);
    assert!(expected.contains("tty 0\r\ntty 1\r\ntty 2\r\n33 99\r\n"), "{expected:?}");
    for way in &WAYS[1..] {
        assert_eq!(seen(way), expected, "{way:?}");
    }
}

#[test]
fn a_line_that_is_typed_reaches_the_command_and_is_shown_once() {
    let local = local();
    let seen = |way| {
        let mut session =
            Session::start(&local, way, "echo ready; read -r a; echo \"got $a\"; cat; exit 4");
        session.until("ready");
        session.type_in("hello\n");
        session.until("got hello");
        // The end of a file.
        session.type_in("more\n\u{4}");
        session.end()
    };
    let expected = seen(WAYS[0]);
    assert!(expected.contains("code 4"), "{expected:?}");
    for way in &WAYS[1..] {
        assert_eq!(seen(way), expected, "{way:?}");
    }
}

#[test]
fn what_the_terminal_sends_reaches_the_command_once() {
    let local = local();
    let handled = |signal: &str| {
        format!(
            "n=0; trap 'n=$((n + 1)); echo got $n' {signal}; echo ready; \
             while [ $n = 0 ]; do sleep 0.02; done; sleep 0.3; echo total $n; exit 6"
        )
    };
    for (keys, signal) in [("\u{3}", "INT"), ("\u{1c}", "QUIT"), ("size", "WINCH")] {
        let seen = |way: &[&str], script: &str| {
            let mut session = Session::start(&local, way, script);
            session.until("ready");
            match keys {
                "size" => tcsetwinsize(&session.terminal, Winsize { ws_row: 20, ..SIZE }).unwrap(),
                keys => session.type_in(keys),
            }
            // The shell in the command says so when its `sleep` gets the signal, too.
            session.end().replace("Quit\r\n", "").replace("Quit (core dumped)\r\n", "")
        };
        let script = handled(signal);
        let expected = seen(WAYS[0], &script);
        assert!(expected.contains("total 1") && expected.contains("code 6"), "{expected:?}");
        for way in &WAYS[1..] {
            let mut seen = seen(way, &script);
            if signal == "WINCH" {
                // A program that looked at the size too early is told again.
                seen = seen.replace("got 2\r\n", "").replace("total 2", "total 1");
            }
            assert_eq!(seen, expected, "{signal}, {way:?}");
        }
        // Without the wrapper the shell ends, too: it sees that a signal has ended the command, and not its code.
        let code = match signal {
            "INT" => "code 130",
            "QUIT" => "code 131",
            _ => continue,
        };
        for way in [WAYS[1], WAYS[3], WAYS[4]] {
            let seen = seen(way, "echo ready; exec sleep 1000");
            assert!(seen.contains(code), "{signal}, {way:?}: {seen:?}");
        }
    }
}

#[test]
fn a_command_that_is_stopped_from_the_terminal_gives_the_shell_its_turn_and_continues() {
    let local = local();
    // The shell sees that it has stopped (128 + SIGTSTP), and continues it. The command starts no program meanwhile:
    // one that is stopped before it is executed would keep it from being continued.
    let script = "trap 'echo continued; exit 6' CONT; echo ready; while :; do read -r a; done";
    let seen = |way: &[&str]| {
        let mut session = Session::start(&local, way, script);
        session.until("ready");
        session.type_in("\u{1a}");
        session.until("continued");
        session.end()
    };
    for way in WAYS {
        let seen = seen(way);
        let (stopped, after) =
            seen.split_once("code 148").unwrap_or_else(|| panic!("{way:?}: {seen:?}"));
        assert!(!stopped.contains("continued") && after.contains("continued"), "{way:?}: {seen:?}");
        assert!(after.contains("code 6"), "{way:?}: {seen:?}");
    }
}

#[test]
fn a_terminal_that_is_closed_ends_the_command() {
    let local = local();
    let folder = tempfile::tempdir().unwrap();
    for (number, way) in WAYS.into_iter().enumerate() {
        let file = folder.path().join(number.to_string());
        let script = format!(
            "trap 'echo hung up >{}; exit' HUP; echo ready; {}",
            file.display(),
            crate::WAIT
        );
        let mut session = Session::start(&local, way, &script);
        session.until("ready");
        drop(session.terminal);
        while !file.exists() {
            std::thread::yield_now();
        }
        session.leader.wait().unwrap();
    }
}

#[test]
fn a_hundred_megabytes_arrive_whole_at_a_terminal() {
    let local = local();
    // Lines of 48 bytes, and one more for each at a terminal.
    let script = "yes 0123456789-abcdefghijklmnopqrstuvwxyz-012345678 | head -c 104857600; echo; echo end; exit 4";
    for way in [WAYS[1], WAYS[3]] {
        let mut session = Session::start(&local, way, script);
        let (mut piece, mut count, mut last) = (vec![0; 1 << 16], 0, Vec::new());
        while let Ok(read @ 1..) = session.terminal.read(&mut piece) {
            count += read;
            last.extend_from_slice(&piece[..read]);
            last.drain(..last.len().saturating_sub(64));
        }
        session.leader.wait().unwrap();
        let last = String::from_utf8_lossy(&last).into_owned();
        assert!(last.contains("\r\nend\r\ncode 4\r\n"), "{way:?}: {last:?}");
        let whole = 104_857_600 + 104_857_600 / 48 + 2;
        let after = last.split_once("end\r\n").unwrap().1.len() + "end\r\n".len();
        assert_eq!(count - after, whole, "{way:?}");
    }
}

#[test]
fn a_command_that_is_started_again_finds_the_terminal_as_the_first_one_did() {
    let local = local();
    let writer = Writer::new(&local);
    let way = ["run", "--watch", "--interval", "0.1", "-e", "S=akv://job/s", "--"];
    let script = format!(
        "stty -a | grep -o -e '-\\?icanon'; stty -icanon; trap 'exit 3' TERM; echo ready; {}",
        crate::WAIT
    );
    let mut session = Session::start(&local, &way, &script);
    session.until("ready");
    assert!(session.seen.starts_with("icanon\r\n"), "{:?}", session.seen);
    session.seen.clear();
    writer.set("s", "another-value");
    session.until("ready");
    assert!(session.seen.contains("\r\nicanon\r\n"), "{:?}", session.seen);
    session.type_in("\u{3}");
    let seen = session.end();
    assert!(seen.contains("code 130"), "{seen:?}");
}
