//! The top modules of a crate (the files and folders directly in `src`) form layers: no two of them use
//! each other, directly or through others. The compiler does not check this.
//!
//! `lib.rs` and `main.rs` are above all modules. A use of a name that they re-export counts as a use of
//! the module that defines it. Test code is left out.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{Attribute, File, Item, UseTree};
use vaultlet_tests::root;

/// The crates whose modules are checked.
const CRATES: &[&str] = &[
    "guest/core",
    "guest/component",
    "host/agent",
    "host/cli",
    "host/dev",
    "host/ffi",
    "host/node",
    "host/python",
    "host/runtime",
    "host/telemetry",
    "tests",
];

/// Uses between modules, each with a file in which it occurs.
type Uses = BTreeMap<String, BTreeMap<String, String>>;

#[test]
fn no_two_top_modules_use_each_other() {
    let mut wrong = Vec::new();
    for name in CRATES {
        let sources = sources(&root().join(name).join("src"));
        let uses = uses(&sources);
        assert!(sources.len() < 3 || !uses.is_empty(), "{name}: no use of a module was seen");
        wrong.extend(circles(&uses).into_iter().map(|circle| format!("{name}: {circle}")));
    }
    assert!(wrong.is_empty(), "modules that use each other:\n{}", wrong.join("\n"));
}

#[test]
fn an_upward_use_is_found_in_every_form() {
    let ground = ("ground.rs", "pub struct Ground;");
    let top = ("top/mod.rs", "mod inner; use crate::ground::Ground;");
    for up in [
        "use crate::top::Top;",
        "use crate::{ground, top::{self, Top}};",
        "use super::top::Top;",
        "fn f() -> crate::top::Top { todo!() }",
        "fn f() { println!(\"{}\", crate::top::NAME); }",
        "use crate::Exported;",
        "mod deep { use super::super::top::Top; }",
    ] {
        let lib = ("lib.rs", "mod ground; mod top; pub use top::Top as Exported;");
        let ground = ("ground.rs", up);
        let inner = ("top/inner.rs", "use super::Top; use crate::ground;");
        let found = circles(&uses(&texts(&[lib, ground, top, inner])));
        assert_eq!(found.len(), 1, "{up}");
        assert!(found[0].contains("ground") && found[0].contains("top"), "{}", found[0]);
    }
    let lib = ("lib.rs", "mod ground; mod top; use crate::top::Top;");
    let tested = ("ground.rs", "#[cfg(test)] mod tests { use crate::top::Top; }");
    for fine in [ground, tested] {
        assert_eq!(circles(&uses(&texts(&[lib, fine, top]))), Vec::<String>::new());
    }
    let long = [
        ("a.rs", "use crate::b::B;"),
        ("b/mod.rs", "mod part;"),
        ("b/part.rs", "use crate::c::C;"),
        ("c.rs", "use crate::a::A;"),
    ];
    assert_eq!(circles(&uses(&texts(&long))).len(), 1);
}

/// A source file: its path below `src`, and its syntax.
type Source = (PathBuf, File);

fn texts(files: &[(&str, &str)]) -> Vec<Source> {
    files.iter().map(|(path, text)| (path.into(), syn::parse_file(text).unwrap())).collect()
}

fn sources(folder: &Path) -> Vec<Source> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                let syntax = syn::parse_file(&text).unwrap_or_else(|e| panic!("{path:?}: {e}"));
                found.push((path.strip_prefix(folder).unwrap().to_owned(), syntax));
            }
        }
    }
    found
}

fn uses(sources: &[Source]) -> Uses {
    let top = |path: &Path| path.iter().next().unwrap().to_str().unwrap().replace(".rs", "");
    let is_root = |name: &str| matches!(name, "lib" | "main");
    let modules: BTreeSet<String> =
        sources.iter().map(|(path, _)| top(path)).filter(|name| !is_root(name)).collect();
    let exported: BTreeMap<String, String> = sources
        .iter()
        .filter(|(path, _)| is_root(&top(path)))
        .flat_map(|(_, file)| exports(file, &modules))
        .collect();
    let mut uses = Uses::new();
    for (path, file) in sources {
        let module = top(path);
        if is_root(&module) || is_for_tests(&file.attrs) || module == "tests" {
            continue;
        }
        let mut paths = Paths { depth: depth(path), found: BTreeSet::new() };
        paths.visit_file(file);
        for name in paths.found {
            let used = modules.get(&name).or_else(|| exported.get(&name));
            if let Some(used) = used.filter(|used| **used != module) {
                let files = uses.entry(module.clone()).or_default();
                files.entry(used.clone()).or_insert_with(|| path.display().to_string());
            }
        }
    }
    uses
}

/// How many modules a file is below the crate's root.
fn depth(path: &Path) -> usize {
    let names = path.iter().count();
    if path.ends_with("mod.rs") { names - 1 } else { names }
}

/// Names that the root re-exports, and the module that each comes from.
fn exports(file: &File, modules: &BTreeSet<String>) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for item in &file.items {
        let Item::Use(item) = item else { continue };
        let mut paths = Vec::new();
        flatten(&item.tree, &mut Vec::new(), &mut paths);
        for (path, name) in paths {
            let from = path.iter().find(|part| *part != "crate" && *part != "self");
            if let Some(module) = from.filter(|part| modules.contains(*part)) {
                found.push((name, module.clone()));
            }
        }
    }
    found
}

