//! Answers on stdout, and nothing else there.

use std::io::{self, IsTerminal as _, Write as _};

use serde::Serialize;
use vaultlet_host::Kind;
use zeroize::Zeroizing;

use crate::failure::Failure;

/// Exactly these bytes; a newline only for a person at a terminal.
pub(crate) fn value(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    let newline: &[u8] = if out.is_terminal() { b"\n" } else { b"" };
    let written = out.write_all(text.as_bytes()).and_then(|()| out.write_all(newline));
    written.and_then(|()| out.flush()).map_err(|e| failed(&e))
}

/// Lines for a person, without any secret.
pub(crate) fn plain(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(|e| failed(&e))
}

/// One JSON value on one line; indented for a person.
pub(crate) fn json(value: &impl Serialize) -> Result<(), Failure> {
    let mut text = Zeroizing::new(Vec::with_capacity(64 << 10));
    let terminal = io::stdout().is_terminal();
    let done = if terminal {
        serde_json::to_writer_pretty(&mut *text, value)
    } else {
        serde_json::to_writer(&mut *text, value)
    };
    done.map_err(|e| failed(&e.into()))?;
    text.push(b'\n');
    let mut out = io::stdout().lock();
    out.write_all(&text).and_then(|()| out.flush()).map_err(|e| failed(&e))
}

/// One JSON value on one line, whoever reads it.
pub(crate) fn json_line(value: &impl Serialize) -> Result<(), Failure> {
    let mut text = Zeroizing::new(Vec::with_capacity(64 << 10));
    serde_json::to_writer(&mut *text, value).map_err(|e| failed(&e.into()))?;
    text.push(b'\n');
    let mut out = io::stdout().lock();
    out.write_all(&text).and_then(|()| out.flush()).map_err(|e| failed(&e))
}

/// Lines for a shell.
pub(crate) fn lines<'a>(pairs: impl Iterator<Item = (String, &'a str)>) -> Result<(), Failure> {
    let mut text = Zeroizing::new(String::with_capacity(64 << 10));
    for (name, value) in pairs {
        let quoted = Zeroizing::new(quote(value));
        for part in [name.as_str(), "=", &quoted, "\n"] {
            text.push_str(part);
        }
    }
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(|e| failed(&e))
}

/// For POSIX shells: everything between single quotes is itself.
pub(crate) fn quote(value: &str) -> String {
    format!("'{}'", value.replace('\'', r"'\''"))
}

fn failed(error: &io::Error) -> Failure {
    let message = format!("writing the answer: {}", error.to_string().to_lowercase());
    Failure::own(Kind::Unavailable, "output-failed", message, "see what reads our output")
}
