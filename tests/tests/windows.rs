//! The program for Windows, under Wine: what a user does there, what it says of what is not there, and the exit codes. Its
//! build takes minutes, so that it is made and run with `VAULTLET_TEST_FULL=1` alone; the gate compiles it
//! (`.ci/run platforms`).

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use vaultlet_tests::sandbox::skipped;
use vaultlet_tests::{Ended, Run, builds, root, succeeds, target};

const VALUE: &str = "wine-Secret-123";
const TARGET: &str = "x86_64-pc-windows-gnu";

/// The program, and a home of Wine's.
struct Windows {
    program: PathBuf,
    home: PathBuf,
}

impl Windows {
    /// `None` where the tests are not run at full length, or a tool is missing.
    fn new() -> Option<Self> {
        if std::env::var_os("VAULTLET_TEST_FULL").is_none() {
            return None;
        }
        let is_there = |tool: &str| Command::new(tool).arg("--version").output().is_ok();
        for tool in ["wine", "x86_64-w64-mingw32-gcc"] {
            if !is_there(tool) {
                skipped("windows", &format!("`{tool}` is missing"));
                return None;
            }
        }
        let folder = target().join("windows");
        let mut build = Command::new(env!("CARGO"));
        build.args(["build", "--quiet", "--locked", "--package", "vaultlet-cli"]);
        build.args(["--target", TARGET, "--target-dir"]).arg(&folder).current_dir(root());
        succeeds(builds(&mut build));
        let program = folder.join(TARGET).join("debug/vaultlet.exe");
        let home = target().join("peers/wine");
        fs::create_dir_all(&home).unwrap();
        let windows = Self { program, home };
        // The first start makes the home, which takes a while and talks.
        assert_eq!(windows.run("wineboot", &["--init"], &[]).code, 0);
        Some(windows)
    }

    fn run(&self, program: impl AsRef<std::ffi::OsStr>, words: &[&str], variables: &[(&str, &str)]) -> Ended {
        let program = [program.as_ref().to_owned()];
        let words = program.into_iter().chain(words.iter().map(Into::into));
        let home = self.home.to_str().unwrap();
        Run::program("wine")
            .arguments(words)
            .environment([("WINEPREFIX", home), ("WINEDEBUG", "-all"), ("DISPLAY", "")])
            .environment(variables.iter().copied())
            .end()
    }

    /// Runs the program by itself.
    fn vaultlet(&self, words: &[&str], variables: &[(&str, &str)]) -> Ended {
        self.run(&self.program, words, variables)
    }

    /// Runs the program in a local Azure, started by the program, too.
    fn in_dev(&self, words: &[&str], variables: &[(&str, &str)]) -> Ended {
        let seed = format!("db-password={VALUE}");
        let program = self.program.to_str().unwrap();
        let dev = ["dev", "--vault", "my-key-vault", "--seed", &seed, "--", program];
        self.vaultlet(&[&dev[..], words].concat(), variables)
    }
}

#[test]
fn what_a_user_does_works_under_wine() {
    let Some(windows) = Windows::new() else { return };
    let demo = windows.vaultlet(&["demo"], &[]);
    assert_eq!(demo.code, 0, "{}{}", demo.stdout, demo.stderr);

    let reference = "akv://my-key-vault/db-password";
    let variable = [("DB_PASSWORD", reference)];
    let none = &[][..];
    for (words, variables, code, stdout) in [
        (&["get", reference][..], none, 0, VALUE.to_owned()),
        (&["get", "-o", "env", reference], none, 0, format!("export DB_PASSWORD='{VALUE}'\n")),
        (&["list", "-o", "value", "my-key-vault"], none, 0, "db-password\n".into()),
        (&["export", "-f", "powershell"], &variable[..], 0, format!("$env:DB_PASSWORD = '{VALUE}'\n")),
        (&["run", "--", "cmd", "/c", "echo %DB_PASSWORD%"], &variable, 0, "<DB_PASSWORD>\r\n".into()),
        (&["run", "--no-masking", "--", "cmd", "/c", "echo %DB_PASSWORD%"], &variable, 0, format!("{VALUE}\r\n")),
        (&["run", "--", "cmd", "/c", "exit 7"], &variable, 7, String::new()),
        (&["run", "--", "cmd", "/c", "exit 7"], none, 7, String::new()),
        (&["run", "--", "no-such-program"], none, 127, String::new()),
    ] {
        let ended = windows.in_dev(words, variables);
        assert_eq!((ended.code, ended.stdout.as_str()), (code, stdout.as_str()), "{words:?}: {}", ended.stderr);
        ended.reveals_none_of(&[VALUE], !stdout.contains(VALUE));
    }
}

#[test]
fn what_is_not_there_says_so_in_one_line() {
    let Some(windows) = Windows::new() else { return };
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
        assert!(ended.stderr.contains(id) && ended.stderr.lines().count() == 1, "{words:?}: {}", ended.stderr);
    }
}

#[test]
fn a_policy_and_its_audit_are_obeyed() {
    let Some(windows) = Windows::new() else { return };
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| on_windows(&folder.path().join(name));
    let text = format!(
        "[[allow]]\nreference = \"akv://my-key-vault/db-*\"\n[audit]\nfile = '{}'\n",
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

/// A path of this machine as Wine has it.
fn on_windows(path: &Path) -> String {
    format!("Z:{}", path.to_str().unwrap().replace('/', "\\"))
}
