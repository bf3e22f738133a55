//! What was seen, in a file for a ticket. Nothing in it is secret: of variables it has the names, and the values of
//! those few in which nothing secret can stand. Wherever the value of a variable stands in another text, its name
//! takes its place.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::Serialize;
use serde_json::Value;
use vaultlet_core::planner::identity_variables;
use vaultlet_host::Kind;

use super::facts::Facts;
use super::finding::Finding;
use crate::failure::Failure;
use crate::mask::{Mask, Output, Stream};
use crate::output;
use crate::shown_variables::{of_host, of_settings, shown, value};
use crate::system::set_mode;

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

/// Shorter texts are words like any other.
const SHORTEST: usize = 6;

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
    let short = short(facts, &names);
    let masked = |text: &str| without_addresses(&without_words(&masked(&mask, text), &short));
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
    let mut options = OpenOptions::new();
    set_mode(&mut options, 0o600);
    let opened = options.write(true).create_new(true).open(path);
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
    let ours = identity_variables().into_iter().chain(of_settings()).chain(of_host());
    let referring = facts.subjects.usable().filter_map(|subject| subject.variable.clone());
    let mut names: Vec<_> = ours.map(str::to_owned).chain(planned).chain(referring).collect();
    names.sort_unstable();
    names.dedup();
    names.retain(|name| value(name).is_some());
    names
}

/// Texts that must not be in the file, each with what stands in its place.
fn hidden(facts: &Facts<'_>, names: &[String]) -> Vec<(String, String)> {
    let mut hidden = Vec::new();
    for name in names {
        let Some(value) = value(name) else { continue };
        let value = value.trim();
        let is_reference = facts.subjects.usable().any(|it| it.variable.as_ref() == Some(name));
        if is_reference || shown(name, value).as_deref() == Some(value) {
            continue;
        }
        hide(&mut hidden, name, value);
    }
    for (flag, value) in facts.options.given_texts() {
        hide(&mut hidden, flag, &value);
    }
    // Paths below it have a person's name.
    hidden.extend(value("HOME").map(|home| ("HOME".to_owned(), home)));
    let wrong = facts.subjects.wrong.iter().filter_map(|(text, _)| text.clone());
    hidden.extend(wrong.map(|text| ("a malformed reference".to_owned(), text)));
    let files = facts.files.iter().map(|file| file.display().to_string());
    hidden.extend(files.map(|file| ("an env file".to_owned(), file)));
    hidden.retain(|(_, text)| text.len() >= SHORTEST);
    hidden
}

/// Adds the parts of a value in which something secret may stand.
fn hide(hidden: &mut Vec<(String, String)>, name: &str, value: &str) {
    // The path of a URL, and the user and password before its host.
    let server = value.split_once("://").map_or(value, |(_, rest)| rest);
    let (user, server) = server.rsplit_once('@').unwrap_or(("", server));
    let target = server.find(['/', '?', '#']).and_then(|at| server.get(at + 1..));
    let users = user.split(':').chain([user]);
    let parts = users.chain(target).chain([value]).map(str::to_owned);
    // A host is shown in lower case.
    hidden.extend(parts.chain([value.to_lowercase()]).map(|part| (name.to_owned(), part)));
}

/// Values that are too short to be looked for within words.
fn short(facts: &Facts<'_>, names: &[String]) -> Vec<(String, String)> {
    let is_reference =
        |name: &String| facts.subjects.usable().any(|it| it.variable.as_ref() == Some(name));
    let variables = names.iter().filter(|name| !is_reference(name));
    let variables = variables.filter_map(|name| {
        let value = value(name)?.trim().to_owned();
        (shown(name, &value).as_ref() != Some(&value)).then(|| (name.clone(), value))
    });
    let flags = facts.options.given_texts();
    let mut short: Vec<_> =
        variables.chain(flags.map(|(flag, value)| (flag.to_owned(), value))).collect();
    short.retain(|(_, value)| value.len() < SHORTEST);
    short
}

/// A text in which names take the place of values that stand there as words.
fn without_words(text: &str, values: &[(String, String)]) -> String {
    let is_in_word = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    let mut text = text.to_owned();
    for (name, value) in values {
        let mut out = String::with_capacity(text.len());
        let mut rest = text.as_str();
        while let Some((before, after)) = rest.split_once(value.as_str()) {
            let mut following = after.chars();
            let begins_within = |text: &str| text.ends_with(|c| is_in_word(c) || c == '.');
            let is_within = begins_within(if before.is_empty() { &out } else { before });
            let goes_on = match following.next() {
                // A number within another, or a part of a host.
                Some('.' | ':') => following.next().is_some_and(is_in_word),
                next => next.is_some_and(is_in_word),
            };
            out.push_str(before);
            if is_within || goes_on {
                out.push_str(value);
            } else {
                out.extend(["<", name, ">"]);
            }
            rest = after;
        }
        out.push_str(rest);
        text = out;
    }
    text
}

/// A text in which of the user in each e-mail address the first letter is left, as `whoami` shows a user.
fn without_addresses(text: &str) -> String {
    let is_of_user = |c: char| c.is_alphanumeric() || "._%+-".contains(c);
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('@') {
        let host = after.chars().next().is_some_and(char::is_alphanumeric);
        let others = before.trim_end_matches(is_of_user);
        let user = before.get(others.len()..).unwrap_or_default();
        out.push_str(others);
        match user.chars().next().filter(|_| host) {
            Some(first) => out.extend([first, '…']),
            None => out.push_str(user),
        }
        out.push('@');
        rest = after;
    }
    out.push_str(rest);
    out
}

fn masked(mask: &Mask, text: &str) -> String {
    let mut stream = Stream::new(mask);
    let mut out = Output::default();
    stream.push(text.as_bytes(), &mut out);
    stream.flush(&mut out);
    String::from_utf8_lossy(&out.into_bytes()).into_owned()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_short_values_are_masked() {
        for (text, expected) in [
            (
                "The user account alice@corp.example is disabled",
                "The user account a…@corp.example is disabled",
            ),
            ("<alice.b+c@x.y>, \"bob@z\"", "<a…@x.y>, \"b…@z\""),
            ("é@x.y @Microsoft.KeyVault(x) a @ b", "é…@x.y @Microsoft.KeyVault(x) a @ b"),
            ("none", "none"),
        ] {
            assert_eq!(without_addresses(text), expected, "{text}");
        }
        let values = [("T".to_owned(), "corp5".to_owned()), ("P".to_owned(), "1".to_owned())];
        for (text, expected) in [
            ("tenant 'corp5' not found", "tenant '<T>' not found"),
            ("no corp5.", "no <T>."),
            ("corp55 xcorp5 corp5-x corp5.example", "corp55 xcorp5 corp5-x corp5.example"),
            ("127.0.0.1 at 1", "127.0.0.1 at <P>"),
            ("corp5corp5", "corp5corp5"),
        ] {
            assert_eq!(without_words(text, &values), expected, "{text}");
        }
    }
}
