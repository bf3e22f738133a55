//! Programs that are used on a terminal look the same under `vaultlet run`. Two terminals of tmux get the same keys, one
//! with the program, one with the program under `run`; after each step the screens must be equal.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::time::{Duration, Instant};

use vaultlet_dev::Local;
use vaultlet_tests::sandbox::skipped;
use vaultlet_tests::{Run, vaultlet};

use crate::local;

/// A screen that is not as it must be by then will not be.
const DEADLINE: Duration = Duration::from_secs(60);
const SIZE: (u32, u32) = (72, 18);

/// A server of tmux with two terminals, in each a shell with the command `t`, which runs its arguments.
struct Terminals {
    folder: tempfile::TempDir,
    _local: Local,
}

/// The terminal with the program, and the one with the program under `run`.
const BOTH: [&str; 2] = ["bare", "run"];

/// What a person sees of a terminal, with the place of the cursor, and whether the screen is that of a full-screen
/// program.
#[derive(Debug, PartialEq, Eq)]
struct Screen {
    text: String,
    cursor: String,
}

/// Keys, and the text that is on the screen then.
type Step<'a> = (&'a [&'a str], &'a str);

impl Terminals {
    fn start() -> Option<Self> {
        for tool in ["tmux", "vim", "less", "python3"] {
            if Run::program("sh").arguments(["-c", &format!("command -v {tool}")]).end().code != 0 {
                skipped("text", &format!("`{tool}` is not there"));
                return None;
            }
        }
        let (folder, local) = (tempfile::tempdir().unwrap(), local());
        let at = |name: &str| folder.path().join(name);
        let lines: String = (1..=300).map(|line| format!("line {line} of the text\n")).collect();
        fs::write(at("text"), lines).unwrap();
        fs::write(at("bar.py"), PROGRESS).unwrap();
        fs::write(at("size.py"), SIZES).unwrap();
        let terminals = Self { folder, _local: local };
        for (name, command) in
            BOTH.into_iter().zip(["exec \"$@\"", "exec \"$PROGRAM\" run -- \"$@\""])
        {
            // A file, so that the shell shows one name for both in its list of jobs.
            let bin = terminals.folder.path().join(name);
            fs::create_dir(&bin).unwrap();
            fs::write(bin.join("t"), format!("#!/bin/sh\n{command}\n")).unwrap();
            fs::set_permissions(bin.join("t"), PermissionsExt::from_mode(0o755)).unwrap();
            let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
            terminals.tmux(&[
                "-f",
                "/dev/null",
                "new-session",
                "-d",
                "-s",
                name,
                "-x",
                &SIZE.0.to_string(),
                "-y",
                &SIZE.1.to_string(),
                &format!("PATH='{path}' exec bash --norc --noprofile -i"),
            ]);
        }
        Some(terminals)
    }

