//! References in variables: which values are references, with which options, and what they lead to. The command
//! line's commands and [`Vaultlet::resolve_environment`](crate::Vaultlet::resolve_environment) share it.

mod reference;

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};

use vaultlet_core::settings::Settings;

use crate::error::Error;

pub use reference::{Asked, Form, Found, is_like_one, read};

/// References by the names of their variables.
pub type References = BTreeMap<OsString, Asked>;

/// Errors with the names of the variables that they are about, in the order of the variables.
pub type Errors = Vec<(String, Error)>;

/// Reads the references among variables: all of them, or the error of each that is malformed. The settings are
/// read when the first value could be a reference.
pub fn read_all<'a, E: From<Error>>(
    variables: impl Iterator<Item = (&'a OsStr, &'a OsStr)>,
    settings: impl FnOnce() -> Result<Settings, E>,
) -> Result<Result<References, Errors>, E> {
    let mut variables = variables.filter(|(_, value)| is_like_one(value)).peekable();
    if variables.peek().is_none() {
        return Ok(Ok(References::new()));
    }
    let settings = settings()?;
    let (mut references, mut errors) = (References::new(), Errors::new());
    for (name, value) in variables {
        match read(value, &settings) {
            None => {}
            Some(Ok(asked)) => drop(references.insert(name.to_owned(), asked)),
            Some(Err(error)) => errors.push((shown(name), error)),
        }
    }
    Ok(if errors.is_empty() { Ok(references) } else { Err(errors) })
}

/// The secrets that references name, each once.
pub fn secrets(references: &References) -> Vec<&str> {
    let mut secrets: Vec<_> = references.values().map(|asked| asked.secret.as_str()).collect();
    secrets.sort_unstable();
    secrets.dedup();
    secrets
}

/// A variable's name in a message.
pub fn shown(name: &OsStr) -> String {
    name.to_string_lossy().into_owned()
}
