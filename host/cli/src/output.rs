//! Writing answers to stdout, and nothing else.

use std::io::{self, IsTerminal as _, Write as _};
use std::sync::OnceLock;

use clap::ValueEnum;
use serde::Serialize;
use vaultlet_host::{Kind, not_started};
use zeroize::Zeroizing;

use crate::failure::Failure;
use crate::streams;
use crate::system::writes_to_pipe;

/// The format of an answer that people read, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Lines for people
    Table,
    /// One JSON object
    Json,
}

/// Writes exactly these bytes, and a newline only for a person at a terminal.
pub(crate) fn value(text: &str) -> Result<(), Failure> {
    write(text.as_bytes())?;
    if io::stdout().is_terminal() { write(b"\n") } else { Ok(()) }
}

/// Writes lines for a person, without any secret.
pub(crate) fn plain(text: &str) -> Result<(), Failure> {
    write(text.as_bytes())
}

/// Writes a line of a story, which goes on when it cannot be written.
pub(crate) fn tell(text: &str) {
    if let Err(failure) = plain(text) {
        let _ = UNTOLD.set(failure);
    }
}

/// Fails if a line of the story could not be written.
pub(crate) fn told() -> Result<(), Failure> {
    UNTOLD.get().map_or(Ok(()), |failure| Err(failure.clone()))
}

static UNTOLD: OnceLock<Failure> = OnceLock::new();

/// Writes exactly these bytes.
pub(crate) fn bytes(text: &[u8]) -> Result<(), Failure> {
    write(text)
}

/// Writes an answer that comes in parts, exactly their bytes.
pub(crate) fn parts(parts: &[Zeroizing<String>]) -> Result<(), Failure> {
    parts.iter().try_for_each(|part| write(part.as_bytes()))
}

/// Writes all of this to stdout, or fails.
fn write(text: &[u8]) -> Result<(), Failure> {
    streams::write(text).map_err(|e| failed(&e))
}

/// Writes JSON that comes in parts, on one line, or indented for a person at a terminal.
pub(crate) fn json(json: &[Zeroizing<String>]) -> Result<(), Failure> {
    if io::stdout().is_terminal() { parts(&[indented(json)]) } else { parts(json) }
}

/// Indents JSON that is on one line, so that each member and item has a line.
fn indented(json: &[Zeroizing<String>]) -> Zeroizing<String> {
    // Room for the whole text: a buffer that grows leaves copies of it in memory.
    let room = json.iter().map(|part| 4 * part.len()).sum::<usize>();
    let mut text = Zeroizing::new(String::with_capacity(room));
    let (mut depth, mut is_string, mut is_escaped, mut is_opened) = (0, false, false, false);
    for c in json.iter().flat_map(|part| part.chars()) {
        if is_string {
            text.push(c);
            is_string = c != '"' || is_escaped;
            is_escaped = c == '\\' && !is_escaped;
            continue;
        }
        let is_closed = matches!(c, '}' | ']');
        if is_closed {
            depth -= 1;
        }
        // An empty object or array stays on its line.
        if is_opened != is_closed {
            line(&mut text, depth);
        }
        is_opened = matches!(c, '{' | '[');
        if is_opened {
            depth += 1;
        }
        is_string = c == '"';
        text.push(c);
        match c {
            ',' => line(&mut text, depth),
            ':' => text.push(' '),
            _ => {}
        }
    }
    text
}

fn line(text: &mut String, depth: usize) {
    text.push('\n');
    for _ in 0..depth {
        text.push_str("  ");
    }
}

/// Writes a JSON value on one line, at a terminal, too.
pub(crate) fn json_line(value: &impl Serialize) -> Result<(), Failure> {
    let mut text = Zeroizing::new(Vec::with_capacity(64 << 10));
    serde_json::to_writer(&mut *text, value).map_err(|e| failed(&e.into()))?;
    text.push(b'\n');
    write(&text)
}

/// Writes variables for a shell, one line for each.
pub(crate) fn lines<'a>(pairs: impl Iterator<Item = (String, &'a str)>) -> Result<(), Failure> {
    let mut text = Zeroizing::new(String::with_capacity(64 << 10));
    for (name, value) in pairs {
        let quoted = Zeroizing::new(quote(value));
        for part in [name.as_str(), "=", &quoted, "\n"] {
            text.push_str(part);
        }
    }
    write(text.as_bytes())
}

/// Tells a person that this command goes on. A shell that reads the variables from a pipe would wait for its end.
pub(crate) fn serving(command: &str) {
    let name = command.split(' ').next().unwrap_or_default();
    let is_pipe = writes_to_pipe();
    let shell = format!(
        "a shell that waits for these lines waits for ever; run `vaultlet {command} -- $SHELL`"
    );
    let lines = [is_pipe.then_some(shell.as_str()), Some("press Ctrl-C to end")];
    for line in lines.into_iter().flatten() {
        let _ = writeln!(io::stderr(), "vaultlet {name}: {line}");
    }
}

/// Quotes a value for POSIX shells, in which everything between single quotes stands for itself.
pub(crate) fn quote(value: &str) -> String {
    format!("'{}'", value.replace('\'', r"'\''"))
}

/// The failure to write to stdout.
pub(crate) fn failed(error: &io::Error) -> Failure {
    const DOING: &str = "writing the answer";
    if let Some(missing) = not_started(DOING, error) {
        return missing.into();
    }
    let message = format!("{DOING}: {}", error.to_string().to_lowercase());
    Failure::own(
        Kind::Unavailable,
        "output-failed",
        message,
        "check the program or file that reads the output",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indented_json_equals_that_of_a_library() {
        for json in [
            "{}",
            "[]",
            r#"{"a":[],"b":{},"c":[1,{"d":"x, [y]: {z}\"\\"},[[]],true],"e":null}"#,
            r#"[{"a":"\\"},{"b":-1}]"#,
            "\"x\"",
        ] {
            let value: serde_json::Value = serde_json::from_str(json).unwrap();
            let (first, last) = json.split_at(json.len() / 2);
            let parts = [first, last, "\n"].map(|part| Zeroizing::new(part.to_owned()));
            let expected = serde_json::to_string_pretty(&value).unwrap() + "\n";
            assert_eq!(*indented(&parts), expected);
        }
    }
}
