//! Each id that an error can have is an anchor in README's table, with its exit code.

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
fn the_component_s_errors_are_in_the_table_word_for_word() {
    let table = table();
    for (id, kind, meaning, remedy) in IDS {
        let row = table.get(*id).unwrap_or_else(|| panic!("README's table has no `{id}`"));
        let expected = [exit(*kind), *meaning, *remedy];
        assert_eq!(row.each_ref().map(String::as_str), expected, "{id}");
    }
}

/// They have no table of their own: their sources are read.
#[test]
fn the_host_s_and_the_command_line_s_errors_are_in_the_table() {
    let mut ids = BTreeSet::new();
    for folder in ["host/runtime/src", "host/cli/src", "host/ffi/src"] {
        collect(&root().join(folder), &mut ids);
    }
    for known in ["ca-file", "component-refused", "output-failed", "setting-malformed", "usage"] {
        assert!(ids.contains(known), "the search for ids misses `{known}`: {ids:?}");
    }
    ids.extend(of_dev());
    let table = table();
    let missing: Vec<_> = ids.iter().filter(|id| !table.contains_key(*id)).collect();
    assert!(missing.is_empty(), "README's table of errors has none of {missing:?}");
}

#[test]
fn the_table_has_nothing_else() {
    let mut ids: BTreeSet<_> = IDS.iter().map(|(id, ..)| (*id).to_owned()).collect();
    for folder in ["host/runtime/src", "host/cli/src", "host/ffi/src"] {
        collect(&root().join(folder), &mut ids);
    }
    ids.extend(of_dev());
    let unknown: Vec<_> = table().into_keys().filter(|id| !ids.contains(id)).collect();
    assert!(unknown.is_empty(), "no error has these ids: {unknown:?}");
}

/// The local Azure's, all of one prefix.
fn of_dev() -> Vec<String> {
    let text = fs::read_to_string(root().join("host/dev/src/error.rs")).unwrap();
    let ids = text.split('"').filter(|word| is_id(word) && word.starts_with("dev-"));
    let ids: Vec<_> = ids.map(str::to_owned).collect();
    assert!(!ids.is_empty(), "the search for the ids of `vaultlet dev` finds none");
    ids
}

/// By id: exit code, meaning, remedy.
fn table() -> BTreeMap<String, [String; 3]> {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let rows = readme.lines().filter_map(|line| {
        let cells: Vec<_> = line.strip_prefix('|')?.split(" | ").map(str::trim).collect();
        let [exit, id, meaning, remedy] = cells.as_slice() else { return None };
        let id = id.strip_prefix("<a id=\"")?;
        let (anchor, shown) = id.split_once("\"></a>")?;
        assert_eq!(shown, format!("`{anchor}`"), "anchor and text differ");
        let rest = [*exit, *meaning, remedy.trim_end_matches('|').trim_end()];
        Some((anchor.to_owned(), rest.map(str::to_owned)))
    });
    let mut table = BTreeMap::new();
    for (id, row) in rows {
        assert!(table.insert(id.clone(), row).is_none(), "`{id}` stands twice");
    }
    table
}

/// What stands where an id stands: in a call that makes an error, the first word in quotes.
fn collect(folder: &Path, ids: &mut BTreeSet<String>) {
    const MAKERS: [&str; 5] =
        ["::own(", "Error::new(", "Self::new(Kind", "configuration(", "Kind::"];
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
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
                    // A pair of kind and id.
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
