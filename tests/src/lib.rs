//! The harness that the test suites share: it builds and runs the programs under test, captures their
//! output, and scans it for secrets. `tests/README.md` describes the suites.

pub mod agent;
pub mod case;
pub mod client;
pub mod elf;
pub mod environment;
pub mod guests;
pub mod job;
pub mod prober;
pub mod sandbox;
pub mod server;
pub mod stock;
pub mod tls;
pub mod vault;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

/// The `target` folder, which also holds installed peers and built components.
pub fn target() -> PathBuf {
    let exe = std::env::current_exe().unwrap_or_default();
    let marked = exe.ancestors().find(|p| p.join("CACHEDIR.TAG").exists());
    // …/target/<profile>/deps/<test>, where somebody else has made the folder.
    marked.or_else(|| exe.ancestors().nth(3)).unwrap_or(&exe).to_owned()
}

/// The root of the repository.
pub fn root() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// The `vaultlet` program: the one that `VAULTLET_TEST_PROGRAM` names, else built from the current sources once per
/// test program.
pub fn vaultlet() -> &'static PathBuf {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| match std::env::var_os("VAULTLET_TEST_PROGRAM") {
        Some(program) => PathBuf::from(program),
        None => built(&["--bins"]).join("vaultlet"),
    })
}

/// The C library, built from the current sources once per test program.
pub fn library() -> &'static PathBuf {
    static LIBRARY: OnceLock<PathBuf> = OnceLock::new();
    LIBRARY.get_or_init(|| built(&["--lib"]).join("libvaultlet.so"))
}

/// Builds the C library with one more feature and copies it to a file; the library without the
/// feature is built again afterwards.
pub fn library_with(feature: &str, file: &Path) {
    let feature = format!("vaultlet-ffi/{feature}");
    let made = built(&["--lib", "--features", &feature]).join("libvaultlet.so");
    let copied = std::fs::copy(made, file).is_ok();
    built(&["--lib"]);
    assert!(copied, "there is no library to copy");
}

/// Builds all targets of a kind in the whole workspace, with the features that the tests have.
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

/// Removes the variables that cargo sets for this package from a command that runs cargo. To some
/// build scripts (`ring`'s) they are a change, and each build would rebuild everything above them.
pub fn builds(command: &mut Command) -> &mut Command {
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            command.env_remove(name);
        }
    }
    command
}

/// Sends a signal to a process that was not waited for.
#[track_caller]
pub fn kill(process: u32, signal: &str) {
    let status = Command::new("kill").args([&format!("-{signal}"), &process.to_string()]).status();
    assert!(status.is_ok_and(|status| status.success()), "{signal}");
}

/// A program to run, with an environment of its own.
pub struct Run {
    command: Command,
}

impl Run {
    /// The `vaultlet` program, with only `PATH` and `HOME` in its environment.
    pub fn vaultlet<A: AsRef<OsStr>>(arguments: impl IntoIterator<Item = A>) -> Self {
        Self::program(vaultlet()).arguments(arguments)
    }

    /// Any program, with only `PATH` and `HOME` in its environment.
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

    /// Runs it in a folder.
    pub fn in_folder(mut self, folder: &Path) -> Self {
        self.command.current_dir(folder);
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

    /// Runs the program to its end.
    pub fn end(mut self) -> Ended {
        let output = match self.command.output() {
            Ok(output) => output,
            Err(error) => unreachable!("cannot run {:?}: {error}", self.command.get_program()),
        };
        Ended::from(output)
    }
}

/// The exit code and output of a program.
#[derive(Debug)]
pub struct Ended {
    /// The exit code; 128 + signal if a signal ended the program.
    pub code: i32,
    /// The standard output.
    pub stdout: String,
    /// The standard error.
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
    /// Fails if a secret is on stderr. Stdout is scanned too unless the secret is the command's
    /// result.
    #[track_caller]
    pub fn reveals_none_of(&self, secrets: &[&str], stdout_too: bool) -> &Self {
        for secret in secrets {
            assert!(!secret.is_empty(), "scanning for nothing");
            assert!(!self.stderr.contains(secret), "a secret is on stderr");
            assert!(!stdout_too || !self.stdout.contains(secret), "a secret is on stdout");
        }
        // Tokens are JWTs, here and at Microsoft, and a JWT begins with `eyJ`.
        assert!(!self.stderr.contains("eyJ"), "a token is on stderr");
        assert!(!stdout_too || !self.stdout.contains("eyJ"), "a token is on stdout");
        self
    }
}

/// Runs a command that must succeed, and returns its output.
#[track_caller]
pub fn succeeds(command: &mut Command) -> Ended {
    let ended = match command.output() {
        Ok(output) => Ended::from(output),
        Err(error) => unreachable!("{command:?}: {error}"),
    };
    assert_eq!(ended.code, 0, "{command:?}: {}{}", ended.stdout, ended.stderr);
    ended
}