    fn tmux(&self, arguments: &[&str]) -> String {
        let mut command = Command::new("tmux");
        command.arg("-S").arg(self.folder.path().join("socket")).args(arguments);
        command.env_clear().envs(self._local.environment().iter().cloned());
        for (name, value) in [
            ("PATH", std::env::var_os("PATH").unwrap()),
            ("HOME", self.folder.path().into()),
            ("PROGRAM", vaultlet().into()),
        ] {
            command.env(name, value);
        }
        command
            .env("PS1", "$ ")
            .env("LANG", "C.UTF-8")
            .env("TERM", "screen")
            .env("SHELL", "/bin/sh");
        command
            .env("P", "akv://job/db-password")
            .env("INPUTRC", "/dev/null")
            .env("LESSHISTFILE", "-");
        let output = command.current_dir(&self.folder).output().unwrap();
        assert!(
            output.status.success(),
            "{arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap()
    }

    fn screen(&self, name: &str) -> Screen {
        let text = self.tmux(&["capture-pane", "-p", "-t", name]);
        let place = "#{cursor_x},#{cursor_y} #{alternate_on} #{pane_width}x#{pane_height}";
        Screen { text, cursor: self.tmux(&["display-message", "-p", "-t", name, place]) }
    }

    /// Waits until a text is on a screen.
    fn wait(&self, name: &str, text: &str) -> Screen {
        self.wait_until(name, text, |screen| screen.shows(text))
    }

    fn wait_until(&self, name: &str, what: &str, is_there: impl Fn(&Screen) -> bool) -> Screen {
        let end = Instant::now() + DEADLINE;
        loop {
            let screen = self.screen(name);
            if is_there(&screen) {
                return screen;
            }
            let other = self.screen(BOTH[0]);
            assert!(Instant::now() < end, "{name}: no {what:?}: {screen:#?}; {other:#?}");
        }
    }

    fn type_into(&self, name: &str, keys: &[&str]) {
        self.tmux(&[&["send-keys", "-t", name], keys].concat());
    }

    /// Takes the steps in both terminals, each when the screens of the one before are equal.
    fn play(&self, program: &str, steps: &[Step<'_>]) {
        for name in BOTH {
            // Whatever a program has left is gone. A screen that only looks like that is still to be cleared.
            self.type_into(name, &[&format!("clear; echo {program}"), "Enter"]);
            let is_clear = |screen: &Screen| screen.text.trim() == format!("{program}\n$");
            self.wait_until(name, "a cleared screen", is_clear);
        }
        for (keys, text) in steps {
            for name in BOTH {
                match keys {
                    ["resize", width, height] => {
                        self.tmux(&["resize-window", "-t", name, "-x", width, "-y", height]);
                    }
                    _ => self.type_into(name, keys),
                }
            }
            self.wait(BOTH[0], text);
            // The bare one may go on while the other is waited for.
            self.wait_until(BOTH[1], text, |screen| {
                screen.shows(text) && *screen == self.screen(BOTH[0])
            });
        }
        println!("{program}:\n{}", self.screen(BOTH[1]).text);
    }
}

impl Screen {
    /// Whether a text is there. A prompt is the last thing: a shell that is not yet at its prompt does not show what
    /// is typed.
    fn shows(&self, text: &str) -> bool {
        match text.ends_with('$') {
            true => self.text.trim_end().ends_with(text),
            false => self.text.contains(text),
        }
    }
}

impl Drop for Terminals {
    fn drop(&mut self) {
        let socket = self.folder.path().join("socket");
        let _ = Command::new("tmux").arg("-S").arg(socket).arg("kill-server").output();
    }
}

/// A progress bar that stands still until a key is pressed.
const PROGRESS: &str = r#"
import sys
for n in range(0, 101):
    sys.stdout.write(f"\r\x1b[32m{'#' * (n // 4):25}\x1b[0m {n:3} %")
    sys.stdout.flush()
    if n % 50 == 49: sys.stdin.readline()
print("\ndone")
"#;

/// Says the size of the terminal, now and when it changes: `run` may tell of a change twice.
const SIZES: &str = r#"
import os, select, signal, sys
woken, wake = os.pipe()
os.set_blocking(wake, False)
signal.set_wakeup_fd(wake)
signal.signal(signal.SIGWINCH, lambda *_: None)
said = None
while True:
    size = os.get_terminal_size(1)
    if size != said: print(f"{size.columns}x{size.lines}", all(os.isatty(n) for n in range(3)), flush=True)
    said = size
    ready, _, _ = select.select([0, woken], [], [])
    if woken in ready: os.read(woken, 100)
    if 0 in ready and sys.stdin.readline() == "stop\n": break
"#;

#[test]
fn programs_on_a_terminal_look_the_same_under_run() {
    let Some(terminals) = Terminals::start() else { return };
    for name in BOTH {
        terminals.wait(name, "$");
    }
    terminals.play(
        "python3 -i",
        &[
            (&["t python3 -q -i", "Enter"], ">>>"),
            (&["1 + 1", "Enter"], "\n2\n>>>"),
            (&["name = input('name? ')", "Enter"], "\nname?"),
            (&["x", "BSpace", "é", "Enter"], "name? é\n>>>"),
            (&["C-c"], "KeyboardInterrupt"),
            (&["while True: pass", "Enter", "Enter"], "..."),
            (&["C-c"], "line 1, in <module>"),
            (&["C-z"], "t python3 -q -i\n$"),
            (&["fg", "Enter"], "fg\nt python3"),
            (&["name", "Enter"], "'é'\n>>>"),
            (&["C-d"], "\n$"),
        ],
    );
    terminals.play(
        "vim",
        &[
            (&["t vim -u NONE -N -n -i NONE text", "Enter"], "line 5 of the text"),
            (&[":set number", "Enter"], " 5 line 5 of the text"),
            (&["3GOinserted \u{e9}", "Escape"], " 3 inserted é"),
            (&["/line 200", "Enter"], "200 of the text"),
            // What says when the new size has come.
            (&[":set laststatus=2 statusline=%{&columns}x%{&lines}", "Enter"], "72x18"),
            (&["resize", "60", "12"], "60x12"),
            (&["C-z"], "-i NONE te\nxt\n$"),
            (&["fg", "Enter"], "200 of the text"),
            (&["resize", "72", "18"], "72x18"),
            (&[":q!", "Enter"], "$"),
        ],
    );
    terminals.play(
        "less",
        &[
            (&["t less text", "Enter"], "line 2 of the text"),
            (&["Space"], "line 19 of the text"),
            (&["/line 1.0 of", "Enter"], "line 100 of the text"),
            (&["G"], "line 300 of the text"),
            (&["g"], "line 1 of the text"),
            (&["q"], "$"),
            (&["seq 100 | t less", "Enter"], "17"),
            (&["Space"], "34"),
            (&["q"], "$"),
        ],
    );
    terminals.play(
        "a progress bar",
        &[(&["t python3 bar.py", "Enter"], "49 %"), (&["Enter"], "99 %"), (&["Enter"], "done\n$")],
    );
    terminals.play(
        "resizing",
        &[
            (&["t python3 size.py", "Enter"], "72x18 True"),
            (&["resize", "100", "30"], "100x30 True"),
            (&["resize", "40", "10"], "40x10 True"),
            (&["resize", "72", "18"], "72x18 True"),
            (&["stop", "Enter"], "\n$"),
        ],
    );
    terminals.play(
        "Ctrl-C and Ctrl-Z",
        &[
            // A shell shows by a line end that a signal ended its job, and not that this is its exit code.
            (&["sh -c 'trap : INT; t sh -c \"echo go; exec sleep 1000\"; echo status $?'", "Enter"], "\ngo"),
            (&["C-z"], "echo status $?'\n$"),
            (&["jobs", "Enter"], "$ jobs\n[1]+  Stopped                 sh -c 'trap : INT; t sh -c \"echo go; exec\nsleep 1000\"; echo status $?'\n$"),
            (&["bg", "Enter"], "$?' &\n$"),
            (&["fg", "Enter"], "$ fg\nsh -c"),
            (&["C-c"], "^Cstatus 130\n$"),
            (
                &["t sh -c 'trap \"echo caught; exit 7\" INT; echo ready; read x'", "Enter"],
                "\nready",
            ),
            (&["C-c"], "caught\n$"),
            (&["echo status $?", "Enter"], "status 7\n$"),
            (&["t cat", "Enter"], "t cat"),
            (&["a line", "Enter"], "a line\na line"),
            (&["C-d"], "a line\n$"),
            (&["t sh -c \'stty -echo; printf \"Password: \" >/dev/tty; read -r x; stty echo; echo \"[$x]\"\'", "Enter"], "\nPassword:"),
            (&["hidden", "Enter"], "[hidden]"),
        ],
    );
    // It was `run` that ran them: it masks.
    terminals.type_into("run", &["clear; t sh -c 'echo \"[$P]\"'", "Enter"]);
    let screen = terminals.wait("run", "[<P>]");
    assert!(!screen.text.contains("p4ss"), "{screen:#?}");
}
