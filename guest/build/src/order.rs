//! Puts the functions that `vaultlet get` runs, which `hot-functions.txt` names, at the beginning of a module. Their compiled
//! code is then at one place, too, and the system maps fewer pieces of the program. Functions that are not found are merely
//! elsewhere; `tests/bench/hot-functions` makes the list anew.

use std::collections::HashMap;
use std::convert::Infallible;
use std::fmt::Write as _;

use wasm_encoder::reencode::{Error, Reencode};
use wasm_encoder::{CodeSection, FunctionSection, Module};
use wasmparser::{
    CodeSectionReader, FunctionSectionReader, KnownCustom, Name, Parser, Payload, TypeRef,
};

use super::Result;

/// Lines are names without their hashes, which each release of the compiler changes.
const LIST: &str = include_str!("../hot-functions.txt");

/// The module with its functions in their new order, and a line for each of them: index and name. A module whose functions
/// have no names stays as it is.
pub(crate) fn hot_first(module: &[u8]) -> Result<(Vec<u8>, String)> {
    let Counts { imported, defined } = counts(module)?;
    let mut names = names(module)?;
    names.retain(|(index, _)| *index >= imported);
    if names.len() != defined {
        return Ok((module.to_vec(), String::new()));
    }
    let rank: HashMap<&str, usize> = LIST.lines().zip(0..).collect();
    names.sort_by_key(|(index, name)| {
        (rank.get(name.as_str()).copied().unwrap_or(usize::MAX), *index)
    });
    let (mut moved, mut order, mut listed) = (HashMap::new(), Vec::new(), String::new());
    for ((index, name), new) in names.iter().zip(imported..) {
        moved.insert(*index, new);
        order.push(usize::try_from(index - imported)?);
        writeln!(listed, "{new} {name}")?;
    }
    let mut out = Module::new();
    Order { order, moved }.parse_core_module(&mut out, Parser::new(0), module)?;
    Ok((out.finish(), listed))
}

/// How many functions a module has.
#[derive(Default)]
struct Counts {
    imported: u32,
    defined: usize,
}

fn counts(module: &[u8]) -> Result<Counts> {
    let mut counts = Counts::default();
    for payload in Parser::new(0).parse_all(module) {
        match payload? {
            Payload::ImportSection(imports) => {
                for import in imports.into_imports() {
                    counts.imported += u32::from(matches!(import?.ty, TypeRef::Func(_)));
                }
            }
            Payload::FunctionSection(functions) => {
                counts.defined = usize::try_from(functions.count())?;
            }
            _ => {}
        }
    }
    Ok(counts)
}

/// All functions with their names.
fn names(module: &[u8]) -> Result<Vec<(u32, String)>> {
    let mut found = Vec::new();
    for payload in Parser::new(0).parse_all(module) {
        let Payload::CustomSection(section) = payload? else { continue };
        let KnownCustom::Name(subsections) = section.as_known() else { continue };
        for names in subsections {
            if let Name::Function(names) = names? {
                for name in names {
                    let name = name?;
                    found.push((name.index, without_hash(name.name).to_owned()));
                }
            }
        }
    }
    Ok(found)
}

/// A name in the older mangling ends in `17h`, 16 digits and `E`.
fn without_hash(name: &str) -> &str {
    name.rsplit_once("17h").filter(|(_, hash)| hash.len() == 17).map_or(name, |(name, _)| name)
}

struct Order {
    /// The functions of the module, in their new order.
    order: Vec<usize>,
    /// The new index of a function that is not imported.
    moved: HashMap<u32, u32>,
}

impl Reencode for Order {
    type Error = Infallible;

    fn function_index(&mut self, index: u32) -> std::result::Result<u32, Error> {
        Ok(self.moved.get(&index).copied().unwrap_or(index))
    }

    fn parse_function_section(
        &mut self,
        functions: &mut FunctionSection,
        section: FunctionSectionReader<'_>,
    ) -> std::result::Result<(), Error> {
        let types = section.into_iter().collect::<std::result::Result<Vec<_>, _>>()?;
        for ty in self.order.iter().filter_map(|at| types.get(*at)) {
            functions.function(*ty);
        }
        Ok(())
    }

    fn parse_code_section(
        &mut self,
        code: &mut CodeSection,
        section: CodeSectionReader<'_>,
    ) -> std::result::Result<(), Error> {
        let bodies = section.into_iter().collect::<std::result::Result<Vec<_>, _>>()?;
        for at in self.order.clone() {
            if let Some(body) = bodies.get(at) {
                self.parse_function_body(code, body.clone())?;
            }
        }
        Ok(())
    }
}
