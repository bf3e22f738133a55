//! `vaultlet run`: its flags and their variables, and signals when the command has ended.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::io::BufRead as _;
use std::path::Path;
use std::time::{Duration, Instant};

use vaultlet_dev::Local;
use vaultlet_tests::{Ended, Run};

const VALUE: &str = "p4ssw0rd-of-run";

fn local() -> Local {
    let builder = Local::builder().seed("db-password", VALUE).seed("short", "abc");
    builder.start().unwrap()
}

/// Runs `vaultlet run` with these arguments in a local Azure.
fn run(local: &Local, arguments: &[&str], variables: &[(&str, &str)]) -> Ended {
    let arguments = ["run"].iter().chain(arguments);
    let run = Run::vaultlet(arguments).environment(local.environment().iter().cloned());
    run.environment(variables.iter().copied()).end()
}

#[test]
fn words_are_taken_in_any_case_and_a_flag_hides_its_variable() {
    let local = local();
    let reference = [("X", "akv://job/db-password")];
    let lent = |value: &str| {
        let variables = [("VAULTLET_LEND", value)];
        let ended = run(&local, &["--", "printenv", "MSI_ENDPOINT"], &variables);
        assert_eq!(ended.code, 0, "{value}: {}", ended.stderr);
        let own = local.environment().iter().find(|(name, _)| name == "MSI_ENDPOINT").unwrap();
        ended.stdout.trim_end() != own.1
    };
    for (value, is_lent) in [("false", false), ("False", false), (" FALSE ", false), ("TRUE", true)]
    {
        assert_eq!(lent(value), is_lent, "{value}");
    }
    for (name, value, shown) in [
        ("VAULTLET_NO_MASKING", "1", VALUE),
        ("VAULTLET_NO_MASKING", " TRUE ", VALUE),
        ("VAULTLET_NO_MASKING", "False", "<X>"),
        ("VAULTLET_NO_MASKING", "0", "<X>"),
        ("VAULTLET_ONLY", "X, Y", VALUE),
    ] {
        let flags: &[&str] = if name == "VAULTLET_ONLY" { &["--no-masking"] } else { &[] };
        let command = [flags, &["-e", "Y=akv://job/short", "--", "printenv", "X"]].concat();
        let ended = run(&local, &command, &[reference[0], (name, value)]);
        assert_eq!((ended.code, ended.stdout.trim_end()), (0, shown), "{name}={value}: {ended:?}");
    }
    for (flag, value, name, wrong) in [
        ("--timeout", "60", "VAULTLET_TIMEOUT", "abc"),
        ("--cloud", "public", "VAULTLET_CLOUD", "mars"),
        ("--identity", "managed-identity", "VAULTLET_IDENTITY", "bogus"),
        ("--exclude", "azure-cli", "VAULTLET_EXCLUDE", "bogus"),
    ] {
        let ended = run(&local, &["--", "true"], &[reference[0], (name, wrong)]);
        assert_eq!(ended.code, 78, "{name}: {ended:?}");
        assert!(ended.stderr.contains(name), "{ended:?}");
        let ended = run(&local, &[flag, value, "--", "true"], &[reference[0], (name, wrong)]);
        assert_eq!(ended.code, 0, "{flag}: {ended:?}");
    }
    let ended = run(&local, &["-o", "JSON", "--", "true"], &[("X", "akv://job/missing")]);
    assert!(ended.code == 66 && ended.stderr.starts_with("{\"error\""), "{ended:?}");
}

/// Once the command has ended there is nobody else who heeds a signal.
#[test]
fn a_reader_that_does_not_go_on_does_not_keep_run_from_a_signal() {
    let local = local();
    let mut command = std::process::Command::new(vaultlet_tests::vaultlet());
    let script = "echo $$; head -c 400000 /dev/zero; exit 3";
    command.args(["run", "-e", "X=akv://job/db-password", "--", "sh", "-c", script]);
    command.envs(local.environment().iter().cloned()).stdout(std::process::Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut out = std::io::BufReader::with_capacity(16, child.stdout.take().unwrap());
    let mut shell = String::new();
    out.read_line(&mut shell).unwrap();
    let shell = Path::new("/proc").join(shell.trim());
    // Our pipes hold all that is left of the output, so that the shell ends.
    while shell.exists() {
        std::thread::yield_now();
    }
    let until = Instant::now() + Duration::from_secs(30);
    let ended = loop {
        assert!(Instant::now() < until, "signals do not end it");
        vaultlet_tests::kill(child.id(), "TERM");
        if let Some(ended) = child.try_wait().unwrap() {
            break ended;
        }
        std::thread::yield_now();
    };
    assert_eq!(std::os::unix::process::ExitStatusExt::signal(&ended), Some(15), "{ended:?}");
    drop(out);
}
