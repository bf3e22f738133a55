//! Ray and Dask with secrets, as their users have them: the package is installed from its wheel beside them, the
//! programs are in `tests/ray`. With `VAULTLET_TEST_FULL=1` there is a cluster of three nodes, too, and what Ray has for
//! jobs, training and data; it takes minutes.

#![allow(clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "python/install.rs"]
mod install;

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use vaultlet_dev::{Grant, Local, Role, Who};
use vaultlet_tests::vault::Writer;
use vaultlet_tests::{Ended, root, succeeds, target, vaultlet};

/// Values that are looked for in files, processes and responses, and are in none of them by accident.
const VALUES: [&str; 5] = [
    "first-value-5f0c1d7a93b84e26",
    "second-value-b1e94a6c07d35f82",
    "third-value-3a7d52c8e6f01b94",
    "fourth-value-e8046fb92d1ca753",
    "fifth-value-9c62d38f0ab417e5",
];

/// Whether there is time for the cluster, too.
fn is_full() -> bool {
    std::env::var("VAULTLET_TEST_FULL").is_ok_and(|it| it == "1")
}

/// The interpreter of an environment with Ray, Dask and the current package.
fn python() -> Option<PathBuf> {
    static PYTHON: OnceLock<Option<PathBuf>> = OnceLock::new();
    PYTHON.get_or_init(|| install::python().map(|_| installed())).clone()
}

fn installed() -> PathBuf {
    let folder = target().join("peers/ray");
    fs::create_dir_all(&folder).unwrap();
    let lock = File::create(folder.join("lock")).unwrap();
    lock.lock().unwrap();
    let mut files = vec!["requirements.txt"];
    files.extend(is_full().then_some("requirements-full.txt"));
    let (mut wanted, mut packages) = (String::new(), Vec::new());
    for file in files {
        let path = root().join("tests/ray").join(file);
        wanted.push_str(&fs::read_to_string(&path).unwrap());
        packages.extend(["--requirement".to_owned(), path.display().to_string()]);
    }
    let packages: Vec<_> = packages.iter().map(String::as_str).collect();
    let environment = folder.join(if is_full() { "full" } else { "python" });
    let python = install::environment(&environment, &wanted, &packages);
    let wheels = fs::read_dir(target().join("peers/python-package/wheels")).unwrap();
    let mut wheels = wheels.map(|entry| entry.unwrap().path());
    let wheel = wheels.find(|path| path.extension().is_some_and(|ending| ending == "whl")).unwrap();
    let (stamp, bytes) = (environment.join("installed"), fs::read(&wheel).unwrap());
    if !fs::read(&stamp).is_ok_and(|installed| installed == bytes) {
        let pip = ["-m", "pip", "install", "--quiet", "--no-deps", "--force-reinstall"];
        succeeds(Command::new(&python).args(pip).arg(&wheel));
        fs::write(stamp, bytes).unwrap();
    }
    python
}

/// Runs a program of `tests/ray` with the values on its stdin. Each line that it prints is heard.
fn runs(file: &str, local: &Local, values: &[&str], mut heard: impl FnMut(&str)) {
    let Some(python) = python() else { return };
    let mut path = vaultlet().parent().unwrap().as_os_str().to_owned();
    path.push(":");
    path.push(std::env::var_os("PATH").unwrap());
    let mut command = Command::new(python);
    command.arg(root().join("tests/ray").join(file)).env_clear();
    command.env("PATH", path).env("HOME", std::env::var_os("HOME").unwrap_or_default());
    command.envs(local.environment().iter().cloned());
    command.env("CONTROL", local.control()).env("PYTHONDONTWRITEBYTECODE", "1");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stderr = child.stderr.take().unwrap();
    let told = std::thread::spawn(move || std::io::read_to_string(&mut stderr).unwrap_or_default());
    let list = values.iter().map(|value| format!("\"{value}\"")).collect::<Vec<_>>().join(",");
    child.stdin.take().unwrap().write_all(format!("[{list}]").as_bytes()).unwrap();
    let mut stdout = String::new();
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        heard(&line);
        stdout.push_str(&line);
        stdout.push('\n');
    }
    let code = child.wait().unwrap().code().unwrap_or(-1);
    let ended = Ended { code, stdout, stderr: told.join().unwrap() };
    assert_eq!(ended.code, 0, "{}\n{}", ended.stdout, ended.stderr);
    assert!(ended.stdout.ends_with("done\n"), "{}", ended.stdout);
    ended.reveals_none_of(&VALUES, true);
}

fn local() -> Local {
    let secrets = VALUES.iter().enumerate();
    let builder = Local::builder().vault("my-key-vault").limit(40);
    let builder = secrets.fold(builder, |it, (i, value)| it.seed(format!("secret-{i}"), *value));
    builder
        .seed("db-password", VALUES[0])
        .seed("denied", VALUES[1])
        .grant(Grant { who: Who::Managed, role: Role::None, name: Some("denied".into()) })
        .start()
        .unwrap()
}

#[test]
fn the_plugin_of_ray_takes_references_and_refuses_the_rest() {
    runs("plugin.py", &local(), &[], |_| ());
}

#[test]
fn a_worker_of_ray_has_a_value_that_ray_does_not_know() {
    let local = local();
    let writer = Writer::new(&local);
    let heard = |line: &str| {
        if line == "new version" {
            writer.set("db-password", VALUES[1]);
        }
    };
    local.reset_counters();
    runs("one_node.py", &local, &VALUES[..2], heard);
}

#[test]
fn a_worker_of_dask_has_a_value_that_the_scheduler_does_not_know() {
    runs("dask_workers.py", &local(), &VALUES[..1], |_| ());
}

#[test]
fn a_cluster_of_ray_asks_once_a_node_for_each_secret() {
    if is_full() {
        // Not `println`, which the test harness captures.
        runs("cluster.py", &local(), &VALUES, |line| drop(writeln!(std::io::stderr(), "{line}")));
    }
}
