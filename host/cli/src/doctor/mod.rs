//! `vaultlet doctor`: checks what a job needs to read its secrets, step by step.

mod bundle;
mod checks;
mod facts;
mod finding;
mod subjects;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use serde::Serialize;
use zeroize::Zeroizing;

use crate::failure::Failure;
use crate::options::Options;
use crate::output::{self, Format};
use crate::policy_flag::PolicyFlag;
use crate::references::Sources;
use crate::trimmed;

use facts::Facts;
use finding::Finding;
use subjects::Subjects;

/// Find out why secrets cannot be read here
///
/// Checks the machine, the identity, its token, the way to each vault, and each secret, and prints a line for
/// each check: ok, warn or fail, what was seen, and what to do. The secrets are those of the arguments, of env
/// files, and of the variables that are set, as `vaultlet run` finds them. No value is shown.
///
/// The exit code is that of the first check that fails, as other commands have it: 79 when there is no identity, 77
/// when it may not read the secret. A check that cannot be made because an earlier one failed is a warning.
///
/// With --bundle everything that was seen is also written to a new file for a ticket, in which nothing is secret: it
/// has the names of variables that are set, and only such values as ids and the servers of URLs.
#[derive(Args)]
#[command(after_help = "\
Examples:
  vaultlet doctor akv://my-key-vault/db-password
  vaultlet doctor --env-file job.env
  vaultlet doctor --bundle ticket.json")]
pub(crate) struct Doctor {
    /// The secrets to check, besides those of variables
    #[arg(value_name = "REFERENCE")]
    references: Vec<String>,
    #[command(flatten)]
    sources: Sources,
    /// Write what was seen to this new file, for a ticket
    #[arg(long, value_name = "FILE")]
    bundle: Option<PathBuf>,
    /// table or json
    #[arg(long, short, value_enum, value_parser = trimmed::word::<Format>(), default_value_t = Format::Table, value_name = "FORMAT")]
    pub(crate) output: Format,
    #[command(flatten)]
    policy: PolicyFlag,
    #[command(flatten)]
    options: Options,
}

/// The answer as JSON.
#[derive(Serialize)]
struct Answer<'a> {
    checks: &'a [Finding],
}

impl Doctor {
    pub(crate) fn run(self) -> Result<ExitCode, Failure> {
        if let Some(path) = &self.bundle {
            bundle::check(path)?;
        }
        // An error in an argument ends the command; what is wrong with a file is found by a check.
        self.sources.check()?;
        let mut options = self.options;
        self.policy.apply(&mut options);
        let subjects = Subjects::find(&self.references, &self.sources, &options);
        let facts = Facts::new(&options, subjects, self.sources.files());
        let is_table = self.output == Format::Table;
        let mut findings: Vec<Finding> = Vec::new();
        for (id, check) in checks::ALL {
            for result in checks::make(id, *check, &facts) {
                let finding = result.named(id);
                // A person sees how far it is.
                if is_table {
                    output::plain(&finding.line())?;
                }
                findings.push(finding);
            }
        }
        if !is_table {
            let answer = Answer { checks: &findings };
            let json = serde_json::to_string(&answer).map_err(|e| output::failed(&e.into()))?;
            output::json(&[Zeroizing::new(json + "\n")])?;
        }
        if let Some(path) = &self.bundle {
            bundle::write(path, &facts, &findings)?;
        }
        match findings.into_iter().find_map(|finding| finding.failure) {
            None => Ok(ExitCode::SUCCESS),
            // A person has read it above.
            Some(failure) if is_table => Ok(ExitCode::from(failure.exit())),
            Some(failure) => Err(failure),
        }
    }
}
