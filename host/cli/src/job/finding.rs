//! What is wrong with a job file, and where.

use std::path::Path;

use vaultlet_host::Kind;

use super::yaml::Place;
use crate::failure::Failure;

/// One thing that is wrong.
#[derive(Clone, Debug)]
pub(super) struct Finding {
    /// Where it stands, if it stands anywhere.
    pub(super) at: Option<Place>,
    pub(super) failure: Failure,
    /// The finding where its place is known from elsewhere.
    pub(super) told: String,
    /// Whether the job is right, and only cannot run on this machine.
    pub(super) is_note: bool,
}

impl Finding {
    /// A file that cannot be read, is malformed, or says what `az` would refuse.
    pub(super) fn wrong(file: &Path, at: Option<Place>, what: &str, help: &str) -> Self {
        let message = message(file, at, what);
        let failure = Failure::own(Kind::Configuration, "job-file", message, help);
        Self { at, told: format!("{what}; {help} ({})", failure.id()), failure, is_note: false }
    }

    /// What the service does, and this program does not.
    pub(super) fn unsupported(file: &Path, at: Option<Place>, what: &str, help: &str) -> Self {
        let message = message(file, at, what);
        let failure = Failure::own(Kind::Configuration, "job-unsupported", message, help);
        Self { at, told: format!("{what}; {help} ({})", failure.id()), failure, is_note: false }
    }

    /// A reference that cannot be read.
    pub(super) fn unreadable(at: Option<Place>, failure: Failure) -> Self {
        Self { at, told: failure.line(), failure, is_note: false }
    }

    /// What findings are sorted by: the place in the file, and then those that have none.
    pub(super) fn order(&self) -> (bool, Option<(usize, usize)>) {
        (self.place().is_none(), self.place())
    }

    /// The line and the column, in this order.
    pub(super) fn place(&self) -> Option<(usize, usize)> {
        match self.at {
            Some(Place::Line { line, column }) => Some((line, column)),
            Some(Place::Set) | None => None,
        }
    }
}

fn message(file: &Path, at: Option<Place>, what: &str) -> String {
    let place = match at {
        Some(Place::Line { line, column }) => format!("line {line}, column {column}: "),
        Some(Place::Set) => "`--set`: ".to_owned(),
        None => String::new(),
    };
    format!("reading the job `{}`: {place}{what}", file.display())
}
