//! The jar, with JNA beside it, on the oldest supported Java.

use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;
use vaultlet_tests::{root, succeeds, target};

use super::{VERSION, check_example, part, prints_it};

#[test]
fn the_jar_works_in_an_empty_folder() {
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
    let class_path = std::env::join_paths([folder.path(), &jar, &jna()]).unwrap();
    check_example(&["java".as_ref(), "-cp".as_ref(), &class_path, "Job".as_ref()], &[], prints_it);
}

/// Without JNA an error says what is missing. The folder is a repository of Maven's layout, with checksums.
#[test]
fn the_folder_is_a_maven_repository_and_a_missing_jna_is_named() {
    let Some(packages) = part("java") else { return };
    let jar = packages.join(format!("vaultlet-{VERSION}.jar"));
    let folder = packages.join("dev/vaultlet/vaultlet");
    let at = folder.join(VERSION);
    assert!(
        std::fs::read(&jar).unwrap() == std::fs::read(at.join(jar.file_name().unwrap())).unwrap()
    );
    let pom = std::fs::read_to_string(at.join(format!("vaultlet-{VERSION}.pom"))).unwrap();
    assert!(pom.contains("<artifactId>jna</artifactId>"), "{pom}");
    let metadata = std::fs::read_to_string(folder.join("maven-metadata.xml")).unwrap();
    assert!(metadata.contains(&format!("<version>{VERSION}</version>")), "{metadata}");
    for file in
        [at.join(format!("vaultlet-{VERSION}.jar")), at.join(format!("vaultlet-{VERSION}.pom"))]
    {
        let sum = std::fs::read_to_string(format!("{}.sha1", file.display())).unwrap();
        let expected = succeeds(Command::new("sha1sum").arg(&file)).stdout;
        assert_eq!(expected.split(' ').next(), Some(sum.trim()));
    }
    let job = root().join("host/java/examples/Job.java");
    let ended = vaultlet_tests::Run::program("java")
        .arguments(["-cp".as_ref(), jar.as_os_str(), job.as_os_str()])
        .end();
    assert_eq!(ended.code, 1, "{}", ended.stderr);
    assert!(ended.stderr.contains("vaultlet needs JNA on Java "), "{}", ended.stderr);
    assert!(
        ended.stderr.contains(": add net.java.dev.jna:jna to the class path"),
        "{}",
        ended.stderr
    );
}

/// JNA in the version that the package was compiled with.
fn jna() -> PathBuf {
    let pom = std::fs::read_to_string(root().join("host/java/pom.xml")).unwrap();
    let (_, after) = pom.split_once("<artifactId>jna</artifactId>").unwrap();
    let (_, after) = after.split_once("<version>").unwrap();
    let (version, _) = after.split_once('<').unwrap();
    target().join(format!("peers/java-repository/net/java/dev/jna/jna/{version}/jna-{version}.jar"))
}
