//! The functions of the embedded component that ran: its compiled code is in the program, with a symbol for each function.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;
use std::{env, fs, process};

use anyhow::{Context as _, Result, ensure};

/// Where the code of the program's component is: its addresses, and the bytes themselves.
struct Compiled {
    begins: u64,
    bytes: Vec<u8>,
}

/// A function in the compiled component: where it begins and ends, counted from the first byte.
struct Function {
    begins: u64,
    ends: u64,
    index: u32,
}

/// The names of the functions that ran, without hashes, in the order of the module.
pub(crate) fn ran(program: &str, names: &str, profile: &str) -> Result<Vec<String>> {
    let compiled = compiled(program)?;
    let functions = functions(&compiled.bytes)?;
    let names: BTreeMap<u32, &str> = names
        .lines()
        .filter_map(|line| line.split_once(' '))
        .filter_map(|(index, name)| Some((index.parse().ok()?, name)))
        .collect();
    let offset = loaded_at(program, profile)?;
    let ran: BTreeSet<u32> = addresses(profile)
        .filter_map(|(_, address)| address.checked_sub(offset)?.checked_sub(compiled.begins))
        .filter_map(|at| functions.iter().find(|it| (it.begins..it.ends).contains(&at)))
        .map(|function| function.index)
        .collect();
    ensure!(ran.len() > 20, "only {} functions of the component ran", ran.len());
    let named = ran.iter().filter_map(|index| names.get(index));
    Ok(named.map(|name| (*name).to_owned()).collect())
}

fn compiled(program: &str) -> Result<Compiled> {
    let symbols = said("nm", &["-S", program])?;
    let symbol = symbols.lines().find(|line| line.ends_with("8COMPILED"));
    let words: Vec<_> = symbol.context("no compiled component")?.split(' ').collect();
    let [begins, size, ..] = words[..] else { anyhow::bail!("{words:?}") };
    let (begins, size) = (hex(begins)?, hex(size)?);
    // The segment that the bytes are in says where in the file they are.
    let headers = said("readelf", &["-lW", program])?;
    let at = headers.lines().find_map(|line| {
        let words: Vec<_> = line.split_whitespace().collect();
        let ["LOAD", from, address, _, length, ..] = words[..] else { return None };
        let (from, address, length) = (hex(from).ok()?, hex(address).ok()?, hex(length).ok()?);
        (address..address + length).contains(&begins).then(|| begins - address + from)
    });
    let at = usize::try_from(at.context("the component is in no segment")?)?;
    let file = fs::read(program)?;
    let bytes = file.get(at..at + usize::try_from(size)?).context("the file is too short")?;
    Ok(Compiled { begins, bytes: bytes.to_owned() })
}

/// The functions of the first module, by the symbols that wasmtime gives them.
fn functions(compiled: &[u8]) -> Result<Vec<Function>> {
    let file = env::temp_dir().join(format!("component-{}", process::id()));
    fs::write(&file, compiled)?;
    let read = said("readelf", &["-SsW", &file.to_string_lossy()]);
    fs::remove_file(&file)?;
    let read = read?;
    let text = read.lines().find_map(|line| {
        let (_, section) = line.split_once("] .text ")?;
        hex(section.split_whitespace().nth(2)?).ok()
    });
    let text = text.context("no section of code")?;
    let functions = read.lines().filter_map(|line| {
        let words: Vec<_> = line.split_whitespace().collect();
        let [_, begins, size, "FUNC", _, _, _, name] = words[..] else { return None };
        let index = name.strip_prefix("wasm[0]::function[")?.strip_suffix(']')?.parse().ok()?;
        let begins = text + hex(begins).ok()?;
        Some(Function { begins, ends: begins + size.parse::<u64>().ok()?, index })
    });
    Ok(functions.collect())
}

/// How far the program was from where its symbols say.
fn loaded_at(program: &str, profile: &str) -> Result<u64> {
    let symbols = said("nm", &[program])?;
    let main = symbols.lines().find_map(|line| line.strip_suffix(" T main"));
    let main = hex(main.context("no `main`")?)?;
    let ran = addresses(profile).find(|(function, _)| *function == "main");
    let (_, ran) = ran.context("`main` did not run")?;
    ran.checked_sub(main).context("`main` is elsewhere")
}

/// The instructions in a profile, each with the name of its function.
/// <https://valgrind.org/docs/manual/cl-format.html>
fn addresses(profile: &str) -> impl Iterator<Item = (&str, u64)> {
    let (mut names, mut function) = (BTreeMap::new(), "");
    profile.lines().filter_map(move |line| {
        if let Some(rest) = line.strip_prefix("fn=(").or_else(|| line.strip_prefix("cfn=(")) {
            let (id, name) = rest.split_once(')')?;
            let name = name.trim_start();
            if !name.is_empty() {
                names.insert(id, name);
            }
            if line.starts_with("fn=") {
                function = names.get(id).copied().unwrap_or_default();
            }
            return None;
        }
        Some((function, hex(line.strip_prefix("0x")?.split(' ').next()?).ok()?))
    })
}

fn hex(text: &str) -> Result<u64> {
    Ok(u64::from_str_radix(text.trim_start_matches("0x"), 16)?)
}

fn said(program: &str, arguments: &[&str]) -> Result<String> {
    let ended = Command::new(program).args(arguments).output()?;
    ensure!(ended.status.success(), "{program}: {}", String::from_utf8_lossy(&ended.stderr));
    Ok(String::from_utf8(ended.stdout)?)
}
