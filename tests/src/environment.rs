//! Environments with references, and what they resolve to: the table `tests/environment.json`, by which the
//! library of each language is tested.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;
use vaultlet_dev::{Builder, Local};

use crate::root;

/// The table.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    seeds: BTreeMap<String, String>,
    denied: Vec<String>,
    /// What is resolved.
    pub cases: Vec<Case>,
}

/// An environment, and what it resolves to: secrets, or an error with these variables.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// What the case shows.
    pub name: String,
    /// The environment.
    pub variables: BTreeMap<String, String>,
    /// The names of the variables to resolve.
    pub only: Option<Vec<String>>,
    /// The values of the secrets.
    pub secrets: Option<BTreeMap<String, String>>,
    /// The variables that fail.
    pub failed: Option<Vec<Failed>>,
}

/// A variable that fails.
#[derive(Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Failed {
    /// The variable's name.
    pub name: String,
    /// The error's id.
    pub id: String,
    /// The error's kind.
    pub kind: String,
}

impl Case {
    /// What a program prints that resolves the environment: `NAME=VALUE` for a secret, `NAME: ID KIND` for a
    /// variable that fails.
    pub fn printed(&self) -> String {
        let secrets =
            self.secrets.iter().flatten().map(|(name, value)| format!("{name}={value}\n"));
        let failed = self.failed.iter().flatten();
        secrets.chain(failed.map(|it| format!("{}: {} {}\n", it.name, it.id, it.kind))).collect()
    }
}

/// The path of the table.
pub fn path() -> PathBuf {
    root().join("tests/environment.json")
}

impl Table {
    /// Reads the table.
    pub fn read() -> Self {
        let text = std::fs::read_to_string(path()).unwrap_or_default();
        match serde_json::from_str(&text) {
            Ok(table) => table,
            Err(error) => unreachable!("{}: {error}", path().display()),
        }
    }

    /// A local Azure with the secrets of the table.
    pub fn local(&self) -> Builder {
        let mut builder = Local::builder().vault("my-key-vault");
        for (name, value) in &self.seeds {
            builder = builder.seed(name, value.as_str());
        }
        for name in &self.denied {
            for who in ["managed", "user"] {
                let Ok(grant) = format!("{who}:none:{name}").parse() else { continue };
                builder = builder.grant(grant);
            }
        }
        builder
    }
}
