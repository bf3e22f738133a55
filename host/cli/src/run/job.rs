//! What is started: the command with its variables, files and identity; several times, if it is watched.

use std::ffi::{OsStr, OsString};
use std::process::Command;

use super::files::Files;
use super::identity::Identity;
use crate::child::{self, Descriptor};
use crate::failure::Failure;
use crate::references::{Form, Value};

/// A command to start. Has no `Debug`: it holds secrets.
pub(super) struct Job {
    words: Vec<OsString>,
    variables: Vec<(OsString, Value)>,
    identity: Identity,
    files: Files,
}

impl Job {
    pub(super) fn new(
        words: Vec<OsString>,
        variables: Vec<(OsString, Value)>,
        identity: Identity,
    ) -> Self {
        Self { words, variables, identity, files: Files::default() }
    }

    /// The command, ready to be started. Files that it reads have their content.
    pub(super) fn command(&mut self) -> Result<Command, Failure> {
        let Some(mut command) = child::command(&self.words) else {
            return Err(Failure::usage("there is no command after `--`"));
        };
        self.identity.apply(&mut command);
        for (name, value) in &self.variables {
            match value {
                Value::Plain { is_inherited: true, .. } => {}
                Value::Plain { value, .. } => drop(command.env(name, value)),
                Value::Text { text, form: Form::Env } => drop(command.env(name, text.as_str())),
                Value::Text { text, form: Form::File } => {
                    command.env(name, self.files.file(name, text.as_bytes())?);
                }
                Value::Text { text, form: Form::Fd } => {
                    command.env(name, self.files.descriptor(name, text.as_bytes())?);
                }
                Value::Unset => drop(command.env_remove(name)),
            }
        }
        child::hand_down(&mut command, self.files.handed_down());
        Ok(command)
    }

    /// The descriptors that the command inherits besides its standard streams.
    pub(super) fn handed_down(&self) -> Vec<Descriptor> {
        self.files.handed_down()
    }

    /// Takes other values for variables, for the next start.
    pub(super) fn take(&mut self, changed: Vec<(OsString, Value)>) {
        for (name, value) in changed {
            if let Some((_, kept)) = self.variables.iter_mut().find(|(other, _)| *other == name) {
                *kept = value;
            }
        }
    }

    /// Gives the files of these variables, which the command that runs has the paths of, their new content.
    pub(super) fn update(&mut self, changed: &[(OsString, Value)]) -> Result<(), Failure> {
        for (name, value) in changed {
            match value {
                Value::Text { text, form: Form::File } if self.has(name) => {
                    self.files.file(name, text.as_bytes())?;
                }
                Value::Text { text, form: Form::Fd } => {
                    self.files.rewrite(name, text.as_bytes())?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Whether the command was given a value of this variable.
    fn has(&self, name: &OsStr) -> bool {
        let mut values = self.variables.iter();
        values.any(|(other, value)| other == name && !matches!(value, Value::Unset))
    }

    /// Whether this process must outlive the command.
    pub(super) fn must_be_kept(&self) -> bool {
        self.files.must_be_kept() || self.identity.must_be_kept()
    }

    /// Forgets the values, which the command has by now.
    pub(super) fn forget(&mut self) {
        self.variables.clear();
    }
}
