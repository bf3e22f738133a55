//! Things that a test needs and a machine may lack: a network namespace, a tool.

use std::ffi::{OsStr, OsString};
use std::io::Write as _;
use std::process::{Command, Stdio};

/// Reports that a test is skipped; with `VAULTLET_REQUIRE_PEERS=1` the test fails instead.
#[track_caller]
pub fn skipped(test: &str, why: &str) {
    let required = std::env::var("VAULTLET_REQUIRE_PEERS").is_ok_and(|v| v == "1");
    assert!(!required, "{test}: {why}, and nothing may be skipped");
    // Not `eprintln`, which the test harness captures.
    let _ = writeln!(std::io::stderr(), "SKIPPED: {test}: {why}");
}

/// A command that runs a program in a network and mount namespace of its own, after some lines of
/// shell. Nothing outside the namespace is changed. `None` if the system does not permit namespaces.
pub fn in_namespace<A: AsRef<OsStr>>(
    setup: &str,
    program: impl IntoIterator<Item = A>,
) -> Option<(OsString, Vec<OsString>)> {
    let flags = flags()?;
    let mut arguments: Vec<OsString> = flags.iter().map(Into::into).collect();
    arguments.extend(["--propagation", "private", "sh", "-euc"].map(Into::into));
    arguments.push(format!("{setup}\nexec \"$0\" \"$@\"").into());
    arguments.extend(program.into_iter().map(|a| a.as_ref().to_owned()));
    Some(("unshare".into(), arguments))
}

/// The flags for root, or for a user who may create user namespaces.
fn flags() -> Option<&'static [&'static str]> {
    const KINDS: [&[&str]; 2] = [&["-n", "-m"], &["-r", "-n", "-m"]];
    KINDS.into_iter().find(|flags| {
        // Everything that the tests do in a namespace, as a trial.
        let mut command = Command::new("unshare");
        command.args(*flags).args(["--propagation", "private", "sh", "-ec"]).arg(
            "ip link set lo up && ip link add v0 type veth peer name v1 \
             && mount --bind /etc/hostname /etc/hosts",
        );
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    })
}
