//! What a command has from its parent is what it would have without the wrapper.

use std::process::Command;

use vaultlet_tests::{Ended, Run, vaultlet};

use crate::support::{RUNNERS, words};

/// Runs a command below a line of shell, directly and wrapped, and returns what each printed.
fn both(shell: &str, runner: &[&str], command: &[&str]) -> [Ended; 2] {
    let wrapper = [vec![vaultlet().display().to_string()], words(runner)].concat();
    [&[][..], &wrapper].map(|wrapper| {
        Run::program("sh")
            .arguments(["-c", &format!("{shell}; exec \"$@\""), "sh"])
            .arguments(wrapper)
            .arguments(command)
            .environment([("MSI_ENDPOINT", "http://127.0.0.1:9/x"), ("MSI_SECRET", "s3cret")])
            .end()
    })
}

#[test]
fn signals_limits_descriptors_and_groups_are_as_without_the_wrapper() {
    let signals: &[&str] = &["grep", "^Sig[BIC]", "/proc/self/status"];
    let limits: &[&str] = &["cat", "/proc/self/limits"];
    let descriptors: &[&str] = &["sh", "-c", "exec ls /proc/self/fd >&2"];
    let group: &[&str] = &["sh", "-c", "cut -d ' ' -f 6,7 /proc/$$/stat; pwd; umask"];
    for (shell, command) in [
        ("true", signals),
        ("trap '' HUP", signals),
        ("trap '' PIPE", signals),
        ("trap '' CHLD", signals),
        ("trap '' INT QUIT TERM USR1 CHLD PIPE TSTP", signals),
        ("true", limits),
        ("ulimit -c 0", limits),
        ("ulimit -S -c 1000", limits),
        ("ulimit -n 100", limits),
        ("true", descriptors),
        ("exec 7</dev/null", descriptors),
        ("exec <&-", descriptors),
        ("exec >&-", descriptors),
        ("exec <&- >&-", descriptors),
        ("cd /; umask 077", group),
    ] {
        for runner in RUNNERS {
            let [direct, wrapped] = both(shell, runner, command);
            assert_eq!(
                (wrapped.code, &wrapped.stdout, &wrapped.stderr),
                (direct.code, &direct.stdout, &direct.stderr),
                "{shell}: {runner:?} {command:?}"
            );
        }
    }
}

#[test]
fn a_terminals_interrupt_reaches_the_command_once() {
    let has_script = Command::new("script").arg("--version").output();
    if !has_script.is_ok_and(|output| output.status.success()) {
        return vaultlet_tests::sandbox::skipped("a_terminals_interrupt", "there is no `script`");
    }
    // The terminal turns the byte into an interrupt of its whole foreground group.
    let inner = "n=0; trap 'n=$((n + 1)); echo int $n' INT; trap 'exit 5' USR1; echo ready; \
                 while [ $n = 0 ]; do sleep 0.02; done; sleep 0.5; echo total $n; exit 6";
    let outer = format!("exec '{}' dev -- sh -c \"$INNER\"", vaultlet().display());
    let ended = Run::program("env")
        .arguments([
            // Whoever runs the tests may ignore interrupts.
            "--default-signal",
            "sh",
            "-c",
            "(while ! grep -qs ready \"$OUT\"; do sleep 0.02; done; printf '\\003'; \
                     while ! grep -qs total \"$OUT\"; do sleep 0.02; done) \
                     | script -qefc \"$OUTER\" \"$OUT\"",
        ])
        .environment([("INNER", inner), ("OUTER", &outer)])
        .environment([(
            "OUT",
            std::env::temp_dir().join(format!("vaultlet-tty-{}", std::process::id())),
        )])
        .end();
    assert!(ended.stdout.contains("total 1"), "{ended:?}");
    assert_eq!(ended.code, 6, "{ended:?}");
}
