//! What this operating system has not.

use vaultlet_host::Kind;

use crate::failure::Failure;

/// The failure of something that is not on this system. `what` ends in a verb: `running jobs is`.
#[cfg_attr(unix, allow(dead_code, reason = "everything is here"))]
pub(crate) fn not_here(what: &str, help: &str) -> Failure {
    let message = format!("{what} not there on {}", name());
    Failure::own(Kind::Configuration, "not-on-this-system", message, help)
}

/// The name of the system, for people.
fn name() -> &'static str {
    match std::env::consts::OS {
        "windows" => "Windows",
        "macos" => "macOS",
        other => other,
    }
}
