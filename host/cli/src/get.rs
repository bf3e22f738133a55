//! `vaultlet get`.

use std::process::ExitCode;

use clap::Args;
use vaultlet_core::command::{sentence, variables};
use vaultlet_host::render::{self, Answer};

use crate::child::Signals;
use crate::failure::Failure;
use crate::options::{CALLS_MAX, Format, Options};
use crate::output;
use crate::policy_flag::PolicyFlag;
use crate::trimmed;

/// Get secrets
///
/// A REFERENCE is akv://VAULT/NAME[/VERSION], where VAULT is a vault's name or full host; the
/// secret's own URL; or @Microsoft.KeyVault(SecretUri=…). With ?json=/a/b the value is read as
/// JSON and the text at that pointer (RFC 6901) is the answer.
///
/// Several references are fetched concurrently and printed in the order given: all of them, or none.
///
/// With VAULTLET_AGENT=unix:PATH the secrets come from the agent of this machine (vaultlet agent).
///
/// With -o env, each secret is a line `export NAME='…'` for a shell. NAME is the secret's name in upper
/// case with - as _, or the one that NAME=REFERENCE gives. Two secrets of one NAME are refused, and so are
/// names that change how programs run, such as PATH, unless they are written. When it fails, the output is
/// the line (exit N), so that a shell that evaluates it fails, too.
#[derive(Args)]
#[command(after_help = "\
Examples:
  vaultlet get akv://my-key-vault/db-password
  vaultlet get -o json 'akv://my-key-vault/db?json=/user'
  eval \"$(vaultlet get -o env akv://my-key-vault/db-password akv://my-key-vault/hub-token)\"
  eval \"$(vaultlet get -o env HF_TOKEN=akv://my-key-vault/hub-token)\" || exit")]
pub(crate) struct Get {
    /// The secrets to get; with -o env also NAME=REFERENCE
    #[arg(required = true, value_name = "REFERENCE")]
    references: Vec<String>,
    /// value (of one reference), json or env
    #[arg(long, short, value_enum, value_parser = trimmed::word::<Format>(), default_value_t = Format::Value, value_name = "FORMAT")]
    pub(crate) output: Format,
    #[command(flatten)]
    policy: PolicyFlag,
    #[command(flatten)]
    options: Options,
}

impl Get {
    pub(crate) fn run(self) -> Result<ExitCode, Failure> {
        if self.output == Format::Value && self.references.len() > 1 {
            return Err(Failure::usage(sentence::ONE_VALUE));
        }
        let mut options = self.options;
        self.policy.apply(&mut options);
        let references = self.references.iter().map(String::as_str);
        let references: Vec<_> = match self.output {
            Format::Env => {
                variables::check(&self.references)?;
                references.map(|argument| variables::split(argument).1).collect()
            }
            Format::Value | Format::Json => references.collect(),
        };
        let open = || options.open_once(references.len().min(CALLS_MAX));
        let read = || open().and_then(|it| Ok((it.get_many_blocking(&references)?, it)));
        let (secrets, vaultlet) = match self.output {
            Format::Value | Format::Json => read()?,
            // A shell that evaluates the output must not go on.
            Format::Env => {
                let signals = Signals::block();
                match signals.unless_interrupted_in_shell(read) {
                    Ok(read) => {
                        signals.heed();
                        read?
                    }
                    Err(interrupted) => return Ok(interrupted),
                }
            }
        };
        vaultlet_host::phases::mark("secret read");
        let items: Vec<_> = self.references.iter().map(String::as_str).zip(&secrets).collect();
        let render = |format| Answer::Secrets(&items).render(&vaultlet, format);
        match (self.output, items.as_slice()) {
            (Format::Value, [(_, secret)]) => output::value(secret.reveal())?,
            (Format::Value | Format::Env, _) => output::parts(&render(render::Format::Env)?)?,
            (Format::Json, _) => output::json(&render(render::Format::Json)?)?,
        }
        vaultlet_host::phases::mark("answer printed");
        Ok(ExitCode::SUCCESS)
    }
}
