//! Installs the runtimes of other languages, each into a folder of its own under `target/peers`.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use vaultlet_tests::sandbox::skipped;
use vaultlet_tests::{root, succeeds, target};

/// Installs wasmtime-py; returns the Python interpreter.
pub(crate) fn python() -> Option<PathBuf> {
    let folder = installed("component-python", &["python3"], &["requirements.txt"], |folder| {
        succeeds(Command::new("python3").args(["-m", "venv"]).arg(folder));
        succeeds(
            Command::new(folder.join("bin/python"))
                .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"])
                .arg("--requirement")
                .arg(source().join("requirements.txt")),
        );
    })?;
    Some(folder.join("bin/python"))
}

/// Installs jco; returns the folder of the Node programs.
pub(crate) fn node() -> Option<PathBuf> {
    const FILES: [&str; 4] = ["package.json", "package-lock.json", "transpile.js", "job.js"];
    installed("component-node", &["node", "npm"], &FILES, |folder| {
        for file in FILES {
            fs::copy(source().join(file), folder.join(file)).unwrap();
        }
        succeeds(
            Command::new("npm")
                .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"])
                .current_dir(folder),
        );
    })
}

fn source() -> PathBuf {
    root().join("tests/peers/component")
}

/// A folder that is installed again whenever these files or the versions of these tools change.
fn installed(
    name: &str,
    tools: &[&str],
    files: &[&str],
    install: impl Fn(&Path),
) -> Option<PathBuf> {
    let mut wanted = String::new();
    for tool in tools {
        let output = Command::new(tool).arg("--version").output().ok();
        let Some(output) = output.filter(|output| output.status.success()) else {
            skipped(name, &format!("`{tool}` is not installed"));
            return None;
        };
        wanted += &String::from_utf8_lossy(&output.stdout);
    }
    for file in files {
        wanted += &fs::read_to_string(source().join(file)).unwrap();
    }
    let peers = target().join("peers");
    let (folder, stamp) = (peers.join(name), peers.join(name).join("stamp"));
    fs::create_dir_all(&peers).unwrap();
    // Two tests may install the same folder at once, in this process or another.
    let lock = File::create(peers.join(format!("{name}.lock"))).unwrap();
    lock.lock().unwrap();
    if fs::read_to_string(&stamp).is_ok_and(|found| found == wanted) {
        return Some(folder);
    }
    if folder.exists() {
        fs::remove_dir_all(&folder).unwrap();
    }
    fs::create_dir_all(&folder).unwrap();
    install(&folder);
    fs::write(stamp, wanted).unwrap();
    Some(folder)
}
