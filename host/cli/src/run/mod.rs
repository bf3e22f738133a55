//! `vaultlet run`: a command with the secrets that its variables refer to.

mod files;
mod group;
mod output;
mod pump;
mod terminal;

use std::ffi::OsString;
use std::io::{self, Write as _};
use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitCode};

use clap::{Args, ValueEnum};

use crate::child::{self, Signals};
use crate::failure::Failure;
use crate::mask::Mask;
use crate::options::Options;
use crate::references::{Form, Resolved, Sources, Value, resolve};

pub(crate) use files::Files;
pub(crate) use group::run_all;

/// Run a command with the secrets that its variables refer to
///
/// Each variable whose whole value is a reference is replaced by the secret: of the environment, of env files, and
/// of -e, which wins. All of them are read before the command starts, or it does not start. Everything else
/// reaches the command as it is. The command has this terminal, gets every signal, and its exit code is that of
/// vaultlet.
///
/// In the command's output a secret is replaced by the name of its variable, as in <DB_PASSWORD>, also when it is
/// escaped, quoted or encoded in base64 or hexadecimal. A value of fewer than 4 bytes is not.
///
/// A reference may have these options: as=file gives the path of a file with the value, as=fd that of a
/// descriptor; with optional the variable is unset when there is no such secret, with default=TEXT it is TEXT.
#[derive(Args)]
#[command(after_help = "\
Examples:
  DB_PASSWORD=akv://my-key-vault/db-password vaultlet run -- python train.py
  vaultlet run --env-file job.env -- python train.py
  vaultlet run -e 'HF_TOKEN=akv://my-key-vault/hub-token?optional' -- torchrun train.py
  vaultlet run -e 'TLS_KEY=akv://my-key-vault/tls-key?as=file' -- ./serve")]
pub(crate) struct Run {
    #[command(flatten)]
    sources: Sources,
    /// Resolve these variables only, each of which must be set; may be repeated
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    only: Vec<String>,
    /// Do not replace secrets in the command's output
    #[arg(long)]
    no_masking: bool,
    /// json: report errors as one JSON object on stderr
    #[arg(long, short, value_enum, value_name = "FORMAT")]
    output: Option<Format>,
    #[command(flatten)]
    options: Options,
    /// The command and its arguments
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

/// The format of errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// One JSON object on stderr
    Json,
}

impl Run {
    /// Whether errors are to be reported as JSON.
    pub(crate) fn reports_json(&self) -> bool {
        self.output == Some(Format::Json)
    }

    pub(crate) fn run(self) -> Result<ExitCode, Failure> {
        // Before anything else: a thread that is started earlier would get the signals.
        let signals = Signals::block();
        let Self { sources, only, no_masking, options, command, .. } = self;
        let read = move || resolve(sources.with_environment()?, &only, &options);
        let resolved = match signals.unless_interrupted(read) {
            Ok(resolved) => resolved?,
            Err(interrupted) => return Ok(interrupted),
        };
        let Some(mut command) = child::command(&command) else {
            return Err(Failure::usage("there is no command after `--`"));
        };
        let files = set(&mut command, &resolved)?;
        if no_masking {
            drop(resolved);
            return unmasked(command, &files, &signals);
        }
        let values = resolved.masked.iter().map(|(name, text)| (name.as_str(), text.as_bytes()));
        let mask = Mask::new(values);
        drop(resolved);
        say_short(&mask);
        let code = output::run(command, mask, &signals)?;
        drop(files);
        Ok(code)
    }
}

/// Tells of values that are too short to be masked.
pub(crate) fn say_short(mask: &Mask) {
    for name in mask.short() {
        let _ = writeln!(
            io::stderr(),
            "vaultlet: the value of `{name}` is too short to be masked in output"
        );
    }
}

/// Sets the command's variables. Returns the files that some of them are paths of.
pub(crate) fn set(command: &mut Command, resolved: &Resolved) -> Result<Files, Failure> {
    let mut files = Files::default();
    for (name, value) in &resolved.variables {
        match value {
            Value::Plain { is_inherited: true, .. } => {}
            Value::Plain { value, .. } => drop(command.env(name, value)),
            Value::Text { text, form: Form::Env } => drop(command.env(name, text.as_str())),
            Value::Text { text, form: Form::File } => {
                command.env(name, files.file(name, text.as_bytes())?);
            }
            Value::Text { text, form: Form::Fd } => {
                command.env(name, files.descriptor(name, text.as_bytes())?);
            }
            Value::Unset => drop(command.env_remove(name)),
        }
    }
    Ok(files)
}

/// Runs a command that writes to our own streams.
fn unmasked(mut command: Command, files: &Files, signals: &Signals) -> Result<ExitCode, Failure> {
    if files.must_be_kept() {
        return Ok(ExitCode::from(child::run(command, signals)?.code));
    }
    // Nothing is left to do for this process, which becomes the command.
    child::prepare_replacement(&mut command, signals);
    let error = command.exec();
    Err(child::failed(&command, &error))
}
