//! Microsoft's own SDKs in the local Azure, in the plainest programs that people run in jobs, with
//! no option and no change for the occasion: what works for them works for any client.
//!
//! They are installed into `target/peers` when their interpreter is there. Where it is not, the
//! test says so and is skipped, unless `VAULTLET_REQUIRE_PEERS=1`.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests, which may fail so"
)]

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use vaultlet_dev::{Local, Who};
use vaultlet_tests::{Run, root, target, vaultlet};

const VALUE: &str = "correct horse battery staple";

#[test]
fn python_by_default_credential() {
    let Some(python) = python() else { return };
    let job = root().join("tests/peers/python/job.py");
    gets_the_secret(&[python.as_os_str(), job.as_os_str()], "azure-ml");
}

#[test]
fn python_on_behalf_of_the_user() {
    let Some(python) = python() else { return };
    let job = root().join("tests/peers/python/user_job.py");
    gets_the_secret(&[python.as_os_str(), job.as_os_str()], "azure-ml-obo");
}

#[test]
fn node_by_default_credential() {
    let Some(folder) = node() else { return };
    gets_the_secret(&[OsStr::new("node"), folder.join("job.js").as_os_str()], "azure-ml");
}

#[test]
fn go_by_default_credential() {
    let Some(program) = go() else { return };
    gets_the_secret(&[program.as_os_str()], "azure-ml");
}

#[test]
fn vaultlet_prints_the_same() {
    let get = [vaultlet().as_os_str(), "get".as_ref(), "akv://my-key-vault/secret-name".as_ref()];
    let ended = in_dev(&get);
    assert_eq!((ended.stdout.as_str(), ended.code), (VALUE, 0), "{}", ended.stderr);
    ended.reveals_none_of(&[VALUE], false);
}

/// Runs a program as its users would, then again where its requests can be counted.
fn gets_the_secret(program: &[&OsStr], endpoint: &str) {
    let ended = in_dev(program);
    assert_eq!((ended.stdout.trim_end(), ended.code), (VALUE, 0), "{}", ended.stderr);
    ended.reveals_none_of(&[VALUE], false);

    let local = Local::builder()
        .vault("my-key-vault")
        .seed("secret-name", VALUE)
        .run_as(Who::User)
        .start()
        .unwrap();
    let ended = Run::program(program[0])
        .arguments(&program[1..])
        .environment(local.environment().iter().cloned())
        .end();
    assert_eq!((ended.stdout.trim_end(), ended.code), (VALUE, 0), "{}", ended.stderr);
    let msi_secret = &local.environment().iter().find(|(k, _)| k == "MSI_SECRET").unwrap().1;
    ended.reveals_none_of(&[VALUE], false).reveals_none_of(&[msi_secret], true);

    // As they all do: a request without a token first, to be told the audience.
    let counters = local.counters();
    assert_eq!(counters.operation("get", 401), 1, "{counters:?}");
    assert_eq!(counters.operation("get", 200), 1, "{counters:?}");
    assert_eq!(counters.identity.get(endpoint), Some(&1), "{counters:?}");
    assert_eq!(counters.tunnels, 0, "it talked to somebody else: {:?}", local.log());
}

/// `vaultlet dev … -- PROGRAM`.
fn in_dev(program: &[&OsStr]) -> vaultlet_tests::Ended {
    let seed = format!("secret-name={VALUE}");
    Run::vaultlet(["dev", "--vault", "my-key-vault", "--seed", &seed, "--as", "user", "--"])
        .arguments(program)
        .end()
}

fn python() -> Option<PathBuf> {
    let folder = installed("python", "python3", &["requirements.txt"], |folder, source| {
        let python = folder.join("bin/python");
        run(Command::new("python3").args(["-m", "venv"]).arg(folder));
        run(Command::new(&python)
            .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"])
            .arg("--requirement")
            .arg(source.join("requirements.txt")));
    })?;
    Some(folder.join("bin/python"))
}

fn node() -> Option<PathBuf> {
    const FILES: [&str; 3] = ["package.json", "package-lock.json", "job.js"];
    installed("node", "node", &FILES, |folder, source| {
        for file in FILES {
            fs::copy(source.join(file), folder.join(file)).unwrap();
        }
        run(Command::new("npm")
            .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"])
            .current_dir(folder));
    })
}

fn go() -> Option<PathBuf> {
    let folder = installed("go", "go", &["go.mod", "go.sum", "main.go"], |folder, source| {
        run(Command::new("go")
            .args(["build", "-modcacherw", "-trimpath", "-buildvcs=false", "-o"])
            .arg(folder.join("job"))
            .current_dir(source)
            .env("GOTOOLCHAIN", "local")
            .env("GOMODCACHE", target().join("peers/go-modules"))
            .env("GOCACHE", target().join("peers/go-cache")));
    })?;
    Some(folder.join("job"))
}

/// The folder of a peer, installed unless it is there as these files want it; `None` where its
/// interpreter is missing and may be.
fn installed(
    peer: &str,
    interpreter: &str,
    files: &[&str],
    install: impl Fn(&Path, &Path),
) -> Option<PathBuf> {
    let Some(version) = version(interpreter) else {
        let required = std::env::var("VAULTLET_REQUIRE_PEERS").is_ok_and(|v| v == "1");
        assert!(!required, "`{interpreter}` is not there, and peers are required");
        // Not by a macro, whose text the test harness would keep to itself.
        let _ = writeln!(std::io::stderr(), "SKIPPED: {peer}: `{interpreter}` is not there");
        return None;
    };
    let (source, peers) = (root().join("tests/peers").join(peer), target().join("peers"));
    let (folder, stamp) = (peers.join(peer), peers.join(peer).join("stamp"));
    let wanted = files.iter().fold(version, |all, file| {
        all + &fs::read_to_string(source.join(file)).unwrap_or_else(|e| panic!("{file}: {e}"))
    });
    fs::create_dir_all(&peers).unwrap();
    // Two tests may want the same peer, in this process or another.
    let lock = File::create(peers.join(format!("{peer}.lock"))).unwrap();
    lock.lock().unwrap();
    if fs::read_to_string(&stamp).is_ok_and(|found| found == wanted) {
        return Some(folder);
    }
    if folder.exists() {
        fs::remove_dir_all(&folder).unwrap();
    }
    fs::create_dir_all(&folder).unwrap();
    install(&folder, &source);
    fs::write(stamp, wanted).unwrap();
    Some(folder)
}

fn version(interpreter: &str) -> Option<String> {
    let argument = if interpreter == "go" { "version" } else { "--version" };
    let output = Command::new(interpreter).arg(argument).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

fn run(command: &mut Command) {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {stderr}");
}
