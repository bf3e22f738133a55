//! Programs in C and C++, compiled with strict warnings, in the local Azure.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use vaultlet_dev::{Local, Who};
use vaultlet_tests::agent::runs_by_agent;
use vaultlet_tests::{Ended, Run, library, root, target};

const VALUE: &str = "correct horse battery staple";

/// A job in a local Azure, with one secret that it may not read.
struct Job {
    local: Local,
}

impl Job {
    fn new(who: Who) -> Self {
        let local = Local::builder()
            .vault("my-key-vault")
            .seed("db", VALUE)
            .seed("db-password", VALUE)
            .seed("denied", VALUE)
            .seed("other", VALUE)
            .grant("managed:none:denied".parse().unwrap())
            .run_as(who)
            .start()
            .unwrap();
        Self { local }
    }

    fn run(&self, program: &Path, arguments: &[&str]) -> Ended {
        self.run_in_it(Run::program(program), arguments)
    }

    /// Runs a program with the variables of the job, and checks that it does not show a secret.
    fn run_in_it(&self, run: Run, arguments: &[&str]) -> Ended {
        let ended = run
            .arguments(arguments)
            .environment(self.local.environment().iter().cloned())
            .environment([("EXPECTED", VALUE)])
            .environment([("LD_LIBRARY_PATH", target().join("ffi"))])
            .end();
        let msi_secret = self.local.environment().iter().find(|(name, _)| name == "MSI_SECRET");
        ended.reveals_none_of(&[VALUE, &msi_secret.unwrap().1], false);
        ended
    }
}

#[test]
fn every_function_does_what_the_header_says() {
    let ended = Job::new(Who::Managed).run(&compiled("abi", "tests/ffi/abi.c", &[]), &[]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    ended.reveals_none_of(&[VALUE], true);
    let expected = include_str!("../../ffi/abi.txt");
    assert_eq!(ended.stdout, expected, "{}", ended.stderr);
}

#[test]
fn the_examples_in_c_and_c_plus_plus_print_the_secret() {
    for (name, source) in
        [("job-c", "host/ffi/examples/job.c"), ("job-cpp", "host/ffi/examples/job.cpp")]
    {
        let program = compiled(name, source, &[]);
        for who in [Who::Managed, Who::User] {
            let job = Job::new(who);
            let ended = job.run(&program, &[]);
            assert_eq!((ended.stdout.trim_end(), ended.code), (VALUE, 0), "{}", ended.stderr);
            let obo = job.local.counters().identity.get("azure-ml-obo").copied();
            assert_eq!(obo.is_some(), who == Who::User, "{:?}", job.local.counters());
        }
        let job = Run::program(&program).environment([("LD_LIBRARY_PATH", target().join("ffi"))]);
        assert_eq!(runs_by_agent(job, VALUE).stdout.trim_end(), VALUE);
        // Without a role, the error is that of the command line.
        let job = Job::new(Who::Managed);
        job.local.grant("managed:none".parse().unwrap());
        let ended = job.run(&program, &[]);
        let get = Run::vaultlet(["get", "akv://my-key-vault/db-password"]);
        let command_line = job.run_in_it(get, &[]);
        assert_eq!((ended.code, ended.stdout.as_str()), (1, ""));
        let without_ids = |line: &str| line.trim_end().trim_start_matches("vaultlet: ").to_owned();
        assert_eq!(without_ids(&ended.stderr), without_ids(&command_line.stderr));
        assert!(ended.stderr.contains("(vault-forbidden)"), "{}", ended.stderr);
    }
}

#[test]
fn the_c_plus_plus_header_frees_what_it_owns() {
    let program = compiled("owned", "tests/ffi/owned.cpp", &["-fsanitize=address,undefined"]);
    let ended = Job::new(Who::Managed).run(&program, &[]);
    assert_eq!((ended.stdout.as_str(), ended.code), ("done\n", 0), "{}", ended.stderr);
    ended.reveals_none_of(&[VALUE], true);
}

#[test]
fn a_freed_value_is_scrubbed() {
    let program = compiled("scrubbed", "tests/ffi/scrubbed.c", &[]);
    let ended = Job::new(Who::Managed).run(&program, &[]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let expected = ["secret", "one of many", "token"].map(|it| format!("{it}: all, then none\n"));
    assert_eq!(ended.stdout, expected.concat());
}

#[test]
fn many_threads_leak_no_memory() {
    // The leak checker also counts what the library allocates.
    let program = compiled("crowd", "tests/ffi/crowd.c", &["-fsanitize=address,undefined"]);
    let (calls, cycles) = if full() { ("1000", "10000") } else { ("100", "200") };
    let job = Job::new(Who::Managed);
    let ended = job.run(&program, &["16", calls, cycles]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let answered = 16 * calls.parse::<u64>().unwrap();
    assert!(ended.stdout.starts_with(&format!("{answered} 0\n")), "{ended:?}");
    ended.reveals_none_of(&[VALUE], true);

    // Without the sanitizer, memory use must not grow.
    let program = compiled("crowd-plain", "tests/ffi/crowd.c", &[]);
    let ended = job.run(&program, &["16", calls, cycles]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    for line in ended.stdout.lines().skip(1) {
        let held: Vec<u64> = line.split(' ').map(|number| number.parse().unwrap()).collect();
        // The heaps of the threads grow and shrink by some MiB.
        assert!(held[1] < held[0] + 8 * 1024, "memory use grows: {ended:?}");
    }
}

#[test]
fn a_handle_works_in_a_forked_child() {
    let program = compiled("forked", "tests/ffi/forked.c", &[]);
    let times = if full() { "300" } else { "30" };
    let ended = Job::new(Who::Managed).run(&program, &[times]);
    assert_eq!((ended.stdout.as_str(), ended.code), ("0\n", 0), "{}", ended.stderr);
}

/// Whether to run the long versions of the tests, which take minutes.
fn full() -> bool {
    std::env::var("VAULTLET_TEST_FULL").is_ok_and(|v| v == "1")
}

/// Compiles a program and links it as against an installed library.
pub(crate) fn compiled(name: &str, source: &str, flags: &[&str]) -> PathBuf {
    let folder = target().join("ffi");
    std::fs::create_dir_all(&folder).unwrap();
    // Programs load the library by its soname.
    let soname = folder.join("libvaultlet.so.1");
    if std::fs::read_link(&soname).ok().as_ref() != Some(library()) {
        let fresh = folder.join(format!("libvaultlet.{}", std::process::id()));
        let _ = std::fs::remove_file(&fresh);
        std::os::unix::fs::symlink(library(), &fresh).unwrap();
        std::fs::rename(&fresh, &soname).unwrap();
    }
    let program = folder.join(name);
    let (compiler, standard) =
        if source.ends_with(".c") { ("cc", "-std=c11") } else { ("c++", "-std=c++17") };
    let output = Command::new(compiler)
        .args([standard, "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-O1", "-g"])
        .args(flags)
        .arg("-I")
        .arg(root().join("host/ffi"))
        .arg(root().join(source))
        .arg("-o")
        .arg(&program)
        .arg(&soname)
        .arg("-pthread")
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{compiler} {}: {stderr}", OsStr::new(source).display());
    program
}
