//! What the wrapper knows and its command must not: the variables that lead to the machine's own identity.

use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use vaultlet_tests::sandbox::skipped;
use vaultlet_tests::{Run, vaultlet};

/// Root reads everything: the test gives that up.
const USER: [&str; 3] = ["--reuid=61472", "--regid=61472", "--clear-groups"];

#[cfg(target_os = "linux")]
#[test]
fn the_command_cannot_read_the_wrappers_environment_and_no_core_is_dumped() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o755)).unwrap();
    let program = folder.path().join("vaultlet");
    std::fs::copy(vaultlet(), &program).unwrap();
    let tried =
        Command::new("setpriv").args(USER).arg(&program).args(["explain", "usage"]).output();
    if !tried.is_ok_and(|output| output.status.success()) {
        return skipped("the_command_cannot_read_the_wrappers_environment", "no other user");
    }
    let secret = "s3cret-of-the-machine";
    let script = "for file in environ mem maps; do cat /proc/$PPID/$file && echo read $file; done
        readlink /proc/$PPID/fd/1 && echo read fd
        grep 'core file' /proc/$PPID/limits /proc/self/limits
        env | grep -c s3cret-of-the; exit 7";
    for (shell, wrapper, own) in [
        ("ulimit -c unlimited", "0", "unlimited"),
        ("ulimit -S -c 1000", "0", "512000"),
        ("ulimit -c 0", "0", "0"),
    ] {
        let ended = Run::program("sh")
            .arguments(["-c", &format!("{shell}; exec setpriv \"$@\""), "sh"])
            .arguments(USER)
            .arguments([&program])
            .arguments(["identity", "serve", "--", "sh", "-c", script])
            .environment([("MSI_ENDPOINT", "http://127.0.0.1:9/x"), ("MSI_SECRET", secret)])
            .environment([("AZURE_CLIENT_SECRET", secret)])
            .end();
        assert_eq!(ended.code, 7, "{ended:?}");
        assert!(!ended.stdout.contains("read "), "{ended:?}");
        ended.reveals_none_of(&[secret], true);
        let limits: Vec<_> =
            ended.stdout.lines().filter_map(|line| line.split_whitespace().nth(4)).collect();
        assert_eq!(limits, [wrapper, own], "{shell}: {ended:?}");
        assert!(ended.stdout.ends_with("\n0\n"), "{ended:?}");
    }
}
