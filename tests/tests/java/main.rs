//! The package for Java and what C# needs, in the local Azure: Java's own tests, on the oldest
//! supported Java and on a newer one; then the package as its users get it, in a short program.
//!
//! If a tool is missing the tests say so and are skipped, unless `VAULTLET_REQUIRE_PEERS=1`.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests, which may fail so"
)]

mod install;

use std::ffi::OsStr;
use std::path::Path;

use install::{build, java, lock, newest_java, packaged, set, there};
use vaultlet_tests::agent::{has_options, runs_by_agent};
use vaultlet_tests::job::{VALUE, in_dev};
use vaultlet_tests::{Ended, Run, library, root, succeeds, target};

/// Allows native code, about which Java 24 and later warn otherwise.
const NATIVE_ACCESS: &str = "--enable-native-access=ALL-UNNAMED";

#[test]
fn its_own_tests_pass_and_show_no_secret() {
    if java().is_some() {
        own_tests("java/tested", &[], 1);
    }
}

#[test]
fn its_own_tests_pass_on_a_java_with_virtual_threads() {
    let Some(java) = newest_java() else { return };
    own_tests("java/tested-newest", &[&set("jvm", &java)], 0);
}

/// Runs the package's own tests, some of which may be skipped for lack of virtual threads.
fn own_tests(outputs: &str, options: &[&OsStr], may_be_skipped: usize) {
    let _lock = lock("java");
    let reports = target().join(outputs).join("failsafe-reports");
    if reports.exists() {
        std::fs::remove_dir_all(&reports).unwrap();
    }
    let ended = Ended::from(build(outputs, &[options, &["verify".as_ref()]].concat()));
    ended.reveals_none_of(&[VALUE], true);
    assert_eq!(ended.code, 0, "{}{}", ended.stdout, ended.stderr);
    let (mut tests, mut skipped) = (0, 0);
    for report in std::fs::read_dir(reports).unwrap() {
        let report = std::fs::read_to_string(report.unwrap().path()).unwrap();
        assert!(!report.contains(VALUE) && !report.contains("eyJ"), "a secret is in a report");
        tests += report.matches("<testcase ").count();
        // Not the summary's number of them.
        skipped += report.matches("<skipped message=").count();
    }
    assert!(tests > 30, "{tests} tests");
    assert!(skipped <= may_be_skipped, "{skipped} skipped tests");
}

#[test]
fn the_version_is_that_of_the_workspace() {
    let pom = std::fs::read_to_string(root().join("host/java/pom.xml")).unwrap();
    let readme = std::fs::read_to_string(root().join("host/java/README.md")).unwrap();
    let version = concat!("<version>", env!("CARGO_PKG_VERSION"), "</version>");
    // Later versions in the file are those of dependencies.
    let project = pom.split("<properties>").next().unwrap();
    assert!(project.contains(version), "pom.xml");
    assert!(readme.contains(version), "README.md");
}

#[test]
fn the_package_is_all_that_a_job_needs() {
    let Some(java) = java() else { return };
    let folder = packaged();
    let job = root().join("host/java/examples/Job.java");
    succeeds(
        std::process::Command::new("javac")
            .arg("-cp")
            .arg(folder.join("*"))
            .arg("-d")
            .arg(folder)
            .arg(&job),
    );
    // The source as it stands, then the class.
    runs_the_job(&java, &job);
    runs_the_job(&java, Path::new("Job"));
}

#[test]
fn the_package_is_all_that_a_job_needs_on_a_newer_java() {
    let Some(java) = newest_java() else { return };
    packaged();
    runs_the_job(&java, &root().join("host/java/examples/Job.java"));
}

/// Gives the handle an option for each variable that is set.
const OPTIONS: &str = r#"
import dev.vaultlet.*;
import java.nio.file.Path;

public class Options {
    public static void main(String[] arguments) {
        VaultletBuilder builder = Vaultlet.builder();
        var env = System.getenv();
        if (env.containsKey("OPTION_AGENT")) builder.agent(env.get("OPTION_AGENT"));
        if (env.containsKey("OPTION_AGENT_TOKEN_FILE")) builder.agentTokenFile(Path.of(env.get("OPTION_AGENT_TOKEN_FILE")));
        if (env.containsKey("OPTION_AGENT_FALLBACK")) builder.agentFallback(env.get("OPTION_AGENT_FALLBACK"));
        if (env.containsKey("OPTION_POLICY")) builder.policy(Path.of(env.get("OPTION_POLICY")));
        try (Vaultlet vaultlet = builder.open(); Secret secret = vaultlet.get("akv://my-key-vault/db-password")) {
            System.out.println(secret.reveal());
        } catch (VaultletException failed) {
            System.out.println(failed.id());
        }
    }
}
"#;

#[test]
fn agent_and_policy_are_options() {
    let Some(java) = newest_java() else { return };
    let class_path = format!("{0}:{0}/*", packaged().display());
    let folder = tempfile::TempDir::new().unwrap();
    let source = folder.path().join("Options.java");
    std::fs::write(&source, OPTIONS).unwrap();
    let program = || {
        let run = Run::program(&java).arguments([NATIVE_ACCESS, "-cp", &class_path]);
        run.arguments([&source])
    };
    has_options(program, VALUE);
}

/// Runs the example, which prints the secret, reports a refusal and leaves no file behind.
fn runs_the_job(java: &Path, job: &Path) {
    let class_path = format!("{0}:{0}/*", packaged().display());
    let passing = tempfile::TempDir::new().unwrap();
    let passed = format!("-Djava.io.tmpdir={}", passing.path().display());
    let options = [passed.as_str(), NATIVE_ACCESS, "-cp", &class_path].map(OsStr::new);
    let program = [&[java.as_os_str()], &options[..], &[job.as_os_str()]].concat();

    let ended = in_dev(&[], &program, &[]);
    assert_eq!((ended.stdout.as_str(), ended.code), (VALUE, 0), "{}", ended.stderr);
    ended.reveals_none_of(&[VALUE], false);
    let lines = ended.stderr.lines().filter(|line| !line.contains("JAVA_TOOL_OPTIONS"));
    assert_eq!(lines.count(), 0, "{}", ended.stderr);

    let by_agent = runs_by_agent(Run::program(java).arguments(&program[1..]), VALUE);
    assert_eq!(by_agent.stdout, VALUE, "{}", by_agent.stderr);
    let denied = in_dev(&["--grant", "managed:none"], &program, &[]);
    denied.reveals_none_of(&[VALUE], true);
    assert!(denied.stderr.contains("dev.vaultlet.VaultletException$Denied: reading secret"));
    assert!(denied.stderr.contains("(vault-forbidden)"), "{}", denied.stderr);
    assert_eq!(denied.code, 1);
    // The library was unpacked to a file that is deleted.
    assert_eq!(std::fs::read_dir(passing.path()).unwrap().count(), 0, "files were left");
}

#[test]
fn a_missing_jna_or_library_is_named() {
    if java().is_none() {
        return;
    }
    let folder = packaged();
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
    let by_agent =
        Run::program("mono").arguments(&program[1..]).environment([("LD_LIBRARY_PATH", path)]);
    assert_eq!(runs_by_agent(by_agent, VALUE).stdout, VALUE);
    let denied = in_dev(&["--grant", "managed:none"], &program, &[("LD_LIBRARY_PATH", path)]);
    assert!(denied.stderr.starts_with("denied: reading secret"), "{}", denied.stderr);
    assert_eq!(denied.code, 77);
    denied.reveals_none_of(&[VALUE], true);
}
