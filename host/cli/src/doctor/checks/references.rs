//! The references: where they were found, and which are malformed.

use super::{Facts, Result};
use crate::doctor::finding::{fail, ok, waits, warn};

pub(super) fn check(facts: &Facts<'_>) -> Vec<Result> {
    let mut results: Vec<_> =
        facts.subjects.wrong.iter().map(|(_, failure)| fail("", failure)).collect();
    let names: Vec<_> = facts.subjects.usable().map(|subject| subject.name()).collect();
    if !names.is_empty() {
        results.insert(0, ok(names.join(", ")));
    } else if let Some(blamed) = facts.blamed() {
        results.push(waits("", blamed));
    } else if results.is_empty() {
        results.push(warn(
            "there is none in the arguments, env files and variables, so no vault is checked",
            "name a secret: `vaultlet doctor akv://VAULT/NAME`",
        ));
    }
    results
}
