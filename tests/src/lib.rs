//! What the tests share: the program under test, run and captured, and the scan for secrets that
//! each test ends with.

pub mod ask;
pub mod case;
pub mod guests;
pub mod job;
pub mod prober;
pub mod sandbox;
pub mod server;
pub mod stock;
pub mod tls;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

/// `target/`, where installed peers and built components live.
pub fn target() -> PathBuf {
    let exe = std::env::current_exe().unwrap_or_default();
    exe.ancestors().find(|p| p.join("CACHEDIR.TAG").exists()).unwrap_or(&exe).to_owned()
}

/// The root of the repository.
pub fn root() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// The command line's program, built once a test program from what is there now.
pub fn vaultlet() -> &'static PathBuf {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| built(&["--bins"]).join("vaultlet"))
}

/// The library for C, built in the same way.
pub fn library() -> &'static PathBuf {
    static LIBRARY: OnceLock<PathBuf> = OnceLock::new();
    LIBRARY.get_or_init(|| built(&["--lib"]).join("libvaultlet.so"))
}

/// The same with one more of its features, as this file; the one without is there again afterwards.
pub fn library_with(feature: &str, file: &Path) {
    let feature = format!("vaultlet-ffi/{feature}");
    let made = built(&["--lib", "--features", &feature]).join("libvaultlet.so");
    let copied = std::fs::copy(made, file).is_ok();
    built(&["--lib"]);
    assert!(copied, "there is no library to copy");
}

/// Builds all targets of a kind; in the whole workspace, whose features are those of the tests.
fn built(kind: &[&str]) -> PathBuf {
    let exe = std::env::current_exe().unwrap_or_default();
    // …/<profile>/deps/<test>
    let profile = exe.ancestors().nth(2).map(PathBuf::from).unwrap_or_default();
    let mut cargo = cargo();
    cargo.args(["build", "--quiet", "--workspace"]).args(kind).current_dir(root());
    cargo.arg("--target-dir").arg(target());
    if profile.ends_with("release") {
        cargo.arg("--release");
    }
    assert!(cargo.status().is_ok_and(|s| s.success()), "`cargo build {kind:?}` fails");
    profile
}

pub(crate) fn cargo() -> Command {
    let mut cargo = Command::new(env!("CARGO"));
    builds(&mut cargo);
    cargo
}

/// Makes a command, which is or runs cargo, not see what the cargo that runs us tells about this
/// package: to some build scripts (`ring`'s) that is a change, and everything above them would be
/// built anew, back and forth.
pub fn builds(command: &mut Command) -> &mut Command {
    for (name, _) in std::env::vars_os() {
        let told = name.to_string_lossy();
        if told.starts_with("CARGO_PKG_") || told.starts_with("CARGO_MANIFEST_") {
            command.env_remove(name);
        }
    }
    command
}

/// A run of a program with an environment of its own.
pub struct Run {
    command: Command,
}

impl Run {
    /// `vaultlet`, with nothing in its environment.
    pub fn vaultlet<A: AsRef<OsStr>>(arguments: impl IntoIterator<Item = A>) -> Self {
        Self::program(vaultlet()).arguments(arguments)
    }

    /// Any program, with nothing in its environment but `PATH` and `HOME`.
    pub fn program(program: impl AsRef<OsStr>) -> Self {
        let mut command = Command::new(program);
        command.env_clear().stdin(Stdio::null());
        for name in ["PATH", "HOME"] {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        Self { command }
    }

    /// Adds arguments.
    pub fn arguments<A: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        self.command.args(arguments);
        self
    }

    /// Adds variables.
    pub fn environment<K: AsRef<OsStr>, V: AsRef<OsStr>>(
        mut self,
        variables: impl IntoIterator<Item = (K, V)>,
    ) -> Self {
        self.command.envs(variables);
        self
    }

    /// Runs it to its end.
    pub fn end(mut self) -> Ended {
        let output = match self.command.output() {
            Ok(output) => output,
            Err(error) => unreachable!("cannot run {:?}: {error}", self.command.get_program()),
        };
        Ended::from(output)
    }
}

/// How it ended, and all that it said.
#[derive(Debug)]
pub struct Ended {
    /// The exit code; 128 + signal where a signal ended it.
    pub code: i32,
    /// Its standard output.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        use std::os::unix::process::ExitStatusExt as _;
        let signal = output.status.signal().map(|s| 128 + s);
        Self {
            code: output.status.code().or(signal).unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

impl Ended {
    /// Fails where one of these is in what was said on stderr; and on stdout, unless it was the
    /// command's answer.
    #[track_caller]
    pub fn reveals_none_of(&self, secrets: &[&str], stdout_too: bool) -> &Self {
        for secret in secrets {
            assert!(!secret.is_empty(), "scanning for nothing");
            assert!(!self.stderr.contains(secret), "a secret is on stderr");
            assert!(!stdout_too || !self.stdout.contains(secret), "a secret is on stdout");
        }
        // Tokens are JWTs, here and at Microsoft: they begin so.
        assert!(!self.stderr.contains("eyJ"), "a token is on stderr");
        assert!(!stdout_too || !self.stdout.contains("eyJ"), "a token is on stdout");
        self
    }
}

/// What it said, of a command that has to succeed.
#[track_caller]
pub fn succeeds(command: &mut Command) -> Ended {
    let ended = match command.output() {
        Ok(output) => Ended::from(output),
        Err(error) => unreachable!("{command:?}: {error}"),
    };
    assert_eq!(ended.code, 0, "{command:?}: {}{}", ended.stdout, ended.stderr);
    ended
}
