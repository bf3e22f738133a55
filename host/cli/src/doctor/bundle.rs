//! What was seen, in a file for a ticket. Nothing in it is secret: of variables it has the names, and the values of
//! those few in which nothing secret can stand. Wherever the value of a variable stands in another text, its name
//! takes its place.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::Serialize;
use serde_json::Value;
use vaultlet_core::planner::identity_variables;
use vaultlet_host::Kind;

use super::facts::Facts;
use super::finding::Finding;
use crate::failure::Failure;
use crate::mask::{Mask, Stream};
use crate::output;
use crate::shown_variables::{OF_HOST, of_settings, shown, value};

#[derive(Serialize)]
struct Bundle<'a> {
    vaultlet: &'static str,
    created: u64,
    checks: &'a [Finding],
    #[serde(skip_serializing_if = "Option::is_none")]
    plan: Option<Value>,
    variables: Vec<Variable>,
}

#[derive(Serialize)]
struct Variable {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<String>,
}

/// How the error of a malformed reference begins.
const MALFORMED: &str = "reading the reference";

/// Fails if the file exists: it may be somebody's, and readable for others.
pub(super) fn check(path: &Path) -> Result<(), Failure> {
    match path.symlink_metadata() {
        Ok(_) => Err(exists(path)),
        Err(_) => Ok(()),
    }
}

pub(super) fn write(path: &Path, facts: &Facts<'_>, findings: &[Finding]) -> Result<(), Failure> {
    let names = names(facts);
    let hidden = hidden(facts, &names);
    let mask = Mask::new(hidden.iter().map(|(name, text)| (name.as_str(), text.as_bytes())));
    let masked = |text: &str| masked(&mask, text);
    let checks: Vec<_> = findings
        .iter()
        .map(|it| match it.seen.split_once(MALFORMED) {
            // What is quoted there, and what was perhaps meant, may be anything.
            Some((about, _)) => {
                let seen = masked(&format!("{about}{MALFORMED} … (reference-malformed)"));
                Finding { seen, help: String::new(), ..it.clone() }
            }
            None => Finding { seen: masked(&it.seen), help: masked(&it.help), ..it.clone() },
        })
        .collect();
    let plan = facts.vaultlet.as_ref().ok().and_then(|it| it.plan_blocking(None).ok());
    let plan = plan.and_then(|plan| serde_json::to_value(plan).ok()).map(|mut plan| {
        mask_all(&mut plan, &masked);
        plan
    });
    let variables = names.into_iter().map(|name| {
        let value = value(&name).and_then(|value| shown(&name, &value));
        Variable { name, value }
    });
    let bundle = Bundle {
        vaultlet: env!("CARGO_PKG_VERSION"),
        created: SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_secs()),
        checks: &checks,
        plan,
        variables: variables.collect(),
    };
    let mut json = serde_json::to_string_pretty(&bundle).map_err(|e| output::failed(&e.into()))?;
    json.push('\n');
    let opened = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let written = opened.and_then(|mut file| file.write_all(json.as_bytes()));
    written.map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => exists(path),
        _ => {
            let why = error.to_string().to_lowercase();
            let message = format!("writing the bundle `{}`: {why}", path.display());
            Failure::own(
                Kind::Unavailable,
                "output-failed",
                message,
                "name a file that you may write",
            )
        }
    })
}

fn exists(path: &Path) -> Failure {
    let message = format!("writing the bundle `{}`: the file exists", path.display());
    Failure::own(Kind::Conflict, "bundle-exists", message, "name a new file, or remove this one")
}

/// The names of variables that are set and that vaultlet reads, or that have a reference.
fn names(facts: &Facts<'_>) -> Vec<String> {
    let planned = facts.vaultlet.as_ref().ok().and_then(|it| it.plan_blocking(None).ok());
    let planned = planned.map(|plan| plan.variables).unwrap_or_default();
    let ours = identity_variables().into_iter().chain(of_settings()).chain(OF_HOST.iter().copied());
    let referring = facts.subjects.usable().filter_map(|subject| subject.variable.clone());
    let mut names: Vec<_> = ours.map(str::to_owned).chain(planned).chain(referring).collect();
    names.sort_unstable();
    names.dedup();
    names.retain(|name| value(name).is_some());
    names
}

/// Texts that must not be in the file, each with what stands in its place.
fn hidden(facts: &Facts<'_>, names: &[String]) -> Vec<(String, String)> {
    /// Shorter texts are words like any other.
    const SHORTEST: usize = 6;
    let mut hidden = Vec::new();
    for name in names {
        let Some(value) = value(name) else { continue };
        let value = value.trim();
        let is_reference = facts.subjects.usable().any(|it| it.variable.as_ref() == Some(name));
        if is_reference || shown(name, value).as_deref() == Some(value) {
            continue;
        }
        // The path of a URL, and the user and password before its host.
        let server = value.split_once("://").map_or(value, |(_, rest)| rest);
        let (user, server) = server.rsplit_once('@').unwrap_or(("", server));
        let target = server.find(['/', '?', '#']).and_then(|at| server.get(at + 1..));
        let users = user.split(':').chain([user]);
        let parts = users.chain(target).chain([value]).map(str::to_owned);
        // A host is shown in lower case.
        hidden.extend(parts.chain([value.to_lowercase()]).map(|part| (name.clone(), part)));
    }
    let wrong = facts.subjects.wrong.iter().filter_map(|(text, _)| text.clone());
    hidden.extend(wrong.map(|text| ("a malformed reference".to_owned(), text)));
    let files = facts.files.iter().map(|file| file.display().to_string());
    hidden.extend(files.map(|file| ("an env file".to_owned(), file)));
    hidden.retain(|(_, text)| text.len() >= SHORTEST);
    hidden
}

fn masked(mask: &Mask, text: &str) -> String {
    let mut stream = Stream::new(mask);
    let mut out = Vec::with_capacity(text.len());
    stream.push(text.as_bytes(), &mut out);
    stream.flush(&mut out);
    String::from_utf8_lossy(&out).into_owned()
}

/// Masks each text in a JSON value.
fn mask_all(value: &mut Value, masked: &impl Fn(&str) -> String) {
    match value {
        Value::String(text) => *text = masked(text),
        Value::Array(items) => items.iter_mut().for_each(|item| mask_all(item, masked)),
        Value::Object(members) => members.values_mut().for_each(|it| mask_all(it, masked)),
        _ => {}
    }
}
