//! `vaultlet redact`: standard input on standard output, with secrets masked.

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::Args;
use vaultlet_host::Kind;
use vaultlet_host::references::shown;
use zeroize::Zeroizing;

use crate::child;
use crate::failure::Failure;
use crate::mask::{Mask, Output, PIECE, Stream};
use crate::options::Options;
use crate::policy_flag::PolicyFlag;
use crate::references::{Sources, Value, refuse_options, resolve};
use crate::streams::Filter;
use crate::{output, streams, trimmed};

/// Replace secrets in a text by the names of their variables
///
/// Copies standard input to standard output, and masks the secrets that variables refer to as `vaultlet run` does:
/// as in <DB_PASSWORD>, also when they are escaped, quoted or encoded. Variables are those of the environment, of env
/// files, and of -e, which wins. Text is written as soon as it cannot be a part of a secret any more.
///
/// All secrets are read before anything is copied, or nothing is.
#[derive(Args)]
#[command(after_help = "\
Examples:
  python train.py 2>&1 | vaultlet redact -e DB_PASSWORD=akv://my-key-vault/db-password
  vaultlet redact --env-file job.env <old.log >clean.log")]
pub(crate) struct Redact {
    #[command(flatten)]
    sources: Sources,
    /// Mask the secrets of these variables only, each of which must be set; may be repeated
    #[arg(long, value_name = "NAME,…", value_delimiter = ',', value_parser = trimmed::text())]
    only: Vec<String>,
    #[command(flatten)]
    policy: PolicyFlag,
    #[command(flatten)]
    options: Options,
}

impl Redact {
    pub(crate) fn run(self) -> Result<ExitCode, Failure> {
        let Self { sources, only, policy, mut options } = self;
        policy.apply(&mut options);
        if sources.has_stdin() {
            return Err(Failure::usage("`--env-file -` cannot be read: stdin is the text"));
        }
        // Closed streams are told before anything is fetched.
        streams::check_stdin().map_err(|error| unreadable(&error))?;
        output::bytes(&[])?;
        let variables = sources.with_environment()?;
        refuse_options(&variables, &only, &options)?;
        let resolved = resolve(variables, &only, &options)?;
        let values = resolved.masked.iter().map(|(name, text)| (name.as_str(), text.as_bytes()));
        let mask = Mask::new(values);
        for name in mask.short() {
            warn(&format!("the value of `{name}` is too short to be masked"));
        }
        for (name, value) in &resolved.variables {
            if sources.is_argument(name) && matches!(value, Value::Plain { .. }) {
                warn(&format!("`{}` is no reference, and is not masked", shown(name)));
            }
        }
        drop(resolved);
        // A reader that has gone ends this process without a word, as it ends other filters.
        child::restore_pipe_signal();
        carry(&mask)?;
        Ok(ExitCode::SUCCESS)
    }
}

fn warn(what: &str) {
    let _ = writeln!(io::stderr(), "vaultlet: {what}");
}

fn carry(mask: &Mask) -> Result<(), Failure> {
    let mut filter = Filter::open();
    let mut stream = Stream::new(mask);
    let mut piece = Zeroizing::new(vec![0; PIECE]);
    loop {
        let came = filter.next(stream.patience(), &mut piece).map_err(|e| unreadable(&e))?;
        let mut out = Output::default();
        match came.map(|count| piece.get(..count).unwrap_or_default()) {
            // The end, or nothing for a while.
            Some([]) | None => stream.flush(&mut out),
            Some(piece) => stream.push(piece, &mut out),
        }
        filter.write(&mut out.parts()).map_err(|error| output::failed(&error))?;
        if came == Some(0) {
            return Ok(());
        }
    }
}

fn unreadable(error: &io::Error) -> Failure {
    let message = format!("reading stdin: {}", error.to_string().to_lowercase());
    let help = "check the program or file that gives the input";
    Failure::own(Kind::Configuration, "in-file", message, help)
}
