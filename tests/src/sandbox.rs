//! What a test needs of the machine and may not find: a network of its own, another tool.

use std::ffi::{OsStr, OsString};
use std::io::Write as _;
use std::process::{Command, Stdio};

/// Says that a test is skipped; fails instead where nothing may be missing.
#[track_caller]
pub fn skipped(test: &str, why: &str) {
    let required = std::env::var("VAULTLET_REQUIRE_PEERS").is_ok_and(|v| v == "1");
    assert!(!required, "{test}: {why}, and nothing may be skipped");
    // Not by a macro, whose text the test harness would keep to itself.
    let _ = writeln!(std::io::stderr(), "SKIPPED: {test}: {why}");
}

/// A program and its arguments, to be run in a network and a mount namespace of its own after
/// these lines of shell; nothing outside is changed. `None` where the system does not permit it.
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

/// As root, or as somebody who may be root of a user namespace.
fn flags() -> Option<&'static [&'static str]> {
    const KINDS: [&[&str]; 2] = [&["-n", "-m"], &["-r", "-n", "-m"]];
    KINDS.into_iter().find(|flags| {
        // All that the tests do in one, tried out.
        let mut command = Command::new("unshare");
        command.args(*flags).args(["--propagation", "private", "sh", "-ec"]).arg(
            "ip link set lo up && ip link add v0 type veth peer name v1 \
             && mount --bind /etc/hostname /etc/hosts",
        );
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    })
}
