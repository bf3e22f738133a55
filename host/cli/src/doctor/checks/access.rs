//! The right to get each secret.

use vaultlet_host::{Error, Kind};

use super::{Facts, Result};
use crate::doctor::facts::{Facts as AllFacts, is_exhausted};
use crate::doctor::finding::{fail, ok, waits};
use crate::doctor::subjects::Subject;
use crate::failure::Failure;

pub(super) fn check(facts: &Facts<'_>) -> Vec<Result> {
    let mut seen = Vec::new();
    let mut results = Vec::new();
    for subject in facts.subjects.usable() {
        // Several variables may refer to one secret.
        if !seen.contains(&&subject.secret) {
            seen.push(&subject.secret);
            results.push(of_secret(facts, subject));
        }
    }
    results
}

fn of_secret(facts: &AllFacts<'_>, subject: &Subject) -> Result {
    let name = &subject.secret;
    if let Some(earlier) = waits_for(facts, subject) {
        return waits(name, earlier);
    }
    match facts.secret(subject) {
        Some(Err(error)) if is_exhausted(&error.id) => waits(name, "limits"),
        Some(Err(error)) if !is_about_secret(error) => {
            let failure = Failure::from(error.clone());
            let holder = facts.token().and_then(|token| token.as_ref().ok()).map(|it| it.holder());
            let failure = match holder.and_then(|holder| holder.object_id.as_ref()) {
                Some(id) if error.id == "vault-forbidden" => {
                    let help = format!("{}; its object id is {id}", failure.help());
                    failure.with_help(&help)
                }
                _ => failure,
            };
            fail(name, &failure)
        }
        Some(Ok(_)) if facts.is_by_agent() => ok(format!("{name}: the agent gives it")),
        Some(Ok(_)) => ok(format!("{name}: the identity may read it")),
        _ if facts.is_by_agent() => ok(format!("{name}: the agent may read secrets of this vault")),
        _ => ok(format!("{name}: the identity may read secrets of this vault")),
    }
}

/// The check that has failed and that this one needs.
pub(super) fn waits_for(facts: &AllFacts<'_>, subject: &Subject) -> Option<&'static str> {
    let earlier = || facts.tokenless().or_else(|| facts.unreached(&subject.vault));
    facts.blamed().or_else(|| facts.agentless()).or_else(earlier)
}

/// Whether the vault has said something about the secret, for which the right to read it is needed.
pub(super) fn is_about_secret(error: &Error) -> bool {
    matches!(error.kind, Kind::NotFound | Kind::Disabled)
}
