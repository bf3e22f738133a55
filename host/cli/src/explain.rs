//! `vaultlet explain`.

use std::process::ExitCode;

use clap::Args;

use crate::failure::Failure;
use crate::ids::{self, Entry};
use crate::output;

/// Explain an error id: what it means and what to do
///
/// The id is the word in parentheses at the end of an error. Without an ID, lists all of them. Does not
/// touch the network.
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
            Some(id) => output::plain(&explanation(&id)?)?,
            None => output::plain(&ids::all().map(|entry| entry.line()).collect::<String>())?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn explanation(id: &str) -> Result<String, Failure> {
    // An error line has the id in parentheses.
    let id = id.trim_matches(['(', ')']);
    match ids::all().find(|entry| entry.id == id) {
        Some(entry) => Ok(format!("{}\n\n{}", entry.id, entry.text())),
        None => Err(unknown(id)),
    }
}

/// The failure for an unknown id, which suggests the most similar one.
fn unknown(id: &str) -> Failure {
    /// The similarity, of at most 1, from which an id is suggested.
    const SIMILAR: f64 = 0.75;
    let similarity = |entry: &Entry| strsim::jaro_winkler(entry.id, id);
    let nearest = ids::all().max_by(|a, b| similarity(a).total_cmp(&similarity(b)));
    let help = match nearest.filter(|entry| similarity(entry) >= SIMILAR) {
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
            assert!(explanation(entry.id).unwrap().starts_with(entry.id));
        }
        assert_eq!(
            explanation("(vault-forbidden)").unwrap(),
            explanation("vault-forbidden").unwrap()
        );
        let suggested = format!("{:?}", explanation("vault-forbiden").err().unwrap());
        assert!(suggested.contains("try `vault-forbidden`"), "{suggested}");
        let strange = format!("{:?}", explanation("%!").err().unwrap());
        assert!(!strange.contains("try `"), "{strange}");
    }
}
