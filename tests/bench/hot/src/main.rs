//! `bench-hot program PROGRAM PROFILE…` prints `host/cli/hot-functions.txt`: the functions of a program that ran in profiles
//! of callgrind, in the order in which they first ran. `bench-hot component PROGRAM NAMES PROFILE` prints
//! `guest/build/hot-functions.txt`: the functions of the component that ran.
//!
//! A line is a pattern for the name that the linker knows. The hashes in names, which each release of a crate and of
//! the compiler changes, are left out. <https://doc.rust-lang.org/rustc/symbol-mangling/v0.html>

mod component;

use std::collections::BTreeSet;
use std::io::Write as _;
use std::process::Command;
use std::{env, fs};

use anyhow::{Context as _, Result, ensure};

fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let mut out = std::io::stdout().lock();
    match words[..] {
        ["program", program, ref profiles @ ..] if !profiles.is_empty() => {
            writeln!(out, "# Made by tests/bench/hot-functions, which says what this is.")?;
            Ok(writeln!(out, "{}", of_program(program, profiles)?.join("\n"))?)
        }
        ["component", program, names, profile] => {
            let names = fs::read_to_string(names).context("names")?;
            let profile = fs::read_to_string(profile).context("profile")?;
            Ok(writeln!(out, "{}", component::ran(program, &names, &profile)?.join("\n"))?)
        }
        _ => anyhow::bail!("bench-hot program PROGRAM PROFILE… | component PROGRAM NAMES PROFILE"),
    }
}

/// What ran in the first profile, and then what else ran in the others.
fn of_program(program: &str, profiles: &[&str]) -> Result<Vec<String>> {
    let functions = functions(program)?;
    let (mut listed, mut lines) = (BTreeSet::new(), Vec::new());
    for profile in profiles {
        let profile = fs::read_to_string(profile).with_context(|| (*profile).to_owned())?;
        for symbol in ran(&profile).filter(|symbol| functions.contains(*symbol)) {
            let pattern = pattern(symbol);
            if listed.insert(pattern.clone()) {
                lines.push(pattern);
            }
        }
    }
    ensure!(lines.len() > 500, "only {} functions ran: has {program} symbols?", lines.len());
    Ok(lines)
}

/// The functions of a program, but for the compiled component, which is one symbol.
fn functions(program: &str) -> Result<BTreeSet<String>> {
    let ended = Command::new("nm").args(["--defined-only", program]).output()?;
    ensure!(ended.status.success(), "nm {program}: {}", String::from_utf8_lossy(&ended.stderr));
    let text = String::from_utf8(ended.stdout)?;
    let functions = text.lines().filter_map(|line| {
        let (_, rest) = line.split_once(' ')?;
        let (kind, symbol) = rest.split_once(' ')?;
        let is_function = "tTwW".contains(kind) && !symbol.ends_with("8COMPILED");
        is_function.then(|| symbol.to_owned())
    });
    Ok(functions.collect())
}

/// The functions in a profile, which names each where it is first used.
/// <https://valgrind.org/docs/manual/cl-format.html>
fn ran(profile: &str) -> impl Iterator<Item = &str> {
    profile.lines().filter_map(|line| {
        let rest = line.strip_prefix('c').unwrap_or(line).strip_prefix("fn=(")?;
        // Callgrind numbers what is in a recursion.
        rest.split_once(") ")?.1.split('\'').next()
    })
}

/// A symbol without what differs from build to build: `*` stands for the hash of a crate (`Cs…_`), for a place earlier
/// in the symbol (`B…_`), which a hash of another length moves, and for what the optimiser added.
fn pattern(symbol: &str) -> String {
    let symbol = symbol.split(".llvm.").next().unwrap_or(symbol);
    let Some(mut rest) = symbol.strip_prefix("_R") else { return symbol.to_owned() };
    let mut out = "_R".to_owned();
    while let Some(first) = rest.chars().next() {
        let marker = ["Cs", "B"].into_iter().find_map(|marker| {
            let (number, after) = rest.strip_prefix(marker)?.split_once('_')?;
            number.chars().all(|c| c.is_ascii_alphanumeric()).then_some((marker, after))
        });
        // An identifier begins with its length, and may have anything in it.
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let length = rest.get(..digits).and_then(|digits| digits.parse::<usize>().ok());
        let (kept, after) = match (marker, length) {
            (Some((marker, after)), _) => {
                out.push_str(marker);
                ("*_", after)
            }
            (None, Some(length)) => {
                // `_` is between a length and a name that begins with a digit or `_`.
                let begin = digits
                    + usize::from(rest.get(digits..).is_some_and(|name| name.starts_with('_')));
                rest.split_at_checked(begin + length).unwrap_or((rest, ""))
            }
            (None, None) => rest.split_at(first.len_utf8()),
        };
        out.push_str(kept);
        rest = after;
    }
    out + "*"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_has_no_hash() {
        for (symbol, expected) in [
            ("memcpy", "memcpy"),
            ("_RNvNtCs4mD_3std2rt10lang_start.llvm.12", "_RNvNtCs*_3std2rt10lang_start*"),
            ("_RNvMs0_NtCs1_4BCs_1aB5_1f", "_RNvMs0_NtCs*_4BCs_1aB*_1f*"),
            ("_RINvC1a1fB2_E", "_RINvC1a1fB*_E*"),
        ] {
            assert_eq!(pattern(symbol), expected, "{symbol}");
        }
    }
}
