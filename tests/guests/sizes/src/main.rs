//! Prints what the component's bytes are spent on: `sizes COMPONENT` lists the bytes of code by module,
//! largest first, and the bytes of data. The component must have names of functions
//! (`target/component/…/vaultlet_component.wasm`).

use std::collections::BTreeMap;
use std::error::Error;
use std::{env, fs};

use rustc_demangle::demangle;
use wasmparser::{KnownCustom, Name, Parser, Payload};

/// The number of modules that are printed; the rest is summed up in one line.
const LINES: usize = 24;

fn main() -> Result<(), Box<dyn Error>> {
    let path = env::args_os().nth(1).ok_or("usage: sizes COMPONENT")?;
    let bytes = fs::read(path)?;
    let (mut code, mut names): (Vec<usize>, BTreeMap<u32, String>) = Default::default();
    let (mut imported, mut data) = (0, 0);
    for payload in Parser::new(0).parse_all(&bytes) {
        match payload? {
            // The first module is vaultlet's; those after it are adapters of the linker.
            Payload::ImportSection(section) if code.is_empty() => imported = section.count(),
            Payload::CodeSectionEntry(body) => code.push(length(body.range())?),
            Payload::DataSection(section) => data += length(section.range())?,
            Payload::CustomSection(section) => {
                if let (KnownCustom::Name(section), true) = (section.as_known(), names.is_empty()) {
                    names = functions(section)?;
                }
            }
            _ => {}
        }
    }
    let mut modules: BTreeMap<String, usize> = BTreeMap::new();
    for (index, size) in code.iter().enumerate() {
        let index = u32::try_from(index)? + imported;
        let module = names.get(&index).map_or_else(|| "without a name".to_owned(), |n| module(n));
        *modules.entry(module).or_default() += size;
    }
    let mut modules: Vec<_> = modules.into_iter().collect();
    modules.sort_by_key(|(name, size)| (std::cmp::Reverse(*size), name.clone()));
    let rest: usize = modules.iter().skip(LINES).map(|(_, size)| size).sum();
    for (module, size) in modules.iter().take(LINES) {
        println!("{size:>8}  {module}");
    }
    println!("{rest:>8}  all other code");
    println!("{data:>8}  data");
    Ok(())
}

fn length(range: std::ops::Range<u64>) -> Result<usize, std::num::TryFromIntError> {
    usize::try_from(range.end - range.start)
}

fn functions(
    section: wasmparser::NameSectionReader<'_>,
) -> Result<BTreeMap<u32, String>, Box<dyn Error>> {
    let mut names = BTreeMap::new();
    for part in section {
        if let Name::Function(map) = part? {
            for naming in map {
                let naming = naming?;
                names.insert(naming.index, format!("{:#}", demangle(naming.name)));
            }
        }
    }
    Ok(names)
}

/// The module that a function is counted under: two levels for vaultlet's crates, the crate for others.
fn module(name: &str) -> String {
    if name.contains('#') {
        return "exports, and what is inlined into them".to_owned();
    }
    // `<a::b::C as d::E>::f` belongs to `a::b`; `<dyn …>` and tuples belong to no module.
    let path = name.trim_start_matches(['<', '&']).trim_start_matches("dyn ");
    let end = path.find([' ', '<', '>', '(', '[', '{']).unwrap_or(path.len());
    let parts: Vec<&str> = path[..end].split("::").collect();
    match parts.as_slice() {
        ["vaultlet_core", module, _, ..] => format!("vaultlet_core::{module}"),
        [krate, _, ..] => (*krate).to_owned(),
        _ => "the C library, and what has no path".to_owned(),
    }
}
