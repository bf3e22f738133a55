//! Resolves the references among variables: all of them, or none.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;

use vaultlet_host::references::{self, Asked, Errors, Form, Found, References, shown};
use vaultlet_host::{Error, Kind, Secret, Unrecorded, Vaultlet};
use zeroize::Zeroizing;

use super::sources::Variable;
use super::strings;
use crate::failure::Failure;
use crate::mask::Mask;
use crate::options::{CALLS_MAX, Options};

/// Variables with their values. Has no `Debug`: it holds secrets.
#[derive(Default)]
pub(crate) struct Resolved {
    /// In the order of their names.
    pub(crate) variables: Vec<(OsString, Value)>,
    /// What to mask in output, by the name of its variable.
    pub(crate) masked: Vec<(String, Zeroizing<String>)>,
    /// The references of the secrets whose values are here.
    pub(crate) used: BTreeSet<String>,
}

/// The value of a variable.
pub(crate) enum Value {
    /// It was no reference.
    Plain {
        value: OsString,
        /// Whether the environment of this process has it.
        is_inherited: bool,
    },
    /// What its reference leads to, or its default.
    Text { text: Zeroizing<String>, form: Form },
    /// There is no such secret, and the reference says that this is no error.
    Unset,
}

/// Resolves the variables that have a reference as their whole value; with `only`, no others than these.
pub(crate) fn resolve(
    variables: Vec<Variable>,
    only: &[String],
    options: &Options,
) -> Result<Resolved, Failure> {
    Ok(resolve_open(variables, only, options)?.0)
}

/// [`resolve`], with the handle that was opened, if one was: closing it takes time that can wait.
pub(crate) fn resolve_open(
    variables: Vec<Variable>,
    only: &[String],
    options: &Options,
) -> Result<(Resolved, Option<Vaultlet>), Failure> {
    let asked = read(&variables, only, options)?;
    let secrets = references::secrets(&asked);
    if secrets.is_empty() {
        options.check_policy()?;
        return Ok((assemble(variables, &asked, &Fetched::new())?, None));
    }
    let vaultlet = options.open_early(secrets.len().min(CALLS_MAX))?;
    let fetched = fetch(secrets, &vaultlet)?;
    let resolved = assemble(variables, &asked, &fetched)?;
    resolved.record(&fetched, &vaultlet)?;
    Ok((resolved, Some(vaultlet)))
}

/// Fails where [`resolve`] would, and gives out no secret.
pub(crate) fn check_readable(variables: Vec<Variable>, options: &Options) -> Result<(), Failure> {
    let asked = read(&variables, &[], options)?;
    let secrets = references::secrets(&asked);
    if secrets.is_empty() {
        return Ok(());
    }
    let vaultlet = options.open_early(secrets.len().min(CALLS_MAX))?;
    assemble(variables, &asked, &fetch(secrets, &vaultlet)?).map(drop)
}

/// Reads the references among variables; with `only`, among no others than these.
pub(super) fn read(
    variables: &[Variable],
    only: &[String],
    options: &Options,
) -> Result<References, Failure> {
    if let Some(missing) = only.iter().find(|only| !variables.iter().any(|it| it.name == ***only)) {
        return Err(Failure::usage(&format!("`--only` names `{missing}`, which is not set")));
    }
    let is_chosen = |it: &&Variable| only.is_empty() || only.iter().any(|only| it.name == **only);
    let chosen = variables.iter().filter(is_chosen).map(|it| (&*it.name, &*it.value));
    references::read_all(chosen, || options.settings())?.map_err(failed)
}

/// Gives the variables the values of these secrets: all of them, or none.
pub(super) fn assemble(
    variables: Vec<Variable>,
    asked: &References,
    secrets: &Fetched<'_>,
) -> Result<Resolved, Failure> {
    let mut resolved = Resolved::default();
    let mut failures = Vec::new();
    for Variable { name, value, is_inherited } in variables {
        let value = match asked.get(&name) {
            None => Ok(Value::Plain { value, is_inherited }),
            Some(asked) => {
                let secret = secrets.get(asked.secret.as_str());
                resolved.value(&shown(&name), asked, secret.map(found))
            }
        };
        match value {
            Ok(value) => resolved.variables.push((name, value)),
            Err(error) => failures.push((shown(&name), error)),
        }
    }
    if failures.is_empty() { Ok(resolved) } else { Err(failed(failures)) }
}

/// Secrets by their references, or why each could not be had. They must be recorded before they are given out.
pub(crate) type Fetched<'a> = BTreeMap<&'a str, Result<Unrecorded, Error>>;

/// The secret, or why it could not be had.
pub(super) fn found(got: &Result<Unrecorded, Error>) -> Result<&Secret, &Error> {
    got.as_ref().map(Unrecorded::secret)
}

/// Reads each secret once, several at a time.
pub(crate) fn fetch<'a>(
    secrets: Vec<&'a str>,
    vaultlet: &Vaultlet,
) -> Result<Fetched<'a>, Failure> {
    let results = vaultlet.get_each_blocking(&secrets)?;
    Ok(secrets.into_iter().zip(results).collect())
}

impl Resolved {
    pub(super) fn value(
        &mut self,
        name: &str,
        asked: &Asked,
        secret: Option<Result<&Secret, &Error>>,
    ) -> Result<Value, Error> {
        let Some(secret) = secret else {
            // The process would have ended.
            return Err(Error::new(Kind::Internal, "internal", "a call gave no result", ""));
        };
        let found = match asked.find(secret)? {
            Found::Nothing => return Ok(Value::Unset),
            Found::Default(text) => text,
            Found::Secret(found) => {
                self.used.insert(asked.secret.clone());
                self.mask(name, Zeroizing::new(found.reveal().to_owned()));
                // What a program prints of the secret may be another part of it.
                if let (Some(_), Ok(whole)) = (&asked.pointer, secret) {
                    // A short one is not the variable's value, and nothing is to be said of it.
                    let strings = strings::in_json(whole.reveal()).into_iter();
                    let strings = strings.filter(|it| !Mask::is_too_short(it.as_bytes()));
                    strings.for_each(|it| self.mask(name, it));
                }
                found
            }
        };
        if asked.form == Form::Env && found.reveal().contains('\0') {
            return Err(Error::new(
                Kind::InvalidArgument,
                "variable-refused",
                "the value has a null character (U+0000), which no variable can hold",
                "give it to a command as a file, by `?as=file` in `vaultlet run`",
            ));
        }
        Ok(Value::Text { text: Zeroizing::new(found.reveal().to_owned()), form: asked.form })
    }

    /// Records that these secrets are given out, which they must not be when this fails.
    pub(super) fn record(&self, secrets: &Fetched<'_>, vaultlet: &Vaultlet) -> Result<(), Failure> {
        let used = secrets.iter().filter(|(secret, _)| self.used.contains(**secret));
        Ok(vaultlet.record_blocking(used.filter_map(|(_, got)| got.as_ref().ok()))?)
    }

    fn mask(&mut self, name: &str, text: Zeroizing<String>) {
        self.masked.push((name.to_owned(), text));
    }
}

/// The failure because of these variables.
fn failed(errors: Errors) -> Failure {
    Failure::of_variables(errors.into_iter().map(|(name, error)| (name, error.into())).collect())
}
