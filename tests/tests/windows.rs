//! The program for Windows, under Wine: what a user does there, what it says of what is not there, and the exit codes. Its
//! build takes minutes, so that it is made and run with `VAULTLET_TEST_FULL=1` alone; the gate compiles it
//! (`.ci/run platforms`).

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use vaultlet_tests::sandbox::skipped;
use vaultlet_tests::{Ended, builds, kill, root, succeeds, target};

const VALUE: &str = "wine-Secret-123";
const TARGET: &str = "x86_64-pc-windows-gnu";
const COMPILER: &str = "x86_64-w64-mingw32-gcc";
/// Debian's own one first, as its `wine` says each time that it could run programs of 32 bits, were they installed.
const WINE: [&str; 3] = ["/usr/lib/wine/wine64", "wine64", "wine"];

/// The program, and a home of Wine's.
struct Windows {
    wine: &'static str,
    program: PathBuf,
    home: PathBuf,
}

/// `None` where the tests are not run at full length, or a tool is missing.
fn windows() -> Option<&'static Windows> {
    static WINDOWS: OnceLock<Option<Windows>> = OnceLock::new();
    WINDOWS.get_or_init(Windows::new).as_ref()
}

impl Windows {
    fn new() -> Option<Self> {
        std::env::var_os("VAULTLET_TEST_FULL")?;
        let is_there = |tool: &&str| Command::new(tool).arg("--version").output().is_ok();
        let (wine, compiler) = (WINE.into_iter().find(is_there), is_there(&COMPILER));
        let Some(wine) = wine.filter(|_| compiler) else {
            skipped("windows", &format!("Wine or `{COMPILER}` is missing"));
            return None;
        };
        let mut build = Command::new(env!("CARGO"));
        build.args(["build", "--quiet", "--locked", "--package", "vaultlet-cli"]);
        build.args(["--target", TARGET, "--target-dir"]).arg(target()).current_dir(root());
        succeeds(builds(&mut build));
        let program = target().join(TARGET).join("debug/vaultlet.exe");
        // Found beside the program.
        let mut library = Command::new(COMPILER);
        library.args(["-shared", "-o"]).arg(program.with_file_name("bcryptprimitives.dll"));
        succeeds(library.arg(root().join("tests/wine/bcryptprimitives.c")).arg("-ladvapi32"));
        let home = target().join("peers/wine");
        fs::create_dir_all(&home).unwrap();
        let windows = Self { wine, program, home };
        // The first start makes the home, which takes a while.
        assert_eq!(windows.run("wineboot", &["--init"], &[]).code, 0);
        Some(windows)
    }

    /// A program of Windows, with few variables.
    fn wine(&self, program: impl AsRef<OsStr>, words: &[&str]) -> Command {
        let mut command = Command::new(self.wine);
        command.arg(program).args(words).env_clear().stdin(Stdio::null());
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("HOME", &self.home).env("WINEPREFIX", &self.home).env("WINEDEBUG", "-all");
        command
    }

    fn run(&self, program: impl AsRef<OsStr>, words: &[&str], variables: &[(&str, &str)]) -> Ended {
        let mut command = self.wine(program, words);
        Ended::from(command.envs(variables.iter().copied()).output().unwrap())
    }

    /// Runs the program by itself.
    fn vaultlet(&self, words: &[&str], variables: &[(&str, &str)]) -> Ended {
        self.run(&self.program, words, variables)
    }

    /// Runs the program in a local Azure, started by the program, too.
    fn in_dev(&self, words: &[&str], variables: &[(&str, &str)]) -> Ended {
        let seed = format!("db-password={VALUE}");
        let program = on_windows(&self.program);
        let dev = ["dev", "--vault", "my-key-vault", "--seed", &seed, "--", &program];
        self.vaultlet(&[&dev[..], words].concat(), variables)
    }
}

#[test]
fn what_a_user_does_works_under_wine() {
    let Some(windows) = windows() else { return };
    let demo = windows.vaultlet(&["demo"], &[]);
    assert_eq!(demo.code, 0, "{}{}", demo.stdout, demo.stderr);

    let reference = "akv://my-key-vault/db-password";
    let variable = [("DB_PASSWORD", reference)];
    let none = &[][..];
    for (words, variables, code, stdout) in [
        (&["get", reference][..], none, 0, VALUE.to_owned()),
        (&["get", "-o", "env", reference], none, 0, format!("export DB_PASSWORD='{VALUE}'\n")),
        (&["list", "-o", "value", "my-key-vault"], none, 0, "db-password\n".into()),
        (
            &["export", "-f", "powershell"],
            &variable[..],
            0,
            format!("$env:DB_PASSWORD = '{VALUE}'\n"),
        ),
        (
            &["run", "--", "cmd", "/c", "echo %DB_PASSWORD%"],
            &variable,
            0,
            "<DB_PASSWORD>\r\n".into(),
        ),
        (
            &["run", "--no-masking", "--", "cmd", "/c", "echo %DB_PASSWORD%"],
            &variable,
            0,
            format!("{VALUE}\r\n"),
        ),
        (&["run", "--", "cmd", "/c", "exit 7"], &variable, 7, String::new()),
        (&["run", "--", "cmd", "/c", "exit 7"], none, 7, String::new()),
        (&["run", "--", "no-such-program"], none, 127, String::new()),
    ] {
        let ended = windows.in_dev(words, variables);
        assert_eq!(
            (ended.code, ended.stdout.as_str()),
            (code, stdout.as_str()),
            "{words:?}: {}",
            ended.stderr
        );
        ended.reveals_none_of(&[VALUE], !stdout.contains(VALUE));
    }
}

