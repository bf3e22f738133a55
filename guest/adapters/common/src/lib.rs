//! Code that the adapters share: the mapping of keys to secrets, and the allocator.
#![no_std]

extern crate alloc;

/// The component's allocator, which overwrites freed memory: values of secrets pass through it.
#[path = "../../../component/src/memory.rs"]
mod memory;

use alloc::{borrow::ToOwned, string::String, vec::Vec};

/// The variable that maps keys to references: `name=reference`, separated by commas (`%2C` within a JSON
/// pointer). If it is unset, a key must itself be a reference.
pub const VARIABLE: &str = "VAULTLET_CONFIG_REFERENCES";

/// The mapping of keys to references.
#[derive(Debug)]
pub struct Keys(Option<Vec<(String, String)>>);

impl Keys {
    /// Reads the mapping from environment variables. The error of a malformed list does not repeat
    /// the text, which may be a secret in the wrong place.
    pub fn read(variables: &[(String, String)]) -> Result<Self, &'static str> {
        let list = variables.iter().find(|(name, _)| name == VARIABLE);
        let list = list.map(|(_, list)| list.as_str()).filter(|list| !list.trim().is_empty());
        let Some(list) = list else { return Ok(Self(None)) };
        let mut keys: Vec<(String, String)> = Vec::new();
        for pair in list.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
            let (key, reference) = pair.split_once('=').ok_or(MALFORMED)?;
            let (key, reference) = (key.trim(), reference.trim());
            if key.is_empty() || !is_reference(reference) || keys.iter().any(|(k, _)| k == key) {
                return Err(MALFORMED);
            }
            keys.push((key.to_owned(), reference.to_owned()));
        }
        Ok(Self(Some(keys)))
    }

    /// The reference of a key; none if there is no such key.
    pub fn reference<'a>(&'a self, key: &'a str) -> Option<&'a str> {
        match &self.0 {
            Some(keys) => {
                keys.iter().find(|(name, _)| name == key).map(|(_, reference)| reference.as_str())
            }
            None => Some(key).filter(|key| is_reference(key)),
        }
    }

    /// All keys of the mapping, with their references.
    pub fn listed(&self) -> &[(String, String)] {
        self.0.as_deref().unwrap_or_default()
    }
}

const MALFORMED: &str = "reading settings: `VAULTLET_CONFIG_REFERENCES` is not \
    `name=reference`, separated by commas, each name once; correct it (setting-malformed)";

/// Whether a text begins like a reference. Only the component checks all of it.
fn is_reference(text: &str) -> bool {
    ["akv://", "https://", "http://", "@microsoft.keyvault("]
        .iter()
        .any(|start| text.get(..start.len()).is_some_and(|it| it.eq_ignore_ascii_case(start)))
}

/// Writes an error as one line: `<doing>: <what happened> [<code>]; <what to do> (<id>)`.
pub fn line(message: String, code: Option<String>, help: &str, id: &str) -> String {
    let mut line = message;
    if let Some(code) = code {
        line.push_str(" [");
        line.push_str(&code);
        line.push(']');
    }
    if !help.is_empty() {
        line.push_str("; ");
        line.push_str(help);
    }
    line.push_str(" (");
    line.push_str(id);
    line.push(')');
    line
}
