//! `vaultlet token`.

use std::process::ExitCode;

use clap::Args;
use serde::Serialize;

use crate::ask::{Ask, seconds};
use crate::failure::Failure;
use crate::options::{Format, Options};
use crate::output;

/// Get an access token
///
/// For programs that call Azure themselves. The token is printed only with --reveal.
#[derive(Args)]
pub(crate) struct Token {
    #[command(flatten)]
    ask: Ask,
    /// A claims challenge, as JSON; it bypasses the cache
    #[arg(long, value_name = "JSON")]
    claims: Option<String>,
    /// Print the token
    #[arg(long)]
    reveal: bool,
    /// value or json
    #[arg(long, short, value_enum, default_value_t = Format::Value, value_name = "FORMAT")]
    pub(crate) output: Format,
    #[command(flatten)]
    options: Options,
}

impl Token {
    pub(crate) fn run(self) -> Result<ExitCode, Failure> {
        if !self.reveal {
            return Err(Failure::usage(
                "a token is a credential; `--reveal` says that it may be printed",
            ));
        }
        if self.output == Format::Env {
            return Err(Failure::usage("`vaultlet token` prints value or json"));
        }
        let token = self.ask.token(&self.options, self.claims)?;
        if self.output == Format::Value {
            output::value(token.reveal())?;
        } else {
            output::json(&Json {
                token: token.reveal(),
                expires_on: seconds(token.expires_on()),
                refresh_on: seconds(token.refresh_on()),
                resource: token.resource(),
                source: token.source(),
                endpoint: token.endpoint(),
                client_id: token.client_id(),
            })?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Json<'a> {
    token: &'a str,
    expires_on: u64,
    refresh_on: u64,
    resource: &'a str,
    source: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    endpoint: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id: Option<&'a str>,
}
