//! The command's text: inputs and outputs are put in place of `${{inputs.x}}` as they are, without quotes, and of
//! `{inputs.x}`, which `az` still takes. A part in `$[[ ]]` is left out when an input in it is not given.

use super::data::{Input, Output};
use super::reader::Reader;
use super::shown::shown;
use super::yaml::{Node, Place};

/// The command as the service passes it to a shell.
pub(super) fn expand(
    reader: &mut Reader<'_>,
    node: &Node,
    text: &str,
    inputs: Option<&[Input]>,
    outputs: Option<&[Output]>,
) -> String {
    if text.trim().is_empty() {
        reader.wrong(node.at, "`command` is empty", "write a command");
        return String::new();
    }
    if text.contains('\0') {
        reader.wrong(node.at, "`command` has a null character (U+0000)", "leave it out");
        return String::new();
    }
    let mut unknown = Vec::new();
    // What is in a group that is no mapping is not known.
    let is_unknown = |name: &str| {
        inputs.is_none() && name.starts_with("inputs.")
            || outputs.is_none() && name.starts_with("outputs.")
    };
    let expansion =
        Expansion { inputs: inputs.unwrap_or_default(), outputs: outputs.unwrap_or_default() };
    let expanded = expansion.text(text, 0, &mut unknown);
    for (name, at) in unknown.into_iter().filter(|(name, _)| !is_unknown(name)) {
        let at = place(node, text, at);
        let what = format!("`command` has `{}`", shown(&name));
        let (what, help) = match name.split_once('.') {
            Some(("inputs" | "outputs", _)) => {
                let (group, _) = name.split_once('.').unwrap_or_default();
                (format!("{what}, which is not among the {group}"), format!("add it to `{group}`"))
            }
            Some(("search_space", _)) => (what, "only a sweep job has that".to_owned()),
            _ => (what, "write `${{inputs.NAME}}` or `${{outputs.NAME}}`".to_owned()),
        };
        reader.wrong(at, &what, &help);
    }
    expanded
}

/// The place of a part of the text; where lines of the text are lines of the file, with the right line.
fn place(node: &Node, text: &str, at: usize) -> Place {
    match node.at {
        Place::Line { line, column } if node.is_literal => {
            let before = text.get(..at).unwrap_or_default();
            let lines = before.matches('\n').count();
            let in_line = before.rsplit('\n').next().unwrap_or_default().chars().count();
            Place::Line { line: line + lines, column: column + in_line }
        }
        place => place,
    }
}

struct Expansion<'a> {
    inputs: &'a [Input],
    outputs: &'a [Output],
}

/// A part of a text.
enum Part<'a> {
    /// `${{NAME}}`.
    Name(&'a str),
    /// `$[[TEXT]]`.
    Optional(&'a str),
}

impl Expansion<'_> {
    /// The text with its parts replaced. Names that stand for nothing are collected, with their places.
    fn text(&self, text: &str, start: usize, unknown: &mut Vec<(String, usize)>) -> String {
        let mut expanded = String::with_capacity(text.len());
        let mut at = 0;
        while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
            let before = expanded_by(text, at);
            match part(rest, before) {
                Some((Part::Name(name), length)) => {
                    match self.value(name.trim()) {
                        Some(value) => expanded.push_str(&value),
                        None => unknown.push((name.trim().to_owned(), start + at)),
                    }
                    at += length;
                }
                Some((Part::Optional(inner), length)) => {
                    let mut missing = Vec::new();
                    let inner = self.text(inner, start + at + 3, &mut missing);
                    let (inputs, others): (Vec<_>, Vec<_>) =
                        missing.into_iter().partition(|(name, _)| name.starts_with("inputs."));
                    if inputs.is_empty() {
                        expanded.push_str(&inner);
                    }
                    unknown.extend(others);
                    at += length;
                }
                None => {
                    let length = rest.chars().next().map_or(1, char::len_utf8);
                    expanded.push_str(rest.get(..length).unwrap_or_default());
                    at += length;
                }
            }
        }
        expanded
    }

    fn value(&self, name: &str) -> Option<String> {
        let (group, name) = name.split_once('.')?;
        match group {
            "inputs" => self.inputs.iter().find(|it| it.name == name).map(|it| it.text.clone()),
            "outputs" => {
                let output = self.outputs.iter().find(|it| it.name == name)?;
                Some(output.path.to_string_lossy().into_owned())
            }
            _ => None,
        }
    }
}

/// The character before a place.
fn expanded_by(text: &str, at: usize) -> Option<char> {
    text.get(..at).and_then(|before| before.chars().next_back())
}

/// The part that a text begins with, and its length.
fn part(text: &str, before: Option<char>) -> Option<(Part<'_>, usize)> {
    if let Some(rest) = text.strip_prefix("${{") {
        let end = rest.find("}}")?;
        return Some((Part::Name(rest.get(..end)?), end + 5));
    }
    if let Some(rest) = text.strip_prefix("$[[") {
        let end = rest.find("]]")?;
        let inner = rest.get(..end)?;
        // Shells have `[[`, too.
        return inner.contains("${{").then_some((Part::Optional(inner), end + 5));
    }
    let rest = text.strip_prefix('{').filter(|_| before != Some('{'))?;
    let end = rest.find('}')?;
    let name = rest.get(..end)?;
    let is_one = (name.starts_with("inputs.") || name.starts_with("outputs."))
        && !rest.get(end + 1..).unwrap_or_default().starts_with('}');
    is_one.then_some((Part::Name(name), end + 2))
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    #[test]
    fn names_are_replaced_and_the_rest_of_the_text_is_left() {
        let at = Place::Set;
        let input = |name: &str, text: &str| Input {
            name: name.into(),
            text: text.into(),
            is_data: false,
            at,
        };
        let inputs = [input("a", "1 2"), input("b", "True"), input("c", "${{inputs.a}}")];
        let outputs = [Output { name: "o".into(), path: PathBuf::from("/out/o"), is_file: false }];
        let expansion = Expansion { inputs: &inputs, outputs: &outputs };
        for (text, expected, unknown) in [
            ("x ${{inputs.a}} y", "x 1 2 y", vec![]),
            ("--b=${{ inputs.b }} > ${{outputs.o}}/f", "--b=True > /out/o/f", vec![]),
            ("{inputs.a} {outputs.o}", "1 2 /out/o", vec![]),
            ("${{inputs.c}}", "${{inputs.a}}", vec![]),
            (
                "${A} ${#A} $((1)) {a,b} {{inputs.a}} é$",
                "${A} ${#A} $((1)) {a,b} {{inputs.a}} é$",
                vec![],
            ),
            ("a $[[--x ${{inputs.x}}]] b", "a  b", vec![]),
            ("a $[[--x ${{inputs.a}}]] b", "a --x 1 2 b", vec![]),
            ("if [[ a ]]; then $[[ x ]]", "if [[ a ]]; then $[[ x ]]", vec![]),
            ("$[[${{outputs.x}}]]", "", vec![("outputs.x", 3)]),
            ("é ${{inputs.x}}", "é ", vec![("inputs.x", 3)]),
            ("${{search_space.x}} ${{y}}", " ", vec![("search_space.x", 0), ("y", 20)]),
            ("${{inputs.a", "${{inputs.a", vec![]),
        ] {
            let mut found = Vec::new();
            assert_eq!(expansion.text(text, 0, &mut found), expected, "{text}");
            let found: Vec<_> = found.iter().map(|(name, at)| (name.as_str(), *at)).collect();
            assert_eq!(found, unknown, "{text}");
        }
    }
}
