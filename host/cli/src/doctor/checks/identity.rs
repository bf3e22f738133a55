//! The identity: which source has one, whether it is all there, and whether another one is meant.

use std::path::Path;

use vaultlet_core::settings::Label;
use vaultlet_host::Outcome;

use super::{Facts, Result};
use crate::doctor::facts::{is_about_identity, is_exhausted};
use crate::doctor::finding::{fail, ok, waits, warn};
use crate::failure::Failure;
use crate::shown_variables::value;

pub(super) fn check(facts: &Facts<'_>) -> Vec<Result> {
    let wrong = facts.wrong("identity");
    if !wrong.is_empty() {
        return wrong;
    }
    if let Some(blamed) = facts.blamed() {
        return vec![waits("", blamed)];
    }
    let Some(token) = facts.token() else { return Vec::new() };
    let error = match token {
        Ok(token) => {
            let found = named(token.source(), token.endpoint());
            return vec![conflicts(facts, token.source(), &found)];
        }
        Err(error) => error,
    };
    if is_exhausted(&error.id) {
        return vec![waits("", "limits")];
    }
    if is_about_identity(error) {
        return vec![fail("", &Failure::from(error.clone()))];
    }
    let failed = error.attempts.iter().find(|attempt| attempt.outcome == Outcome::Failed);
    match failed {
        Some(attempt) => vec![ok(format!(
            "found: {}, which gives no token",
            named(&attempt.source, attempt.endpoint.as_deref())
        ))],
        None => vec![waits("", "token")],
    }
}

/// A source and its form.
pub(super) fn named(source: &str, endpoint: Option<&str>) -> String {
    let form = endpoint.map(|form| format!(" ({form})")).unwrap_or_default();
    format!("{source}{form}")
}

/// The file of a workload's identity.
const TOKEN_FILE: &str = "AZURE_FEDERATED_TOKEN_FILE";

/// Variables that go together: without one of them the others are not used.
const GROUPS: &[(&str, &[&str])] = &[
    ("environment", &["AZURE_CLIENT_SECRET", "AZURE_CLIENT_ID", "AZURE_TENANT_ID"]),
    ("environment", &["AZURE_CLIENT_CERTIFICATE_PATH", "AZURE_CLIENT_ID", "AZURE_TENANT_ID"]),
    ("environment", &["AZURE_PASSWORD", "AZURE_USERNAME", "AZURE_CLIENT_ID", "AZURE_TENANT_ID"]),
    ("workload-identity", &["AZURE_FEDERATED_TOKEN_FILE", "AZURE_CLIENT_ID", "AZURE_TENANT_ID"]),
    ("managed-identity", &["MSI_SECRET", "MSI_ENDPOINT"]),
    ("managed-identity", &["IDENTITY_HEADER", "IDENTITY_ENDPOINT"]),
];

/// The source that gave the token, beside what else may have been meant.
fn conflicts(facts: &Facts<'_>, source: &str, found: &str) -> Result {
    for (of, names) in GROUPS.iter().filter(|(of, _)| *of != source) {
        let [first, ..] = names else { continue };
        let missing: Vec<_> = names
            .iter()
            .filter(|name| value(name).is_none())
            .map(|name| format!("`{name}`"))
            .collect();
        if value(first).is_some() && !missing.is_empty() {
            return warn(
                format!(
                    "found: {found}; {of} is set only in part: `{first}` is set, and {} {} not",
                    missing.join(" and "),
                    if missing.len() == 1 { "is" } else { "are" }
                ),
                format!(
                    "if {of} is meant, set {}; otherwise unset `{first}`",
                    missing.join(" and ")
                ),
            );
        }
    }
    if facts.options.names_identity() {
        return ok(format!("found: {found}"));
    }
    match later(facts, source) {
        Some(other) => warn(
            format!("found: {found}, and {other}, too, which is not asked"),
            format!("if {other} is meant, say so by `--identity {other}` (`VAULTLET_IDENTITY`)"),
        ),
        None => ok(format!("found: {found}")),
    }
}

/// A later source that is certainly configured. Azure ML has a managed identity beside the user's.
fn later(facts: &Facts<'_>, source: &str) -> Option<&'static str> {
    let labels = [Label::Environment, Label::WorkloadIdentity, Label::ManagedIdentity];
    let at = labels.iter().position(|label| label.name() == source)?;
    let is_there = |label: &&Label| match label {
        // Its plan has the metadata service too, which is assumed.
        Label::ManagedIdentity => {
            ["MSI_ENDPOINT", "IDENTITY_ENDPOINT"].iter().any(|name| value(name).is_some())
        }
        // A source whose file is not there is passed over.
        Label::WorkloadIdentity
            if value(TOKEN_FILE).is_some_and(|it| !Path::new(it.trim()).exists()) =>
        {
            false
        }
        label => {
            let plan =
                facts.options.open_for(label.name()).and_then(|it| Ok(it.plan_blocking(None)?));
            plan.is_ok_and(|plan| !plan.servers.is_empty())
        }
    };
    labels.iter().skip(at + 1).find(is_there).map(|label| label.name())
}
