//! Building the package for Java, and the package as its users get it, under `target`.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use vaultlet_tests::sandbox::skipped;
use vaultlet_tests::{library, root, succeeds, target, vaultlet};

const COPY: &str = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies";

/// Where Linux distributions and hosted runners install their JDKs.
const JVMS: &str = "/usr/lib/jvm";

/// The first Java with virtual threads.
const VIRTUAL_THREADS: u32 = 21;

/// The `java` of the path, with its compiler and Maven; `None` if a tool is missing and may be.
pub(crate) fn java() -> Option<PathBuf> {
    for tool in [["java", "-version"], ["javac", "-version"], ["mvn", "-version"]] {
        there("java", tool)?;
    }
    Some("java".into())
}

/// The newest installed Java with virtual threads; `None` if it is missing and may be.
pub(crate) fn newest_java() -> Option<PathBuf> {
    java()?;
    let homes = fs::read_dir(JVMS).into_iter().flatten().flatten().map(|entry| entry.path());
    let newest = homes
        .filter_map(|home| Some((feature(&home)?, home.join("bin/java"))))
        .filter(|(feature, java)| *feature >= VIRTUAL_THREADS && java.exists())
        .max_by_key(|(feature, _)| *feature);
    if newest.is_none() {
        skipped("java", &format!("there is no Java {VIRTUAL_THREADS} or later in {JVMS}"));
    }
    newest.map(|(_, java)| java)
}

/// The feature release of the Java in a folder: 25 of `JAVA_VERSION="25.0.3"`.
fn feature(home: &Path) -> Option<u32> {
    let release = fs::read_to_string(home.join("release")).ok()?;
    let (_, version) = release.split_once("JAVA_VERSION=\"")?;
    version.split(['.', '"']).next()?.parse().ok()
}

/// Checks for a tool; a missing one is reported, or fails the test if it must not be missing.
pub(crate) fn there(peer: &str, tool: [&str; 2]) -> Option<()> {
    let [name, argument] = tool;
    if Command::new(name).arg(argument).output().is_ok_and(|output| output.status.success()) {
        return Some(());
    }
    skipped(peer, &format!("`{name}` is not there"));
    None
}

/// Runs Maven on the package, with a build folder under `target`.
pub(crate) fn build(outputs: &str, arguments: &[&OsStr]) -> Output {
    let pom = root().join("host/java/pom.xml");
    let mut maven = maven(&pom);
    maven
        .arg(set("outputs", &target().join(outputs)))
        .arg(set("vaultlet.program", vaultlet()))
        .args(arguments);
    // Once everything is in the local repository, the registry is not asked again.
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

/// The package as its users get it, in a folder of its own with its dependencies.
pub(crate) fn packaged() -> &'static PathBuf {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(package)
}

fn package() -> PathBuf {
    let folder = target().join("peers/java-job");
    if folder.exists() {
        fs::remove_dir_all(&folder).unwrap();
    }
    fs::create_dir_all(&folder).unwrap();
    let natives = target().join("peers/java-native");
    // The platform as JNA names it.
    let platform = format!("{}-{}", std::env::consts::OS, std::env::consts::ARCH.replace('_', "-"));
    let stripped = natives.join(platform).join("libvaultlet.so");
    fs::create_dir_all(stripped.parent().unwrap()).unwrap();
    succeeds(Command::new("strip").arg("-o").arg(&stripped).arg(library()));

    let _lock = lock("java");
    let arguments = [set("natives", &natives), "-DskipITs".into(), "install".into()];
    let arguments = arguments.each_ref().map(OsString::as_os_str);
    let output = build("java/packaged", &arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    succeeds(
        maven(&root().join("tests/tests/java/job/pom.xml"))
            .arg(concat!("-Dvaultlet=", env!("CARGO_PKG_VERSION")))
            .arg(set("outputDirectory", &folder))
            .args(["-DincludeScope=runtime", COPY]),
    );
    folder
}

fn maven(pom: &Path) -> Command {
    let mut maven = Command::new("mvn");
    maven
        .args(["--batch-mode", "--no-transfer-progress", "--file"])
        .arg(pom)
        .arg(set("maven.repo.local", &target().join("peers/java-repository")));
    maven
}

/// A property of Maven, as an argument.
pub(crate) fn set(name: &str, value: &Path) -> OsString {
    let mut argument = OsString::from(format!("-D{name}="));
    argument.push(value);
    argument
}

/// Locks a name until the result is dropped, because tests of several processes share `target`.
pub(crate) fn lock(name: &str) -> File {
    let peers = target().join("peers");
    fs::create_dir_all(&peers).unwrap();
    let lock = File::create(peers.join(format!("{name}.lock"))).unwrap();
    lock.lock().unwrap();
    lock
}
