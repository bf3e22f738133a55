//! `vaultlet whoami`.

use std::process::ExitCode;

use clap::Args;
use vaultlet_host::render::{self, Answer};

use crate::failure::Failure;
use crate::options::Options;
use crate::output::{self, Format};
use crate::token_flags::TokenFlags;
use crate::trimmed;

/// Show the identity that this machine's token belongs to
///
/// Gets a token and prints its claims about the identity; they are not verified, and the token itself is
/// not shown. When a job is denied, this is the identity to grant a role to.
#[derive(Args)]
pub(crate) struct Whoami {
    #[command(flatten)]
    flags: TokenFlags,
    /// table or json
    #[arg(long, short, value_enum, value_parser = trimmed::word::<Format>(), default_value_t = Format::Table, value_name = "FORMAT")]
    pub(crate) output: Format,
    #[command(flatten)]
    options: Options,
}

impl Whoami {
    pub(crate) fn run(self) -> Result<ExitCode, Failure> {
        let vaultlet = self.options.open_without_secrets()?;
        let token = self.flags.token(&vaultlet, None)?;
        let render = |format| Answer::Whoami(&token).render(&vaultlet, format);
        match self.output {
            Format::Table => output::parts(&render(render::Format::Table)?)?,
            Format::Json => output::json(&render(render::Format::Json)?)?,
        }
        Ok(ExitCode::SUCCESS)
    }
}
