//! Builds the package as a wheel with its build backend, and installs it with the requirements of its
//! tests into a virtual environment under `target/peers`.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use vaultlet_tests::sandbox::skipped;
use vaultlet_tests::{builds, root, succeeds, target};

/// The build backend that `pyproject.toml` names.
const MATURIN: &str = "maturin==1.16.0";

/// The interpreter of an environment with the current package; `None` where there is no Python and none
/// is required.
pub(crate) fn python() -> Option<PathBuf> {
    static PYTHON: OnceLock<Option<PathBuf>> = OnceLock::new();
    PYTHON.get_or_init(installed).clone()
}

fn installed() -> Option<PathBuf> {
    let Some(version) = version() else {
        skipped("python", "`python3` is not there");
        return None;
    };
    let folder = target().join("peers/python-package");
    fs::create_dir_all(&folder).unwrap();
    // Tests run in parallel, in this process and in others.
    let lock = File::create(folder.join("lock")).unwrap();
    lock.lock().unwrap();
    let maturin = environment(&folder.join("maturin"), &format!("{version}{MATURIN}"), &[MATURIN]);
    let tests = root().join("host/python/tests/requirements.txt");
    let wanted = version + &fs::read_to_string(&tests).unwrap();
    let tests = ["--requirement", tests.to_str().unwrap()];
    let python = environment(&folder.join("tests"), &wanted, &tests);
    let wheel = wheel(&maturin, &folder.join("wheels"));
    let (stamp, bytes) = (folder.join("tests/installed"), fs::read(&wheel).unwrap());
    if fs::read(&stamp).is_ok_and(|installed| installed == bytes) {
        return Some(python);
    }
    let pip = ["-m", "pip", "install", "--quiet", "--no-deps", "--force-reinstall"];
    succeeds(Command::new(&python).args(pip).arg(&wheel));
    fs::write(stamp, bytes).unwrap();
    Some(python)
}

/// The interpreter of an environment that has these packages.
pub(crate) fn environment(folder: &Path, wanted: &str, packages: &[&str]) -> PathBuf {
    let (python, stamp) = (folder.join("bin/python"), folder.join("stamp"));
    if fs::read_to_string(&stamp).is_ok_and(|found| found == wanted) {
        return python;
    }
    if folder.exists() {
        fs::remove_dir_all(folder).unwrap();
    }
    succeeds(Command::new("python3").args(["-m", "venv"]).arg(folder));
    let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
    succeeds(Command::new(&python).args(pip).args(packages));
    fs::write(stamp, wanted).unwrap();
    python
}

/// Builds the wheel as users do. `host/package` builds the same extension in the same folder, so that it is compiled
/// once; without optimisation the extension and its share of the dependencies would be compiled for these tests alone.
fn wheel(python: &Path, folder: &Path) -> PathBuf {
    if folder.exists() {
        fs::remove_dir_all(folder).unwrap();
    }
    let manifest = root().join("host/python/Cargo.toml");
    let mut maturin = Command::new(python);
    maturin.args(["-m", "maturin", "build", "--quiet", "--release", "--locked"]);
    maturin.arg("--manifest-path").arg(manifest).arg("--target-dir").arg(target());
    maturin.arg("--out").arg(folder).current_dir(root());
    succeeds(builds(&mut maturin));
    let mut wheels = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    wheels.find(|path| path.extension().is_some_and(|ending| ending == "whl")).unwrap()
}

fn version() -> Option<String> {
    let output = Command::new("python3").arg("--version").output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}