#[test]
fn what_is_not_there_says_so_in_one_line() {
    let Some(windows) = windows() else { return };
    let imds = [("VAULTLET_IDENTITY", "environment")];
    for (words, code, id) in [
        (&["agent", "--ttl", "10"][..], 78, "not-on-this-system"),
        (&["job", "run", "job.yml"], 78, "not-on-this-system"),
        (&["run", "--watch", "--on-change", "signal:HUP", "--", "cmd"], 64, "usage"),
        (&["get", "akv://my-key-vault/db-password"], 79, "no-identity"),
        (&["get", "not a reference"], 65, "reference-malformed"),
    ] {
        let ended = windows.vaultlet(words, &imds);
        assert_eq!((ended.code, ended.stdout.as_str()), (code, ""), "{words:?}: {}", ended.stderr);
        assert!(
            ended.stderr.contains(id) && ended.stderr.lines().count() == 1,
            "{words:?}: {}",
            ended.stderr
        );
    }
}

#[test]
fn a_policy_and_its_audit_are_obeyed() {
    let Some(windows) = windows() else { return };
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| on_windows(&folder.path().join(name));
    // With the ends of line of an editor on Windows.
    let text = format!(
        "[[allow]]\nreference = \"akv://my-key-vault/db-*\"\nprogram = ['C:\\windows\\*\\CMD.EXE', '{}']\n[audit]\nfile = '{}'\n",
        on_windows(&windows.program),
        at("audit.jsonl")
    );
    fs::write(folder.path().join("policy.toml"), text.replace('\n', "\r\n")).unwrap();
    let policy = at("policy.toml");
    let get = |name: &str| {
        windows.in_dev(&["get", "--policy", &policy, &format!("akv://my-key-vault/{name}")], &[])
    };
    let (given, denied) = (get("db-password"), get("other"));
    assert_eq!((given.code, given.stdout.as_str()), (0, VALUE), "{}", given.stderr);
    assert_eq!(denied.code, 77, "{}", denied.stderr);
    let audit = fs::read_to_string(folder.path().join("audit.jsonl")).unwrap();
    assert_eq!(audit.lines().count(), 2, "{audit}");
    assert!(audit.contains("\"reveal\"") && audit.contains("\"denied\"") && !audit.contains(VALUE));
}

#[test]
fn a_policy_that_everybody_may_write_is_refused() {
    let Some(windows) = windows() else { return };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("policy.toml");
    fs::write(&file, "[[allow]]\nreference = \"akv://my-key-vault/*\"\n").unwrap();
    // Wine makes access control lists of these.
    for (mode, code) in [(0o644, 0), (0o666, 78)] {
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        let ended = windows.vaultlet(&["policy", "check", "--policy", &on_windows(&file)], &[]);
        assert_eq!(ended.code, code, "{mode:o}: {}", ended.stderr);
        assert_eq!(ended.stderr.contains("policy-untrusted"), code != 0, "{}", ended.stderr);
    }
}

#[test]
fn ctrl_c_ends_the_local_azure_which_leaves_nothing_behind() {
    let Some(windows) = windows() else { return };
    let mut command = windows.wine(&windows.program, &["dev", "-o", "json"]);
    let mut dev = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(dev.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let ca = line.split("\"caFile\":\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    let in_home = ca.strip_prefix("C:").unwrap().replace("\\\\", "/");
    let ca = windows.home.join("drive_c").join(in_home.trim_start_matches('/'));
    assert!(ca.exists(), "{}", ca.display());
    // Wine gives it to a program as the console does.
    kill(dev.id(), "INT");
    assert_eq!(dev.wait().unwrap().code(), Some(130));
    assert!(!ca.exists(), "{}", ca.display());
}

/// A path of this machine as Wine has it.
fn on_windows(path: &Path) -> String {
    format!("Z:{}", path.to_str().unwrap().replace('/', "\\"))
}
