//! `vaultlet export`: the variables that `vaultlet run` would set, in the format of another program.

mod format;
mod github;

use std::ffi::OsStr;
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use vaultlet_core::command::variables::is_name;
use vaultlet_host::Kind;
use vaultlet_host::references::shown;
use zeroize::Zeroizing;

use crate::child::Signals;
use crate::failure::Failure;
use crate::options::Options;
use crate::output;
use crate::policy_flag::PolicyFlag;
use crate::references::{Resolved, Sources, Value, refuse_options, resolve};
use crate::trimmed;

/// Print the variables that `vaultlet run` would set
///
/// These are the secrets that variables of the environment refer to, and all variables of env files and of -e, which
/// wins: with secrets in place of references, and others as they are. All secrets are read before anything is
/// printed, or nothing is.
///
/// With -f sh the output is the line (exit N) when it fails, so that a shell that evaluates it fails, too. With -f
/// github the variables are written to the file in GITHUB_ENV, if it is set, and lines that mask the secrets in the
/// job's log are printed.
#[derive(Args)]
#[command(after_help = "\
Examples:
  eval \"$(vaultlet export -f sh -e DB_PASSWORD=akv://my-key-vault/db-password)\" || exit
  vaultlet export -f fish --env-file job.env | source
  vaultlet export -f powershell --env-file job.env | Out-String | Invoke-Expression
  vaultlet export -f github -e HF_TOKEN=akv://my-key-vault/hub-token")]
pub(crate) struct Export {
    /// The format: dotenv, sh, fish, powershell, json or github
    #[arg(long, short, value_enum, value_parser = trimmed::word::<Format>(), value_name = "FORMAT", hide_possible_values = true)]
    pub(crate) format: Option<Format>,
    #[command(flatten)]
    sources: Sources,
    /// Resolve these variables only, each of which must be set; may be repeated
    #[arg(long, value_name = "NAME,…", value_delimiter = ',', value_parser = trimmed::text())]
    only: Vec<String>,
    #[command(flatten)]
    policy: PolicyFlag,
    #[command(flatten)]
    options: Options,
}

/// The program that reads the variables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Lines NAME=VALUE, as env files have them
    #[value(alias = "env")]
    Dotenv,
    /// export NAME='quoted', for POSIX shells
    #[value(aliases = ["bash", "zsh"])]
    Sh,
    /// set -gx NAME 'quoted'
    Fish,
    /// $env:NAME = 'quoted'
    #[value(aliases = ["pwsh", "ps1"])]
    Powershell,
    /// One JSON object
    Json,
    /// GitHub Actions
    Github,
}

/// A variable with its value. Has no `Debug`: it may hold a secret.
struct Variable {
    name: String,
    value: Bytes,
    is_secret: bool,
}

type Bytes = Zeroizing<Vec<u8>>;

impl Export {
    pub(crate) fn run(self) -> Result<ExitCode, Failure> {
        let Self { format, sources, only, policy, mut options } = self;
        policy.apply(&mut options);
        let Some(format) = format else {
            return Err(Failure::usage(
                "`--format` is missing: dotenv, sh, fish, powershell, json or github",
            ));
        };
        let read = || {
            let variables = sources.with_environment()?;
            refuse_options(&variables, &only, &options)?;
            variables_of(resolve(variables, &only, &options)?, format)
        };
        let variables = if format == Format::Sh {
            // A shell that evaluates the output must not go on.
            let signals = Signals::block();
            match signals.unless_interrupted_in_shell(read) {
                Ok(read) => {
                    signals.heed();
                    read?
                }
                Err(interrupted) => return Ok(interrupted),
            }
        } else {
            read()?
        };
        match format {
            Format::Json => output::json(&[format::json(&variables)?])?,
            Format::Github => github::write(&variables)?,
            Format::Dotenv => output::bytes(&format::lines(&variables, format::dotenv))?,
            Format::Sh => output::bytes(&format::lines(&variables, format::sh))?,
            Format::Fish => output::bytes(&format::lines(&variables, format::fish))?,
            Format::Powershell => output::bytes(&format::lines(&variables, format::powershell))?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// The variables that a command would not have without us.
fn variables_of(resolved: Resolved, format: Format) -> Result<Vec<Variable>, Failure> {
    let mut variables = Vec::new();
    let mut failures = Vec::new();
    for (name, value) in resolved.variables {
        let (value, is_secret) = match value {
            Value::Plain { is_inherited: true, .. } | Value::Unset => continue,
            Value::Plain { value, .. } => (value.into_encoded_bytes(), false),
            Value::Text { text, .. } => (text.as_bytes().to_vec(), true),
        };
        let value = Zeroizing::new(value);
        match check(&name, &value, format) {
            Ok(name) => variables.push(Variable { name, value, is_secret }),
            Err(failure) => failures.push((shown(&name), failure)),
        }
    }
    if failures.is_empty() { Ok(variables) } else { Err(Failure::of_variables(failures)) }
}

fn check(name: &OsStr, value: &[u8], format: Format) -> Result<String, Failure> {
    let refused = |what: &str, help: &str| {
        let message = format!("writing the variable: {what}");
        Failure::own(Kind::InvalidArgument, "variable-refused", message, help)
    };
    // A name may be whatever stands in the environment; what a shell reads could be a command.
    let is_plain = |name: &&str| format == Format::Json || is_name(name);
    let Some(name) = name.to_str().filter(is_plain) else {
        return Err(refused(
            "its name is not one of letters, digits and `_`",
            "rename it, or choose others by `--only`",
        ));
    };
    if value.contains(&0) {
        return Err(refused(
            "the value has a null character (U+0000), which no variable can hold",
            "give it to a command as a file, by `?as=file` in `vaultlet run`",
        ));
    }
    let takes_bytes = matches!(format, Format::Sh | Format::Fish);
    if !takes_bytes && str::from_utf8(value).is_err() {
        return Err(refused("the value is not UTF-8, which this format must be", "use `-f sh`"));
    }
    Ok(name.to_owned())
}