/// The paths of a `use` item, each with the name that it introduces.
fn flatten(tree: &UseTree, before: &mut Vec<String>, found: &mut Vec<(Vec<String>, String)>) {
    match tree {
        UseTree::Path(path) => {
            before.push(path.ident.to_string());
            flatten(&path.tree, before, found);
            before.pop();
        }
        UseTree::Group(group) => group.items.iter().for_each(|tree| flatten(tree, before, found)),
        UseTree::Name(name) => found.push((extended(before, &name.ident), name.ident.to_string())),
        UseTree::Rename(name) => {
            found.push((extended(before, &name.ident), name.rename.to_string()));
        }
        UseTree::Glob(_) => found.push((before.clone(), "*".into())),
    }
}

fn extended(before: &[String], last: &syn::Ident) -> Vec<String> {
    before.iter().cloned().chain([last.to_string()]).collect()
}

/// Collects the names that follow the crate's root in any path.
struct Paths {
    depth: usize,
    found: BTreeSet<String>,
}

impl Paths {
    fn path(&mut self, parts: &[String]) {
        let ups = parts.iter().take_while(|part| *part == "super").count();
        let next = match parts.first().map(String::as_str) {
            Some("crate") => parts.get(1),
            Some("super") if ups == self.depth => parts.get(ups),
            _ => None,
        };
        self.found.extend(next.cloned());
    }

    /// Finds paths in the unparsed tokens of a macro.
    fn tokens(&mut self, tokens: TokenStream) {
        let mut words: Vec<String> = Vec::new();
        for token in tokens {
            match token {
                TokenTree::Group(group) => {
                    self.path(&words);
                    words.clear();
                    self.tokens(group.stream());
                }
                TokenTree::Ident(word) => words.push(word.to_string()),
                TokenTree::Punct(colon) if colon.as_char() == ':' => {}
                _ => {
                    self.path(&words);
                    words.clear();
                }
            }
            // A path begins at `crate` or `super`, whatever token precedes it.
            let starts = |word: &String| word == "crate" || word == "super";
            if let Some(at) = words.iter().position(starts).filter(|at| *at > 0) {
                words.drain(..at);
            }
        }
        self.path(&words);
    }
}

impl<'ast> Visit<'ast> for Paths {
    fn visit_item(&mut self, item: &'ast Item) {
        let attributes = match item {
            Item::Fn(item) => &item.attrs,
            Item::Impl(item) => &item.attrs,
            Item::Mod(item) => &item.attrs,
            Item::Use(item) => &item.attrs,
            _ => &Vec::new(),
        };
        if !is_for_tests(attributes) {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_mod(&mut self, module: &'ast syn::ItemMod) {
        self.depth += 1;
        visit::visit_item_mod(self, module);
        self.depth -= 1;
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        let mut paths = Vec::new();
        flatten(&item.tree, &mut Vec::new(), &mut paths);
        for (path, _) in paths {
            self.path(&path);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let parts: Vec<String> = path.segments.iter().map(|part| part.ident.to_string()).collect();
        self.path(&parts);
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, item: &'ast syn::Macro) {
        self.visit_path(&item.path);
        self.tokens(item.tokens.clone());
    }
}

/// Whether an item has `#[cfg(test)]`, alone or as one of several conditions.
fn is_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let tokens = match &attribute.meta {
            syn::Meta::List(list) if list.path.is_ident("cfg") => list.tokens.to_string(),
            _ => return false,
        };
        let mut words = tokens.split(|c: char| !(c.is_alphanumeric() || c == '_'));
        words.any(|word| word == "test") && !tokens.starts_with("not")
    })
}

/// Groups of modules that reach each other, one line each.
fn circles(uses: &Uses) -> Vec<String> {
    let reached = |from: &String| -> BTreeSet<String> {
        let mut reached = BTreeSet::new();
        let mut next: Vec<&String> = vec![from];
        while let Some(module) = next.pop() {
            for used in uses.get(module).into_iter().flat_map(BTreeMap::keys) {
                if reached.insert(used.clone()) {
                    next.push(used);
                }
            }
        }
        reached
    };
    let reach: BTreeMap<&String, BTreeSet<String>> = uses.keys().map(|m| (m, reached(m))).collect();
    let mut groups = BTreeSet::new();
    for (module, reached) in &reach {
        let group: BTreeSet<&String> = reached
            .iter()
            .filter(|other| reach.get(other).is_some_and(|back| back.contains(*module)))
            .collect();
        if !group.is_empty() {
            groups.insert(group);
        }
    }
    let edges = |group: &BTreeSet<&String>| {
        let inside = |(from, used): (&String, &BTreeMap<String, String>)| {
            let used = used.iter().filter(|(to, _)| group.contains(to));
            used.map(|(to, file)| format!("{from} uses {to} ({file})")).collect::<Vec<_>>()
        };
        let lines = uses.iter().filter(|(from, _)| group.contains(from)).flat_map(inside);
        lines.collect::<Vec<_>>().join(", ")
    };
    groups.iter().map(edges).collect()
}
