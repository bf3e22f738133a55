//! `vaultlet policy init`: a policy that allows what a job asks for, and nothing else.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use clap::builder::PathBufValueParser;
use vaultlet_core::settings::Settings;
use vaultlet_host::{Canonical, Kind, references};

use crate::failure::Failure;
use crate::job;
use crate::options::Options;
use crate::output;
use crate::references::Sources;
use crate::system::set_mode;

/// Write a policy that allows the references of a job
///
/// The references are those of an Azure ML job file, if one is named, else of the environment, and those of env files
/// and of -e, as `vaultlet job run` and `vaultlet run` find them. Each has a rule, with the names of its variables in a
/// comment. Nothing is asked, and no secret is read.
#[derive(Args)]
#[command(after_help = "\
Examples:
  vaultlet policy init job.yml --out-file policy.toml
  vaultlet policy init --env-file job.env
  DB_PASSWORD=akv://my-key-vault/db-password vaultlet policy init")]
pub(super) struct Init {
    /// The YAML file of an Azure ML command job (- is stdin)
    #[arg(value_name = "JOB", value_parser = PathBufValueParser::new())]
    job: Option<PathBuf>,
    #[command(flatten)]
    sources: Sources,
    /// A new file for the policy; - is stdout, the default
    #[arg(long, short, value_name = "FILE")]
    out_file: Option<PathBuf>,
    #[command(flatten)]
    options: Options,
}

/// The secrets to allow, each with what names it.
#[derive(Default)]
struct Secrets(BTreeMap<String, Vec<String>>);

impl Init {
    pub(super) fn run(self) -> Result<ExitCode, Failure> {
        let Self { job, sources, out_file, options } = self;
        let settings = options.settings()?;
        let mut secrets = Secrets::default();
        let mut failures = Vec::new();
        if let Some(file) = &job {
            if file.as_os_str() == "-" && sources.has_stdin() {
                return Err(Failure::usage("the job and `--env-file` cannot both be stdin"));
            }
            for (path, text) in job::references_of(file, &settings)? {
                if let Err(failure) = secrets.add(&path, OsStr::new(&text), &settings) {
                    failures.push((path, failure));
                }
            }
        }
        for variable in sources.with_environment()? {
            if job.is_some() && variable.is_inherited {
                continue;
            }
            let name = references::shown(&variable.name);
            if let Err(failure) = secrets.add(&name, &variable.value, &settings) {
                failures.push((name, failure));
            }
        }
        if !failures.is_empty() {
            return Err(Failure::of_variables(failures));
        }
        if secrets.0.is_empty() {
            let what = "there is no reference, so that the policy allows nothing";
            let _ = writeln!(io::stderr(), "vaultlet: {what}");
        }
        match out_file.filter(|path| path.as_os_str() != "-") {
            Some(path) => write(&path, &secrets.text())?,
            None => output::plain(&secrets.text())?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl Secrets {
    /// Adds what a value refers to, if it is a reference.
    fn add(&mut self, name: &str, value: &OsStr, settings: &Settings) -> Result<(), Failure> {
        let secret = match references::read(value, settings) {
            None => return Ok(()),
            Some(asked) => asked?.secret,
        };
        let secret = Canonical::read(&secret, settings)?;
        let names = self.0.entry(secret.as_str().to_owned()).or_default();
        if !names.iter().any(|other| other == name) {
            names.push(name.to_owned());
        }
        Ok(())
    }

    fn text(&self) -> String {
        let mut text = "\
# What is not allowed here is denied. `vaultlet policy --help` says what else a rule can have.
"
        .to_owned();
        for (secret, names) in &self.0 {
            let _ = write!(text, "\n[[allow]]\n# {}\nreference = \"{secret}\"\n", names.join(", "));
        }
        text.push_str(
            "\n# [audit]\n# file = \"/var/log/vaultlet.jsonl\"   # or \"stderr\", \"journal\"\n",
        );
        text
    }
}

/// Writes a new file. Nobody but its owner may write it, as policies must be.
fn write(path: &Path, text: &str) -> Result<(), Failure> {
    let doing = format!("writing the policy `{}`", path.display());
    let mut options = std::fs::File::options();
    set_mode(&mut options, 0o644);
    match options.write(true).create_new(true).open(path) {
        Ok(mut file) => file.write_all(text.as_bytes()).map_err(|error| {
            let _ = std::fs::remove_file(path);
            not_written(&doing, &error)
        }),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let message = format!("{doing}: it exists already");
            let help = "name a new file, or remove the old one";
            Err(Failure::own(Kind::Conflict, "policy-exists", message, help))
        }
        Err(error) => Err(not_written(&doing, &error)),
    }
}

fn not_written(doing: &str, error: &io::Error) -> Failure {
    let message = format!("{doing}: {}", error.to_string().to_lowercase());
    let help = "name a file in a folder that you may write to";
    Failure::own(Kind::Unavailable, "output-failed", message, help)
}
