//! The units of the packages under a systemd that is booted for it, with `VAULTLET_TEST_FULL=1`: the limits of the service
//! let the agent do its work, and a restart loses no request.

use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use vaultlet_tests::sandbox::skipped;
use vaultlet_tests::{Ended, root, succeeds, vaultlet};

use crate::support::{VALUE, folder, local, until};
use crate::upgrade::Ends;

/// A systemd, which is ended with all that it has started.
struct Booted(Child);

impl Drop for Booted {
    fn drop(&mut self) {
        // `unshare` and the first process of the namespace, with which all others end.
        let _ = Command::new("pkill").args(["-KILL", "-P", &self.0.id().to_string()]).status();
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Booted {
    /// A command inside.
    fn command(&self, arguments: &[&str]) -> Command {
        let children = format!("/proc/{0}/task/{0}/children", self.0.id());
        let first = std::fs::read_to_string(children).unwrap_or_default();
        let mut command = Command::new("nsenter");
        command.env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
        command.args(["-t", first.trim(), "-m", "-p", "-u", "-i", "-C"]).args(arguments);
        command
    }

    fn get(&self) -> Ended {
        let mut command = self.command(&["/usr/bin/vaultlet", "get", "akv://job/s"]);
        command.env("VAULTLET_AGENT", "unix:/run/vaultlet.sock");
        Ended::from(command.output().unwrap())
    }
}

#[test]
fn the_units_work_under_systemd_and_a_restart_loses_no_request() {
    if std::env::var_os("VAULTLET_TEST_FULL").is_none() {
        return;
    }
    if !rustix::process::geteuid().is_root()
        || !std::path::Path::new("/lib/systemd/systemd").exists()
    {
        return skipped("the_units_work_under_systemd", "not root, or no systemd");
    }
    let (local, folder) = (local(), folder());
    let etc = folder.path().join("etc");
    std::fs::create_dir(&etc).unwrap();
    let variables = local.environment().iter().map(|(name, value)| {
        let file = std::path::Path::new(value);
        let Some(file_name) = file.file_name().filter(|_| file.is_file()) else {
            return format!("{name}={value}\n");
        };
        std::fs::copy(file, etc.join(file_name)).unwrap();
        format!("{name}=/etc/vaultlet/{}\n", file_name.display())
    });
    std::fs::write(etc.join("agent.env"), variables.collect::<String>()).unwrap();
    // That the program is seen is what the agent is root for.
    let policy = "[audit]\nfile = \"/var/log/vaultlet/audit.jsonl\"\n\n[[allow]]\nreference = \"akv://job/*\"\n\
        program = [\"/usr/bin/vaultlet\"]\n";
    std::fs::write(etc.join("policy.toml"), policy).unwrap();
    let mut unshare = Command::new("unshare");
    unshare.args(["-m", "-p", "-f", "-u", "-i", "-C", "--propagation", "private"]);
    unshare.arg(root().join("tests/systemd/boot")).arg(folder.path()).arg(vaultlet());
    unshare.arg(root().join("host/packaging/systemd")).arg(&etc).process_group(0);
    unshare.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let booted = Booted(unshare.spawn().unwrap());
    let active = ["systemctl", "is-active", "--quiet", "vaultlet-agent.service"];
    until("the agent serves", || booted.command(&active).status().is_ok_and(|it| it.success()));

    let (is_over, done) = (AtomicBool::new(false), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        let _ends = Ends(&is_over);
        for _ in 0..4 {
            scope.spawn(|| {
                while !is_over.load(Ordering::Relaxed) {
                    let ended = booted.get();
                    assert_eq!(
                        (ended.code, ended.stdout.trim_end()),
                        (0, VALUE),
                        "{}",
                        ended.stderr
                    );
                    done.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        for verb in ["restart", "reload", "restart"] {
            let before = done.load(Ordering::Relaxed);
            until("programs are served", || done.load(Ordering::Relaxed) > before + 20);
            succeeds(&mut booted.command(&["systemctl", verb, "vaultlet-agent"]));
        }
    });
    let audit = succeeds(&mut booted.command(&["cat", "/var/log/vaultlet/audit.jsonl"]));
    assert!(audit.stdout.contains(r#""program":"/usr/bin/vaultlet""#), "{}", audit.stdout);
    assert!(!audit.stdout.contains(VALUE));
    // Without the socket unit there is no socket.
    succeeds(&mut booted.command(&[
        "systemctl",
        "stop",
        "vaultlet-agent.socket",
        "vaultlet-agent",
    ]));
    assert_eq!(booted.get().code, 69);
}
