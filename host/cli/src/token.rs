//! `vaultlet token`.

use std::process::ExitCode;

use clap::{Args, ValueEnum};
use vaultlet_core::command::sentence;
use vaultlet_host::render::{self, Answer};

use crate::failure::Failure;
use crate::options::Options;
use crate::output;
use crate::token_flags::TokenFlags;
use crate::trimmed;

/// Get an access token
///
/// For programs that call Azure's APIs themselves. The token is printed only with --reveal.
#[derive(Args)]
pub(crate) struct Token {
    #[command(flatten)]
    flags: TokenFlags,
    /// A claims challenge as JSON; the request bypasses the cache
    #[arg(long, value_name = "JSON", value_parser = trimmed::text())]
    claims: Option<String>,
    /// Print the token
    #[arg(long)]
    reveal: bool,
    /// value or json
    #[arg(long, short, value_enum, value_parser = trimmed::word::<Format>(), default_value_t = Format::Value, value_name = "FORMAT")]
    pub(crate) output: Format,
    #[command(flatten)]
    options: Options,
}

/// The format of the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// The token alone, exactly its bytes
    Value,
    /// One JSON object
    Json,
}

impl Token {
    pub(crate) fn run(self) -> Result<ExitCode, Failure> {
        if !self.reveal {
            return Err(Failure::usage(sentence::NOT_REVEALED));
        }
        let vaultlet = self.options.open_without_secrets()?;
        let token = self.flags.token(&vaultlet, self.claims)?;
        match self.output {
            Format::Value => output::value(token.reveal())?,
            Format::Json => {
                let rendered = Answer::Token(&token).render(&vaultlet, render::Format::Json);
                output::json(&rendered?)?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}
