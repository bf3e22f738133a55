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
}

impl Finding {
    /// A file that cannot be read, is malformed, or says what `az` would refuse.
    pub(super) fn wrong(file: &Path, at: Option<Place>, what: &str, help: &str) -> Self {
        Self::new("job-file", file, at, what, help)
    }

    /// What the service does, and this program does not.
    pub(super) fn unsupported(file: &Path, at: Option<Place>, what: &str, help: &str) -> Self {
        Self::new("job-unsupported", file, at, what, help)
    }

    fn new(id: &str, file: &Path, at: Option<Place>, what: &str, help: &str) -> Self {
        let place = match at {
            Some(Place::Line { line, column }) => format!("line {line}, column {column}: "),
            Some(Place::Set) => "`--set`: ".to_owned(),
            None => String::new(),
        };
        let message = format!("reading the job `{}`: {place}{what}", file.display());
        let failure = Failure::own(Kind::Configuration, id, message, help);
        Self { at, failure, told: format!("{what}; {help} ({id})") }
    }

    /// A reference that cannot be read.
    pub(super) fn unreadable(at: Option<Place>, failure: Failure) -> Self {
        Self { at, told: failure.told(), failure }
    }

    /// The line and the column, in this order.
    pub(super) fn place(&self) -> Option<(usize, usize)> {
        match self.at {
            Some(Place::Line { line, column }) => Some((line, column)),
            Some(Place::Set) | None => None,
        }
    }
}
