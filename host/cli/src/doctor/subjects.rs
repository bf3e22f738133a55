//! The references to check: those of the arguments, and those in env files and the environment, as `run` finds
//! them.

use std::ffi::OsStr;

use vaultlet_core::secret::SecretString;
use vaultlet_core::settings::{Cloud, Settings};
use vaultlet_core::vault::{Reference, pointer};
use vaultlet_host::references::{self, Asked, Found};
use vaultlet_host::{Error, Secret};

use crate::failure::Failure;
use crate::options::Options;
use crate::references::Sources;

/// The references, and what is wrong with others.
#[derive(Default)]
pub(super) struct Subjects {
    found: Vec<Subject>,
    /// What cannot be read: the text, if it is a malformed reference, and why.
    pub(super) wrong: Vec<(Option<String>, Failure)>,
}

/// A reference to check.
pub(super) struct Subject {
    /// The variable that has it; `None` for an argument.
    pub(super) variable: Option<String>,
    /// The secret's reference in canonical form.
    pub(super) secret: String,
    /// The vault's host, with the port if it is not the usual one.
    pub(super) vault: String,
    /// The resource that tokens for the vault are for, where its host says so.
    pub(super) resource: Option<&'static str>,
    /// The reference with its options; `None` in a form that only arguments have.
    asked: Option<Asked>,
    pointer: Option<String>,
}

impl Subjects {
    pub(super) fn find(arguments: &[String], sources: &Sources, options: &Options) -> Self {
        let mut subjects = Self::default();
        // Without settings there is no handle, either, and that is said elsewhere.
        let Ok(settings) = options.settings() else { return subjects };
        for argument in arguments {
            // As a variable has it, with the options of `run`; or in another form that `get` takes.
            match references::read(OsStr::new(argument), &settings) {
                Some(Ok(asked)) => subjects.add(None, asked, &settings),
                Some(Err(error)) => subjects.wrong.push((Some(argument.clone()), error.into())),
                None => match Reference::parse(argument, &settings) {
                    Ok(reference) => subjects.found.push(Subject::new(None, None, reference)),
                    Err(error) => subjects.wrong.push((Some(argument.clone()), error.into())),
                },
            }
        }
        let variables = match sources.with_environment() {
            Ok(variables) => variables,
            Err(failure) => {
                subjects.wrong.push((None, failure));
                Sources::default().with_environment().unwrap_or_default()
            }
        };
        for variable in variables {
            let name = references::shown(&variable.name);
            match references::read(&variable.value, &settings) {
                None => {}
                Some(Ok(asked)) => subjects.add(Some(name), asked, &settings),
                Some(Err(error)) => {
                    let text = variable.value.to_string_lossy().into_owned();
                    subjects.wrong.push((Some(text), Failure::from(error).about(&name)));
                }
            }
        }
        subjects
    }

    /// The references that can be read.
    pub(super) fn usable(&self) -> impl Iterator<Item = &Subject> {
        self.found.iter()
    }

    fn add(&mut self, variable: Option<String>, asked: Asked, settings: &Settings) {
        match Reference::parse(&asked.secret, settings) {
            Ok(reference) => self.found.push(Subject::new(variable, Some(asked), reference)),
            Err(error) => self.wrong.push((None, error.into())),
        }
    }
}

impl Subject {
    fn new(variable: Option<String>, asked: Option<Asked>, reference: Reference) -> Self {
        let pointer = reference.pointer.clone();
        let reference = Reference { pointer: None, ..reference };
        let resource = Cloud::of_vault(&reference.vault).map(Cloud::resource);
        let vault = reference.vault.short_host_and_port();
        Self { variable, secret: reference.canonical(), vault, resource, asked, pointer }
    }

    /// How the subject is called in findings.
    pub(super) fn name(&self) -> String {
        match &self.variable {
            Some(variable) => format!("{variable} ({})", self.secret),
            None => self.secret.clone(),
        }
    }

    /// Whether there is what the reference names; an error unless the reference says that there need not be.
    pub(super) fn is_there(&self, secret: Result<&Secret, &Error>) -> Result<bool, Failure> {
        if let Some(asked) = &self.asked {
            return Ok(matches!(asked.find(secret)?, Found::Secret(_)));
        }
        let whole = SecretString::from(secret.map_err(Clone::clone)?.reveal());
        if let Some(path) = &self.pointer {
            pointer::follow(&whole, path)?;
        }
        Ok(true)
    }
}
