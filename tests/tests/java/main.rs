//! The packages for Java and what C# needs, in the local Azure: Java's own tests, by JNA and by
//! `java.lang.foreign`; then the package as its users get it, in a program of ten lines.
//!
//! Where a tool is missing the tests say so and are skipped, unless `VAULTLET_REQUIRE_PEERS=1`.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests, which may fail so"
)]

mod install;

use std::ffi::OsStr;
use std::path::Path;

use install::{java, lock, there};
use vaultlet_tests::job::{VALUE, in_dev};
use vaultlet_tests::{Ended, library, root, succeeds, target};

#[test]
fn its_own_tests_pass_on_both_ways_and_show_no_secret() {
    let Some(java) = java() else { return };
    let _lock = lock("java");
    let reports = target().join("java/tested/failsafe-reports");
    let ended = Ended::from(java.maven("java/tested", &["verify".as_ref()]));
    ended.reveals_none_of(&[VALUE], true);
    assert_eq!(ended.code, 0, "{}{}", ended.stdout, ended.stderr);
    for way in ["jna", "ffm"] {
        let mut tests = 0;
        for report in std::fs::read_dir(reports.join(way)).unwrap() {
            let report = std::fs::read_to_string(report.unwrap().path()).unwrap();
            assert!(!report.contains(VALUE) && !report.contains("eyJ"), "a secret is in a report");
            tests += report.matches("<testcase ").count();
        }
        assert!(tests > 30, "{way}: {tests} tests");
    }
}

#[test]
fn the_version_is_that_of_the_workspace() {
    let pom = std::fs::read_to_string(root().join("host/java/pom.xml")).unwrap();
    let readme = std::fs::read_to_string(root().join("host/java/README.md")).unwrap();
    let version = concat!("<version>", env!("CARGO_PKG_VERSION"), "</version>");
    // Those after it are of what it needs.
    let project = pom.split("<properties>").next().unwrap();
    assert!(project.contains(version), "pom.xml");
    assert!(readme.contains(version), "README.md");
}

#[test]
fn the_package_is_all_that_a_job_needs() {
    let Some(java) = java() else { return };
    let folder = java.packaged();
    let job = root().join("host/java/examples/Job.java");
    succeeds(
        std::process::Command::new("javac")
            .arg("-cp")
            .arg(folder.join("*"))
            .arg("-d")
            .arg(folder)
            .arg(&job),
    );
    let everything = format!("{0}:{0}/*", folder.display());
    let ours = format!("{0}:{0}/vaultlet-{1}.jar", folder.display(), env!("CARGO_PKG_VERSION"));
    let (early, later) = (Path::new("java"), java.later());
    let later = later.as_os_str();
    let native = "--enable-native-access=ALL-UNNAMED";
    let passing = folder.join("passing");
    std::fs::create_dir(&passing).unwrap();
    let passed = format!("-Djava.io.tmpdir={}", passing.display());

    let programs: [&[&OsStr]; 3] = [
        // From its source, as it stands.
        &[early.as_ref(), passed.as_ref(), "-cp".as_ref(), everything.as_ref(), job.as_ref()],
        &[early.as_ref(), passed.as_ref(), "-cp".as_ref(), everything.as_ref(), "Job".as_ref()],
        // Without JNA.
        &[later, native.as_ref(), passed.as_ref(), "-cp".as_ref(), ours.as_ref(), "Job".as_ref()],
    ];
    for program in programs {
        let ended = in_dev(&[], program, &[]);
        assert_eq!((ended.stdout.as_str(), ended.code), (VALUE, 0), "{}", ended.stderr);
        ended.reveals_none_of(&[VALUE], false);
        let lines = ended.stderr.lines().filter(|line| !line.contains("JAVA_TOOL_OPTIONS"));
        assert_eq!(lines.count(), 0, "{}", ended.stderr);

        let denied = in_dev(&["--grant", "managed:none"], program, &[]);
        denied.reveals_none_of(&[VALUE], true);
        assert!(denied.stderr.contains("dev.vaultlet.DeniedException: reading secret"));
        assert!(denied.stderr.contains("(vault-forbidden)"), "{}", denied.stderr);
        assert_eq!(denied.code, 1);
    }
    // The library went through a file that is gone.
    assert_eq!(std::fs::read_dir(&passing).unwrap().count(), 0, "files were left");
}

#[test]
fn what_java_lacks_is_said() {
    let Some(java) = java() else { return };
    let folder = java.packaged();
    let job = root().join("host/java/examples/Job.java");
    let ours = folder.join(concat!("vaultlet-", env!("CARGO_PKG_VERSION"), ".jar"));
    let program = ["java".as_ref(), "-cp".as_ref(), ours.as_os_str(), job.as_ref()];
    let ended = in_dev(&[], &program, &[]);
    assert!(ended.stderr.contains("vaultlet needs JNA on Java"), "{}", ended.stderr);
    assert!(ended.stderr.contains("add net.java.dev.jna:jna"), "{}", ended.stderr);
    let everything = folder.join("*");
    let program = ["java".as_ref(), "-cp".as_ref(), everything.as_os_str(), job.as_ref()];
    let ended = in_dev(&[], &program, &[("VAULTLET_LIBRARY", OsStr::new("/missing.so"))]);
    assert!(ended.stderr.contains("/missing.so"), "{}", ended.stderr);
    ended.reveals_none_of(&[VALUE], true);
}

#[test]
fn csharp_by_p_invoke() {
    for tool in [["mcs", "--version"], ["mono", "--version"]] {
        if there("csharp", tool).is_none() {
            return;
        }
    }
    let folder = target().join("peers/csharp");
    std::fs::create_dir_all(&folder).unwrap();
    let mut out = std::ffi::OsString::from("-out:");
    out.push(folder.join("Job.exe"));
    succeeds(
        std::process::Command::new("mcs")
            .args(["-warnaserror".as_ref(), out.as_os_str()])
            .arg(root().join("host/dotnet/Job.cs")),
    );

    let job = folder.join("Job.exe");
    let program = ["mono".as_ref(), job.as_os_str(), OsStr::new("akv://my-key-vault/db-password")];
    let path = library().parent().unwrap().as_os_str();
    let ended = in_dev(&[], &program, &[("LD_LIBRARY_PATH", path)]);
    assert_eq!((ended.stdout.as_str(), ended.code), (VALUE, 0), "{}", ended.stderr);
    assert!(ended.stderr.starts_with("got akv://my-key-vault.vault.azure.net/db-password/"));
    ended.reveals_none_of(&[VALUE], false);
    let denied = in_dev(&["--grant", "managed:none"], &program, &[("LD_LIBRARY_PATH", path)]);
    assert!(denied.stderr.starts_with("denied: reading secret"), "{}", denied.stderr);
    assert_eq!(denied.code, 77);
    denied.reveals_none_of(&[VALUE], true);
}
