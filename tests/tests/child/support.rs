//! A wrapped command whose output is read as it comes.

use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, ChildStdout, Command, Stdio};

pub(crate) use vaultlet_tests::kill;
use vaultlet_tests::{Ended, vaultlet};

/// The commands of `vaultlet` that run a COMMAND. The last one masks its output, and is run by another.
pub(crate) const RUNNERS: [&[&str]; 4] = [
    &["dev"],
    &["identity", "serve"],
    &["run"],
    &["dev", "--seed", "s=secret-value", "--", PROGRAM, "run", "-e", "S=akv://job/s"],
];

/// Stands for the path of the program.
pub(crate) const PROGRAM: &str = "vaultlet";

/// The arguments of a runner, and what ends them.
pub(crate) fn words(runner: &[&str]) -> Vec<String> {
    let program = vaultlet().display().to_string();
    let word = |word: &&str| if *word == PROGRAM { program.clone() } else { (*word).to_owned() };
    runner.iter().chain(&["--"]).map(word).collect()
}

pub(crate) struct Wrapped {
    child: Child,
    out: BufReader<ChildStdout>,
}

impl Wrapped {
    pub(crate) fn start(runner: &[&str], command: &[&str]) -> Self {
        let mut wrapper = Command::new(vaultlet());
        wrapper.args(words(runner)).args(command);
        Self::spawn(&wrapper)
    }

    /// Starts a command that runs `vaultlet`.
    pub(crate) fn spawn(command: &Command) -> Self {
        let mut command = with_default_signals(command);
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap());
        command.env("MSI_ENDPOINT", "http://127.0.0.1:9/token").env("MSI_SECRET", "s3cret-of-msi");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        Self { child, out }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Reads lines until this one.
    pub(crate) fn read_until(&mut self, wanted: &str) {
        while self.line() != wanted {}
    }

    /// Reads one line.
    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        assert_ne!(self.out.read_line(&mut line).unwrap(), 0, "the output ended");
        line.trim_end().to_owned()
    }

    /// Waits for the end, and returns the rest of the output.
    pub(crate) fn end(mut self) -> Ended {
        let mut stdout = String::new();
        self.out.read_to_string(&mut stdout).unwrap();
        let output = self.child.wait_with_output().unwrap();
        let ended = Ended { stdout, ..Ended::from(output) };
        ended.reveals_none_of(&["s3cret-of-msi"], true);
        ended
    }
}

/// A command with the default action of each signal, in a process group of its own. Whoever runs the tests may
/// ignore signals, which the shell of a test could then not catch; and a group whose parents are all of another
/// session is not stopped from a terminal.
fn with_default_signals(command: &Command) -> Command {
    let mut with = Command::new("env");
    with.process_group(0);
    with.arg("--default-signal").arg(command.get_program()).args(command.get_args());
    with
}

/// The state of a process, as `/proc` says it.
pub(crate) fn state(process: u32) -> char {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    stat.rsplit(") ").next().unwrap().chars().next().unwrap()
}

/// Waits until both processes are in a state that fits.
pub(crate) fn wait_for(processes: [u32; 2], fits: impl Fn(char) -> bool) {
    while !processes.into_iter().all(|process| fits(state(process))) {
        std::thread::yield_now();
    }
}
