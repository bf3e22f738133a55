//! The settings, as far as no other check is about them.

use super::{Facts, Result};
use crate::doctor::finding::ok;
use crate::shown_variables::{of_settings, value};

pub(super) fn check(facts: &Facts<'_>) -> Vec<Result> {
    let wrong = facts.wrong("settings");
    if !wrong.is_empty() {
        return wrong;
    }
    let mut names: Vec<_> = facts.options.given_flags().map(|flag| format!("`{flag}`")).collect();
    let variables = of_settings().filter(|name| value(name).is_some());
    names.extend(variables.map(|name| format!("`{name}`")));
    if names.is_empty() {
        return vec![ok("none is set")];
    }
    vec![ok(format!("set: {}", names.join(", ")))]
}
