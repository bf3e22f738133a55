//! References in variables: which values are references, with which options, and what they lead to. The command
//! line's commands and [`Vaultlet::resolve_environment`](crate::Vaultlet::resolve_environment) share it.

mod reference;

use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};

use vaultlet_core::settings::Settings;

use crate::error::Error;
use crate::visible::on_one_line;

pub use reference::{Asked, Form, Found, is_like_one, read, with_query};

/// References by the names of their variables.
pub type References = BTreeMap<OsString, Asked>;

/// Errors with the names of the variables that they are about, in the order of the variables.
pub type Errors = Vec<(String, Error)>;

/// Reads the references among variables: all of them, or the error of each that is malformed. The settings are read
/// when the first value could be a reference.
pub fn read_all<'a, E: From<Error>>(
    variables: impl Iterator<Item = (&'a OsStr, &'a OsStr)>,
    settings: impl FnOnce() -> Result<Settings, E>,
) -> Result<Result<References, Errors>, E> {
    read_accepted(variables, |_| Ok(()), settings)
}

/// [`read_all`], in which a reference that is not accepted is an error like one that is malformed.
pub(crate) fn read_accepted<'a, S: Borrow<Settings>, E: From<Error>>(
    variables: impl Iterator<Item = (&'a OsStr, &'a OsStr)>,
    accept: impl Fn(&Asked) -> Result<(), Error>,
    settings: impl FnOnce() -> Result<S, E>,
) -> Result<Result<References, Errors>, E> {
    let mut variables = variables.filter(|(_, value)| is_like_one(value)).peekable();
    if variables.peek().is_none() {
        return Ok(Ok(References::new()));
    }
    let settings = settings()?;
    let (mut references, mut errors) = (References::new(), Errors::new());
    for (name, value) in variables {
        let reference = read(value, settings.borrow());
        match reference.map(|read| read.and_then(|asked| accept(&asked).map(|()| asked))) {
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

/// A variable's name in a message: a name may be whatever the program that started this one made of it.
pub fn shown(name: &OsStr) -> String {
    on_one_line(&name.to_string_lossy()).collect()
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::ffi::OsStrExt as _;

    use super::*;

    #[test]
    fn a_reference_that_is_not_utf_8_is_malformed_and_other_bytes_are_left() {
        let settings = || -> Result<_, Error> { Ok(Settings::read(&|_: &str| None)?) };
        for (value, is_refused) in [
            (b"akv://job/pw\xff".as_slice(), true),
            (b" AKV://job/pw?optional&\xff", true),
            (b"@Microsoft.KeyVault(\xff", true),
            (b"akv://\xff", true),
            (b"https://job.example/secrets/pw\xff", false),
            (b"\xffakv://job/pw", false),
        ] {
            let variables = [(OsStr::new("A\u{1b}[1m\nB"), OsStr::from_bytes(value))];
            let read = read_all(variables.into_iter(), settings).unwrap();
            let refused = read.err().unwrap_or_default();
            let refused: Vec<_> =
                refused.iter().map(|(name, it)| (name.as_str(), it.id.as_str())).collect();
            let expected = if is_refused { vec![("A B", "reference-malformed")] } else { vec![] };
            assert_eq!(refused, expected, "{value:?}");
        }
    }
}
