//! Resolves the references among variables: all of them, or none.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::sync::mpsc;

use vaultlet_core::secret::SecretString;
use vaultlet_core::vault::pointer;
use vaultlet_host::{Error, Kind, Secret, Vaultlet};
use zeroize::Zeroizing;

use super::reference::{self, Asked, Form};
use super::sources::Variable;
use super::strings;
use crate::failure::Failure;
use crate::options::{CALLS_MAX, Options};

/// Variables with their values. Has no `Debug`: it holds secrets.
pub(crate) struct Resolved {
    /// In the order of their names.
    pub(crate) variables: Vec<(OsString, Value)>,
    /// What to mask in output, by the name of its variable.
    pub(crate) masked: Vec<(String, Zeroizing<String>)>,
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
    if let Some(missing) = only.iter().find(|only| !variables.iter().any(|it| it.name == ***only)) {
        return Err(Failure::usage(&format!("`--only` names `{missing}`, which is not set")));
    }
    let is_chosen = |it: &Variable| only.is_empty() || only.iter().any(|only| it.name == **only);
    let mut asked = BTreeMap::new();
    let mut failures = Vec::new();
    if variables.iter().any(|it| is_chosen(it) && reference::is_like_one(&it.value)) {
        let settings = options.settings()?;
        for variable in variables.iter().filter(|it| is_chosen(it)) {
            match reference::read(&variable.value, &settings) {
                None => {}
                Some(Ok(reference)) => drop(asked.insert(variable.name.clone(), reference)),
                Some(Err(failure)) => failures.push((shown(&variable.name), failure)),
            }
        }
    }
    if !failures.is_empty() {
        return Err(Failure::of_variables(failures));
    }
    let secrets = fetch(&asked, options)?;
    let mut resolved = Resolved { variables: Vec::new(), masked: Vec::new() };
    for Variable { name, value, is_inherited } in variables {
        let value = match asked.get(&name) {
            None => Ok(Value::Plain { value, is_inherited }),
            Some(asked) => {
                let secret = secrets.get(asked.secret.as_str());
                resolved.value(&shown(&name), asked, secret)
            }
        };
        match value {
            Ok(value) => resolved.variables.push((name, value)),
            Err(failure) => failures.push((shown(&name), failure)),
        }
    }
    if failures.is_empty() { Ok(resolved) } else { Err(Failure::of_variables(failures)) }
}

/// Secrets, by their references.
pub(crate) type Fetched<'a> = BTreeMap<&'a str, Result<Secret, Error>>;

/// Reads each secret once, several at a time.
fn fetch<'a>(
    asked: &'a BTreeMap<OsString, Asked>,
    options: &Options,
) -> Result<Fetched<'a>, Failure> {
    let mut secrets: Vec<_> = asked.values().map(|asked| asked.secret.as_str()).collect();
    secrets.sort_unstable();
    secrets.dedup();
    if secrets.is_empty() {
        return Ok(Fetched::new());
    }
    let vaultlet = options.open(secrets.len().min(CALLS_MAX))?;
    Ok(fetch_each(&vaultlet, secrets))
}

/// Reads secrets, each of which stands in the list once, several at a time.
pub(crate) fn fetch_each<'a>(vaultlet: &Vaultlet, secrets: Vec<&'a str>) -> Fetched<'a> {
    if let [secret] = secrets[..] {
        return Fetched::from([(secret, vaultlet.get_blocking(secret))]);
    }
    let (done, results) = mpsc::channel();
    for (number, secret) in secrets.iter().enumerate() {
        let done = done.clone();
        vaultlet.get_then(secret, move |result| drop(done.send((number, result))));
    }
    drop(done);
    let by_number = results.iter();
    by_number.filter_map(|(number, result)| Some((*secrets.get(number)?, result))).collect()
}

impl Resolved {
    fn value(
        &mut self,
        name: &str,
        asked: &Asked,
        secret: Option<&Result<Secret, Error>>,
    ) -> Result<Value, Failure> {
        let found = match secret {
            Some(Ok(secret)) => self.found(name, asked, secret),
            Some(Err(error)) => Err(error.clone().into()),
            // The process would have ended.
            None => {
                Err(Failure::own(Kind::Internal, "internal", "a call gave no result".into(), ""))
            }
        };
        let text = match found {
            Ok(text) => text,
            Err(failure) if failure.is_about_absence() => match (&asked.default, asked.is_optional)
            {
                (Some(default), _) => Zeroizing::new(default.clone()),
                (None, true) => return Ok(Value::Unset),
                (None, false) => return Err(failure),
            },
            Err(failure) => return Err(failure),
        };
        if asked.form == Form::Env && text.contains('\0') {
            return Err(Failure::own(
                Kind::InvalidArgument,
                "variable-refused",
                "the value has a null character (U+0000), which no variable can hold".into(),
                "give it to a command as a file, by `?as=file` in `vaultlet run`",
            ));
        }
        Ok(Value::Text { text, form: asked.form })
    }

    fn found(
        &mut self,
        name: &str,
        asked: &Asked,
        secret: &Secret,
    ) -> Result<Zeroizing<String>, Failure> {
        let Some(pointer) = &asked.pointer else {
            self.mask(name, Zeroizing::new(secret.reveal().to_owned()));
            return Ok(Zeroizing::new(secret.reveal().to_owned()));
        };
        let whole = SecretString::from(secret.reveal());
        let part = pointer::follow(&whole, pointer)?;
        // What a program prints of the secret may be another part of it.
        self.mask(name, Zeroizing::new(part.reveal().to_owned()));
        for text in strings::in_json(secret.reveal()) {
            self.mask(name, text);
        }
        Ok(Zeroizing::new(part.reveal().to_owned()))
    }

    fn mask(&mut self, name: &str, text: Zeroizing<String>) {
        self.masked.push((name.to_owned(), text));
    }
}

/// A variable's name in a message.
fn shown(name: &std::ffi::OsStr) -> String {
    name.to_string_lossy().into_owned()
}
