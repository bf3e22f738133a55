//! The program where the system lets no memory become executable (`PR_SET_MDWE`, which is what systemd's
//! `MemoryDenyWriteExecute=` asks for), and what of the program is executable.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};
use std::process::Command;

use vaultlet_dev::Local;
use vaultlet_tests::sandbox::skipped;
use vaultlet_tests::vaultlet;

/// The launcher's exit code where the kernel has no such flag.
const MISSING: i32 = 99;

/// A program that sets the flag and becomes another one.
fn launcher(folder: &Path) -> PathBuf {
    let (source, program) = (folder.join("mdwe.c"), folder.join("mdwe"));
    let text = "#include <sys/prctl.h>\n#include <unistd.h>\n\
        int main(int c, char **v) { (void)c; if (prctl(65, 1, 0, 0, 0)) return 99; \
        execv(v[1], v + 1); return 98; }\n";
    std::fs::write(&source, text).unwrap();
    let made = Command::new("cc").arg(&source).arg("-o").arg(&program).status().unwrap();
    assert!(made.success());
    program
}

#[test]
fn the_program_runs_where_no_memory_becomes_executable() {
    let folder = tempfile::tempdir().unwrap();
    let launcher = launcher(folder.path());
    let local = Local::builder().vault("job").seed("db", "hunter2-value").start().unwrap();
    for (arguments, said) in [
        (&["get", "akv://job/db"][..], "hunter2-value"),
        (&["get", "akv://job/db", "akv://job/db?json=", "-o", "json"], ""),
        (&["list", "job", "-o", "value"], "db"),
        (&["whoami"], "managed-identity"),
        (&["token", "--reveal"], "eyJ"),
        (&["identity", "serve", "--", "true"], ""),
        (&["explain", "code-memory"], "executable"),
    ] {
        let mut command = Command::new(&launcher);
        command.arg(vaultlet()).args(arguments).env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap());
        let ended = command.envs(local.environment().iter().cloned()).output().unwrap();
        if ended.status.code() == Some(MISSING) {
            return skipped("executable", "this kernel has no PR_SET_MDWE");
        }
        let stderr = String::from_utf8_lossy(&ended.stderr);
        assert!(!stderr.contains("ermission denied"), "{arguments:?}: {stderr}");
        if !arguments.contains(&"akv://job/db?json=") {
            assert_eq!(ended.status.code(), Some(0), "{arguments:?}: {stderr}");
        }
        assert!(String::from_utf8_lossy(&ended.stdout).contains(said), "{arguments:?}");
    }
}

/// A second handle and a plugin have code that was not there when the program was linked. This program
/// runs the test below again, with the flag.
#[test]
fn further_handles_and_plugins_run_where_no_memory_becomes_executable() {
    let folder = tempfile::tempdir().unwrap();
    let launcher = launcher(folder.path());
    let mut command = Command::new(launcher);
    command.arg(std::env::current_exe().unwrap());
    command.args(["--exact", "two_handles_and_a_plugin", "--nocapture"]);
    let ended = command.output().unwrap();
    if ended.status.code() == Some(MISSING) {
        return skipped("executable", "this kernel has no PR_SET_MDWE");
    }
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
}

#[test]
fn two_handles_and_a_plugin() {
    let local = Local::builder().vault("job").seed("db", "hunter2-value").start().unwrap();
    let wasm = wat::parse_str(
        r#"(component
            (core module $m (func (export "f") (result i32) i32.const 42))
            (core instance $i (instantiate $m))
            (func (export "answer") (result u32) (canon lift (core func $i "f"))))"#,
    )
    .unwrap();
    for _ in 0..2 {
        let variables = local.environment().iter().cloned();
        let vaultlet = vaultlet_host::Vaultlet::builder().variables(variables).open().unwrap();
        assert_eq!(vaultlet.get_blocking("akv://job/db").unwrap().reveal(), "hunter2-value");
        let plugin = vaultlet.plugin(wasm.clone()).open().unwrap();
        assert_eq!(plugin.call_blocking("answer()").unwrap().as_str(), "42");
    }
    // Nothing is writable and executable, and the code from the program's file is not copied.
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    assert!(!maps.lines().any(|line| line.contains("rwx")), "{maps}");
}
