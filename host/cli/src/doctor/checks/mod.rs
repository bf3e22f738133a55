//! The checks, one file each.

mod access;
mod agent;
mod clock;
mod connection;
mod identity;
mod limits;
mod name;
mod platform;
mod proxy;
mod references;
mod secret;
mod settings;
mod tls;
mod token;

use super::facts::Facts;
use super::finding::{Result, ok};

/// A check: none, one or several results, as there are things to check.
type Check = fn(&Facts<'_>) -> Vec<Result>;

/// The table of checks, in the order in which they are made: each by its name.
pub(super) const ALL: &[(&str, Check)] = &[
    ("platform", platform::check),
    ("settings", settings::check),
    ("references", references::check),
    ("agent", agent::check),
    ("proxy", proxy::check),
    ("identity", identity::check),
    ("token", token::check),
    ("name", name::check),
    ("connection", connection::check),
    ("tls", tls::check),
    ("access", access::check),
    ("secret", secret::check),
    ("clock", clock::check),
    ("limits", limits::check),
];

/// The checks of what the agent does in place of this process.
const OF_VAULT: &[&str] = &["proxy", "identity", "token", "name", "connection", "tls", "clock"];

/// Makes a check.
pub(super) fn make(id: &str, check: Check, facts: &Facts<'_>) -> Vec<Result> {
    if facts.is_by_agent() && OF_VAULT.contains(&id) {
        return vec![ok("not needed here: secrets come from the agent, which has its own")];
    }
    check(facts)
}

/// The line of text that an operating system has in a file; empty where there is none.
fn read(path: &str) -> String {
    use std::io::Read as _;
    /// More than any of these files has.
    const MAX: u64 = 4 << 10;
    let mut text = Vec::new();
    let read = std::fs::File::open(path).and_then(|file| file.take(MAX).read_to_end(&mut text));
    if read.is_err() {
        text.clear();
    }
    String::from_utf8_lossy(&text).trim().to_owned()
}
