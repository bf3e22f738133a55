//! Installs the SDKs, each into a folder of its own under `target/peers`.

use std::ffi::OsString;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use vaultlet_tests::sandbox::skipped;
use vaultlet_tests::{root, succeeds, target};

/// Installs the SDK for Python; returns the interpreter.
pub(crate) fn python() -> Option<PathBuf> {
    let folder = installed("python", &["python3"], &["requirements.txt"], |folder, source| {
        let python = folder.join("bin/python");
        succeeds(Command::new("python3").args(["-m", "venv"]).arg(folder));
        succeeds(
            Command::new(&python)
                .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"])
                .arg("--requirement")
                .arg(source.join("requirements.txt")),
        );
    })?;
    Some(folder.join("bin/python"))
}

/// Installs the SDK for Node; returns the folder of its programs.
pub(crate) fn node() -> Option<PathBuf> {
    const FILES: [&str; 4] = ["package.json", "package-lock.json", "job.js", "credential.js"];
    installed("node", &["node", "npm"], &FILES, |folder, source| {
        for file in FILES {
            fs::copy(source.join(file), folder.join(file)).unwrap();
        }
        succeeds(
            Command::new("npm")
                .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"])
                .current_dir(folder),
        );
    })
}

/// Builds the programs with the SDK for Go; returns their folder.
pub(crate) fn go() -> Option<PathBuf> {
    const FILES: [&str; 5] = ["go.mod", "go.sum", "main.go", "credential/main.go", "crowd/main.go"];
    installed("go", &["go"], &FILES, |folder, source| {
        succeeds(
            Command::new("go")
                .args(["build", "-modcacherw", "-trimpath", "-buildvcs=false", "-o"])
                .arg(folder)
                .arg("./...")
                .current_dir(source)
                .env("GOTOOLCHAIN", "local")
                .env("GOMODCACHE", target().join("peers/go-modules"))
                .env("GOCACHE", target().join("peers/go-cache")),
        );
    })
}

/// Installs the SDK for Java; returns the class path of its programs.
pub(crate) fn java() -> Option<OsString> {
    const FILES: [&str; 3] = ["pom.xml", "Job.java", "Credential.java"];
    const PLUGIN: &str = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1";
    let folder = installed("java", &["java", "javac", "mvn"], &FILES, |folder, source| {
        let argument = |name: &str, value: &Path| {
            let mut argument = OsString::from(format!("-D{name}="));
            argument.push(value);
            argument
        };
        succeeds(
            Command::new("mvn")
                .args(["--quiet", "--batch-mode", "--file"])
                .arg(source.join("pom.xml"))
                .arg(argument("maven.repo.local", &target().join("peers/java-repository")))
                .arg(argument("outputDirectory", folder))
                .arg(format!("{PLUGIN}:copy-dependencies")),
        );
        succeeds(
            Command::new("javac")
                .arg("-classpath")
                .arg(folder.join("*"))
                .arg("-d")
                .arg(folder)
                .args(FILES.iter().skip(1).map(|file| source.join(file))),
        );
    })?;
    let mut path = folder.clone().into_os_string();
    path.push(":");
    path.push(folder.join("*"));
    Some(path)
}

/// The folder of a peer, which is installed again whenever these files change; `None` if its interpreter
/// is missing and the test is skipped.
fn installed(
    peer: &str,
    tools: &[&str],
    files: &[&str],
    install: impl Fn(&Path, &Path),
) -> Option<PathBuf> {
    let mut versions = String::new();
    for tool in tools {
        let Some(version) = version(tool) else {
            skipped(peer, &format!("`{tool}` is not installed"));
            return None;
        };
        versions += &version;
    }
    let (source, peers) = (root().join("tests/peers").join(peer), target().join("peers"));
    let (folder, stamp) = (peers.join(peer), peers.join(peer).join("stamp"));
    let wanted = files.iter().fold(versions, |all, file| {
        all + &fs::read_to_string(source.join(file)).unwrap_or_else(|e| panic!("{file}: {e}"))
    });
    fs::create_dir_all(&peers).unwrap();
    // Two tests may install the same peer at once, in this process or another.
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

fn version(tool: &str) -> Option<String> {
    let argument = if tool == "go" { "version" } else { "--version" };
    let output = Command::new(tool).arg(argument).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}
