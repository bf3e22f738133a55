//! What the adapters share: which secret a key means, and an instance's memory.
#![no_std]

extern crate alloc;

/// The component's own, which scrubs what is given back: values pass through.
#[path = "../../../component/src/memory.rs"]
mod memory;

use alloc::{borrow::ToOwned, string::String, vec::Vec};

/// The variable with the keys there are: `name=reference`, separated by commas (in a JSON pointer a
/// comma is `%2C`). Unset, a key must itself be a reference.
pub const VARIABLE: &str = "VAULTLET_CONFIG_REFERENCES";

/// Which secret a key means.
#[derive(Debug)]
pub struct Keys(Option<Vec<(String, String)>>);

impl Keys {
    /// From an instance's variables. A list that is malformed is an error, whole: its text is not
    /// repeated, for it may be a secret that was put in the wrong place.
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

    /// The reference that a key means; none when there is no such key.
    pub fn reference<'a>(&'a self, key: &'a str) -> Option<&'a str> {
        match &self.0 {
            Some(keys) => {
                keys.iter().find(|(name, _)| name == key).map(|(_, reference)| reference.as_str())
            }
            None => Some(key).filter(|key| is_reference(key)),
        }
    }

    /// The keys that are listed, with their references.
    pub fn listed(&self) -> &[(String, String)] {
        self.0.as_deref().unwrap_or_default()
    }
}

const MALFORMED: &str = "reading settings: `VAULTLET_CONFIG_REFERENCES` is not \
    `name=reference`, separated by commas, no name twice; correct it (setting-malformed)";

/// How each form of one begins; whether it is one is the component's to say.
fn is_reference(text: &str) -> bool {
    ["akv://", "https://", "http://", "@microsoft.keyvault("]
        .iter()
        .any(|start| text.get(..start.len()).is_some_and(|it| it.eq_ignore_ascii_case(start)))
}

/// An error as one line: `<doing>: <what happened> [<code>]; <what to do> (<id>)`.
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
