//! `vaultlet get`.

use std::process::ExitCode;

use clap::Args;
use vaultlet_host::Secret;

use crate::failure::Failure;
use crate::options::{Format, Options};
use crate::output;
use crate::shown::Shown;

/// Get secrets
///
/// A REFERENCE is akv://VAULT/NAME[/VERSION], where VAULT is a vault's name or full host; the
/// secret's own URL; or @Microsoft.KeyVault(SecretUri=…). With ?json=/a/b the value is read as
/// JSON and the text at that pointer (RFC 6901) is the answer.
///
/// Several references are fetched at once and printed in order: all of them or none.
#[derive(Args)]
#[command(after_help = "\
Examples:
  vaultlet get akv://my-key-vault/db-password
  vaultlet get -o json 'akv://my-key-vault/db?json=/user'
  eval \"$(vaultlet get -o env akv://my-key-vault/db-password akv://my-key-vault/hub-token)\"")]
pub(crate) struct Get {
    /// Which secrets
    #[arg(required = true, value_name = "REFERENCE")]
    references: Vec<String>,
    /// value (of one reference), json or env
    #[arg(long, short, value_enum, default_value_t = Format::Value, value_name = "FORMAT")]
    pub(crate) output: Format,
    #[command(flatten)]
    options: Options,
}

/// References that are fetched at once; the vault's own limit is not far above.
const CALLS_MAX: usize = 32;

impl Get {
    pub(crate) fn run(self) -> Result<ExitCode, Failure> {
        if self.output == Format::Value && self.references.len() > 1 {
            return Err(Failure::usage(
                "`--output value` takes one reference; use `-o env` or `-o json` for several",
            ));
        }
        let vaultlet = self.options.open(self.references.len().min(CALLS_MAX))?;
        let secrets = futures_lite::future::block_on(vaultlet.get_many(&self.references))?;
        let described: Vec<_> = self.references.iter().zip(&secrets).collect();
        match (self.output, described.as_slice()) {
            (Format::Value, [(_, secret)]) => output::value(secret.reveal())?,
            (Format::Json, [(reference, secret)]) => output::json(&json(reference, secret))?,
            (Format::Json, several) => {
                output::json(&several.iter().map(|(r, s)| json(r, s)).collect::<Vec<_>>())?;
            }
            (Format::Value | Format::Env, several) => output::lines(
                several.iter().map(|(_, s)| (variable(&s.properties().name), s.reveal())),
            )?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// `db-password` as `DB_PASSWORD`.
fn variable(name: &str) -> String {
    let name = name.to_uppercase().replace('-', "_");
    // A shell's names do not begin with a digit.
    if name.starts_with(|c: char| c.is_ascii_digit()) { format!("_{name}") } else { name }
}

fn json<'a>(reference: &'a str, secret: &'a Secret) -> Shown<'a> {
    Shown::new(reference.into(), secret.properties(), Some(secret.reveal()))
}
