//! `vaultlet job`: Azure ML command jobs on this machine.

mod characters;
mod check;
mod command;
#[cfg_attr(windows, allow(dead_code, reason = "a job is checked there, and not run"))]
mod data;
mod definition;
#[cfg_attr(windows, allow(dead_code, reason = "a job is checked there, and not run"))]
mod distribution;
mod file;
mod finding;
#[cfg_attr(windows, allow(dead_code, reason = "a job is checked there, and not run"))]
mod identity;
#[cfg(feature = "dev")]
mod in_dev;
mod mentions;
mod reader;
mod scalar;
mod shown;
#[cfg_attr(windows, path = "windows/start.rs")]
mod start;
mod yaml;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::builder::PathBufValueParser;
use clap::{Args, Subcommand, ValueEnum};

use crate::child::Signals;
use crate::failure::{Failure, Report};
use crate::options::Options;
use crate::policy_flag::PolicyFlag;
use crate::trimmed;

use definition::{Identity, UserAssigned};

pub(crate) use check::references_of;

/// Run or check an Azure ML command job on this machine
#[derive(Args)]
pub(crate) struct Job {
    #[command(subcommand)]
    action: Action,
}

/// The subcommands of `vaultlet job`.
#[derive(Subcommand)]
enum Action {
    Run(Run),
    Check(Check),
}

/// Run an Azure ML command job on this machine, as the service would
///
/// FILE is the YAML of `az ml job create`. Its command runs in the folder of its code, with its environment
/// variables, in which references are replaced by secrets as by `vaultlet run`, and with the paths and values of its
/// inputs and outputs. A distribution starts as many processes as it asks for on one node, each with the variables
/// by which they find each other; when one fails the others are ended. The exit code is the command's, or that of
/// the process that failed first.
///
/// The identity is the one that the file asks for: user_identity is the user of this machine's job, or else of
/// `az login`, managed is the managed identity of this machine. With --dev both are those of a local Azure.
///
/// Outputs without a path are folders in ./outputs. Compute, environment and the like mean nothing here.
#[derive(Args)]
#[cfg_attr(windows, command(before_help = "Not on Windows: the command of a job is for bash."))]
#[command(after_help = "\
Examples:
  vaultlet job run job.yml --dev --seed db-password=hunter2
  vaultlet job run job.yml --as user
  vaultlet job run job.yml --set inputs.epochs=1 --set resources.instance_count=1")]
struct Run {
    #[command(flatten)]
    target: Target,
    #[cfg(feature = "dev")]
    #[command(flatten)]
    dev: in_dev::Flags,
    /// json: report errors as one JSON object on stderr
    #[arg(long, short, value_enum, value_name = "FORMAT")]
    output: Option<Json>,
    #[command(flatten)]
    policy: PolicyFlag,
    #[command(flatten)]
    options: Options,
}

/// List what is wrong with an Azure ML command job
///
/// Finds what `az ml job create` or the service would refuse, and each reference in the file that the identity may
/// not read: in environment variables, inputs and the command. Secrets are read and forgotten. Prints a line for each
/// finding, and a note for what only the service can do. The exit code is that of the first finding, or 0.
#[derive(Args)]
#[command(after_help = "\
Examples:
  vaultlet job check job.yml
  vaultlet job check job.yml --as user -o json")]
struct Check {
    #[command(flatten)]
    target: Target,
    /// text, or json: one object
    #[arg(long, short, value_enum, value_parser = trimmed::word::<Format>(), default_value_t = Format::Text, value_name = "FORMAT")]
    output: Format,
    #[command(flatten)]
    policy: PolicyFlag,
    #[command(flatten)]
    options: Options,
}

/// A job, with what is changed in it.
#[derive(Args)]
struct Target {
    /// The YAML file of a command job (- is stdin; the command then has an empty one)
    #[arg(value_name = "FILE", value_parser = PathBufValueParser::new())]
    file: PathBuf,
    /// Run the job as its user, or as a managed identity [default: as the file says]
    #[arg(long = "as", value_enum, value_parser = trimmed::word::<As>(), value_name = "WHO")]
    run_as: Option<As>,
    /// Set a member of the file for this run, as in resources.instance_count=1; may be repeated
    #[arg(long, value_name = "PATH=VALUE")]
    set: Vec<String>,
}

/// An identity that Azure ML can give a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum As {
    /// The user who submits the job
    User,
    /// The managed identity of the compute
    Managed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Json {
    /// One JSON object on stderr
    Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A line for each finding
    Text,
    /// One JSON object
    Json,
}

impl Job {
    /// Whether errors are to be reported as JSON.
    pub(crate) fn reports_json(&self) -> bool {
        match &self.action {
            Action::Run(run) => run.output.is_some(),
            Action::Check(check) => check.output == Format::Json,
        }
    }

    pub(crate) fn run(self) -> Result<ExitCode, Failure> {
        match self.action {
            Action::Run(run) => run.run(),
            Action::Check(check) => check.run(),
        }
    }
}

impl Run {
    fn run(self) -> Result<ExitCode, Failure> {
        start::check_system()?;
        // Before anything else: a thread that is started earlier would get the signals.
        let signals = Signals::block();
        let report = if self.output.is_some() { Report::Json } else { Report::Line };
        #[cfg(feature = "dev")]
        self.dev.check(&self.target.file)?;
        let job = file::read(&self.target.file, &self.target.changes()?, false)?;
        if let Some(first) = job.findings.first() {
            // As JSON there is one error.
            if report == Report::Json {
                return Err(first.failure.clone());
            }
            for finding in &job.findings {
                finding.failure.report(report);
            }
            return Ok(ExitCode::from(first.failure.exit()));
        }
        let identity = self.target.identity(&job.definition.identity);
        #[cfg(feature = "dev")]
        if self.dev.is_wanted()? {
            return self.dev.run(job, &identity, &signals);
        }
        job.notes.iter().for_each(|note| start::say(note));
        identity::note(&identity);
        let mut options = identity::options(self.options, &identity);
        self.policy.apply(&mut options);
        start::start(job, &identity, options, &signals)
    }
}

impl Check {
    fn run(self) -> Result<ExitCode, Failure> {
        let job = file::read(&self.target.file, &self.target.changes()?, true)?;
        let identity = self.target.identity(&job.definition.identity);
        job.notes.iter().for_each(|note| start::say(note));
        let mut options = identity::options(self.options, &identity);
        self.policy.apply(&mut options);
        check::check(job, &options, self.output == Format::Json)
    }
}

impl Target {
    /// What `--set` changes.
    fn changes(&self) -> Result<Vec<(String, String)>, Failure> {
        let change = |text: &String| {
            let change =
                text.split_once('=').map(|(path, value)| (path.trim().into(), value.into()));
            change.ok_or_else(|| Failure::usage("`--set` takes PATH=VALUE, as in inputs.epochs=1"))
        };
        self.set.iter().map(change).collect()
    }

    /// The identity that the job runs as.
    fn identity(&self, of_file: &Identity) -> Identity {
        match (self.run_as, of_file) {
            (None, of_file) | (Some(As::Managed), of_file @ Identity::Managed(_)) => {
                of_file.clone()
            }
            (Some(As::User), _) => Identity::User,
            (Some(As::Managed), _) => Identity::Managed(UserAssigned::default()),
        }
    }
}
