//! Each error id has an entry in `host/cli/ERRORS.md`, which is generated from the tables of ids, and each
//! entry is the id of an error.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::string_slice,
    reason = "a test fails by panicking"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use vaultlet_core::error::{ErrorKind, IDS};
use vaultlet_tests::root;

#[test]
fn each_error_of_the_component_is_documented_word_for_word() {
    let page = page();
    for (id, kind, meaning, remedy) in IDS {
        let entry = page.get(*id).unwrap_or_else(|| panic!("ERRORS.md has no `{id}`"));
        let expected = format!("Exit code {}, kind `{}`.\n", exit(*kind), kind.name());
        assert!(entry.starts_with(&expected), "{id}: {entry}");
        // The page capitalizes the first letter.
        let meaning: String = meaning.chars().skip(1).collect();
        assert!(entry.contains(&format!("{meaning}.\n\nWhat to do: {remedy}.")), "{id}: {entry}");
    }
}

/// Scans the sources, as the host and the command line write an id where they create the error.
#[test]
fn each_error_of_the_host_and_of_the_command_line_is_documented() {
    let ids = of_sources();
    for known in ["ca-file", "component-refused", "output-failed", "setting-malformed", "usage"] {
        assert!(ids.contains(known), "the search for ids misses `{known}`: {ids:?}");
    }
    let page = page();
    let missing: Vec<_> = ids.iter().filter(|id| !page.contains_key(*id)).collect();
    assert!(missing.is_empty(), "ERRORS.md has none of {missing:?}");
}

#[test]
fn each_documented_id_belongs_to_an_error() {
    let mut ids = of_sources();
    ids.extend(IDS.iter().map(|(id, ..)| (*id).to_owned()));
    let unknown: Vec<_> = page().into_keys().filter(|id| !ids.contains(id)).collect();
    assert!(unknown.is_empty(), "documented ids that no error has: {unknown:?}");
}

/// The ids of the host, the agent, the library for C, the command line and the local Azure.
fn of_sources() -> BTreeSet<String> {
    let mut ids = BTreeSet::new();
    for folder in ["host/runtime/src", "host/agent/src", "host/cli/src", "host/ffi/src"] {
        collect(&root().join(folder), &mut ids);
    }
    ids.extend(of_dev());
    ids
}

/// The ids of the local Azure, which begin with `dev-`.
fn of_dev() -> Vec<String> {
    let text = fs::read_to_string(root().join("host/dev/src/error.rs")).unwrap();
    let ids = text.split('"').filter(|word| is_id(word) && word.starts_with("dev-"));
    let ids: Vec<_> = ids.map(str::to_owned).collect();
    assert!(!ids.is_empty(), "the search for the ids of `vaultlet dev` finds none");
    ids
}

/// The entries of `ERRORS.md`, by id.
fn page() -> BTreeMap<String, String> {
    let page = fs::read_to_string(root().join("host/cli/ERRORS.md")).unwrap();
    let mut entries = BTreeMap::new();
    for entry in page.split("\n## ").skip(1) {
        let (id, text) = entry.split_once("\n\n").unwrap();
        assert!(entries.insert(id.to_owned(), text.to_owned()).is_none(), "`{id}` stands twice");
    }
    entries
}

/// Collects the error ids in source files: the first string literal in each call that creates an error.
fn collect(folder: &Path, ids: &mut BTreeSet<String>) {
    const MAKERS: [&str; 5] =
        ["::own(", "Error::new(", "Self::new(Kind", "configuration(", "Kind::"];
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        // The table itself does not count as a use of an id, nor does a test.
        let is_test = path.file_stem().is_some_and(|stem| stem == "tests");
        if path.ends_with("host/cli/src/ids.rs") || is_test {
            continue;
        }
        if path.is_dir() {
            collect(&path, ids);
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let text = text.split("#[cfg(test)]").next().unwrap();
        for maker in MAKERS {
            for (at, _) in text.match_indices(maker) {
                let call = &text[at + maker.len()..];
                let call = call.split(';').next().unwrap_or_default();
                let found = if maker == "Kind::" {
                    // The call has a kind and an id.
                    let after = call.trim_start_matches(|c: char| c.is_ascii_alphabetic());
                    after.strip_prefix(", \"").and_then(|rest| rest.split('"').next())
                } else {
                    call.split('"').skip(1).step_by(2).find(|word| is_id(word))
                };
                ids.extend(found.filter(|word| is_id(word)).map(str::to_owned));
            }
        }
    }
}

fn is_id(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_lowercase())
        && word.len() > 2
        && word.bytes().all(|b| b.is_ascii_lowercase() || b == b'-')
}

fn exit(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Usage => "64",
        ErrorKind::InvalidArgument => "65",
        ErrorKind::NotFound | ErrorKind::Disabled => "66",
        ErrorKind::Unavailable | ErrorKind::Timeout => "69",
        ErrorKind::Internal => "70",
        ErrorKind::Conflict => "73",
        ErrorKind::Throttled => "75",
        ErrorKind::Denied => "77",
        ErrorKind::Configuration => "78",
        ErrorKind::NotConfigured | ErrorKind::Unauthenticated => "79",
    }
}
