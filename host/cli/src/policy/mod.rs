//! `vaultlet policy`: whether a policy is right, what it says of a reference, and a policy to begin with.

mod check;
mod init;
mod test;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::builder::PathBufValueParser;
use clap::{Args, Subcommand};
use vaultlet_host::Policy as Rules;

use crate::failure::Failure;

/// Check, try out or write a policy
///
/// A policy is a TOML file that says which secrets may be read, by which users and programs, and where each secret that
/// is given out is recorded. What it does not allow is denied before anybody is asked. The commands get, run, inject,
/// export, redact, job, doctor and agent obey the one of --policy FILE, or of VAULTLET_POLICY, and so does each
/// language's package; without either of them no policy is read.
#[derive(Args)]
#[command(after_help = "\
A policy:
  [[allow]]
  reference = \"akv://my-key-vault/train-*\"   # * is any run of characters but /
  versions = \"any\"                           # the default; or \"latest\"
  user = [\"trainer\"]                         # the agent's client, else this user; default: every user
  program = [\"/usr/bin/python3*\"]            # the agent's client, else COMMAND; default: every program
  [audit]
  file = \"/var/log/vaultlet.jsonl\"           # or \"stderr\", \"journal\"

Examples:
  vaultlet policy init --env-file job.env --out-file policy.toml
  vaultlet policy check --policy policy.toml
  vaultlet policy test akv://my-key-vault/db-password --policy policy.toml
  vaultlet run --policy policy.toml --env-file job.env -- python train.py")]
pub(crate) struct Policy {
    #[command(subcommand)]
    action: Action,
}

/// The subcommands of `vaultlet policy`.
#[derive(Subcommand)]
enum Action {
    Check(check::Check),
    Test(test::Test),
    Init(init::Init),
}

/// The file of a policy.
#[derive(Args)]
struct PolicyFile {
    /// The policy
    #[arg(long, value_name = "FILE", value_parser = PathBufValueParser::new())]
    policy: Option<PathBuf>,
}

impl PolicyFile {
    fn load(&self) -> Result<Rules, Failure> {
        let Some(path) = self.policy.as_ref().filter(|path| !path.as_os_str().is_empty()) else {
            return Err(Failure::usage("`--policy` (`VAULTLET_POLICY`) is missing"));
        };
        Ok(Rules::load(path)?)
    }
}

impl Policy {
    /// Whether errors are to be reported as JSON.
    pub(crate) fn reports_json(&self) -> bool {
        match &self.action {
            Action::Check(check) => check.reports_json(),
            Action::Test(test) => test.reports_json(),
            Action::Init(_) => false,
        }
    }

    pub(crate) fn run(self) -> Result<ExitCode, Failure> {
        match self.action {
            Action::Check(check) => check.run(),
            Action::Test(test) => test.run(),
            Action::Init(init) => init.run(),
        }
    }
}
