//! `vaultlet explain`.

use std::process::ExitCode;

use clap::Args;

use crate::failure::Failure;
use crate::ids::{self, Entry};
use crate::output;

/// Explain an error id: what it means and what to do
///
/// The id is what stands in parentheses at the end of an error. Without an ID, lists all of them.
/// Nothing is sent.
#[derive(Args)]
#[command(after_help = "\
Examples:
  vaultlet explain vault-forbidden
  vaultlet explain")]
pub(crate) struct Explain {
    /// The error id
    #[arg(value_name = "ID")]
    id: Option<String>,
}

impl Explain {
    pub(crate) fn run(self) -> Result<ExitCode, Failure> {
        match self.id {
            Some(id) => output::plain(&explained(&id)?)?,
            None => output::plain(&ids::all().map(|entry| entry.line()).collect::<String>())?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn explained(id: &str) -> Result<String, Failure> {
    // As it stands in an error line.
    let id = id.trim_matches(['(', ')']);
    match ids::all().find(|entry| entry.id == id) {
        Some(entry) => Ok(format!("{}\n\n{}", entry.id, entry.text())),
        None => Err(unknown(id)),
    }
}

/// Names the id that was most likely meant.
fn unknown(id: &str) -> Failure {
    /// How alike two ids are when one may be meant by the other, of 1.
    const ALIKE: f64 = 0.75;
    let likeness = |entry: &Entry| strsim::jaro_winkler(entry.id, id);
    let nearest = ids::all().max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
    let help = match nearest.filter(|entry| likeness(entry) >= ALIKE) {
        Some(entry) => format!("try `{}`, or see all ids by `vaultlet explain`", entry.id),
        None => "see all ids by `vaultlet explain`".to_owned(),
    };
    Failure::usage(&format!("there is no error id `{id}`")).with_help(&help)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_id_is_explained_and_a_near_one_is_suggested() {
        for entry in ids::all() {
            assert!(explained(entry.id).unwrap().starts_with(entry.id));
        }
        assert_eq!(explained("(vault-forbidden)").unwrap(), explained("vault-forbidden").unwrap());
        let suggested = format!("{:?}", explained("vault-forbiden").err().unwrap());
        assert!(suggested.contains("try `vault-forbidden`"), "{suggested}");
        let strange = format!("{:?}", explained("%!").err().unwrap());
        assert!(!strange.contains("try `"), "{strange}");
    }
}
