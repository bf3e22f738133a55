//! `vaultlet whoami`.

use std::process::ExitCode;

use clap::{Args, ValueEnum};
use serde::Serialize;
use vaultlet_host::Token;

use crate::ask::{Ask, seconds};
use crate::failure::Failure;
use crate::options::Options;
use crate::output;

/// Show whose token is had here
///
/// Gets a token and says what it says of itself; nothing of that is verified, and the token is not
/// shown. For a job that is denied: this is the identity to grant a role to.
#[derive(Args)]
pub(crate) struct Whoami {
    #[command(flatten)]
    ask: Ask,
    /// table or json
    #[arg(long, short, value_enum, default_value_t = Format::Table, value_name = "FORMAT")]
    pub(crate) output: Format,
    #[command(flatten)]
    options: Options,
}

/// In which form the answer is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// One line for each thing that is known
    Table,
    /// One JSON object
    Json,
}

impl Whoami {
    pub(crate) fn run(self) -> Result<ExitCode, Failure> {
        let token = self.ask.token(&self.options, None)?;
        match self.output {
            Format::Json => output::json(&json(&token))?,
            Format::Table => output::plain(&table(&token))?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn table(token: &Token) -> String {
    let Json { source, endpoint, tenant, object_id, app_id, upn, audience, notes, .. } =
        json(token);
    let members = [
        ("source", Some(source)),
        ("endpoint", endpoint),
        ("tenant", tenant),
        ("objectId", object_id),
        ("appId", app_id),
        ("upn", upn),
        ("audience", audience),
    ];
    let notes = notes.iter().map(|note| ("note", Some(note.as_str())));
    let known = members.into_iter().chain(notes).filter_map(|(name, value)| Some((name, value?)));
    known.map(|(name, value)| format!("{name:9} {value}\n")).collect()
}

fn json(token: &Token) -> Json<'_> {
    let holder = token.holder();
    Json {
        source: token.source(),
        endpoint: token.endpoint(),
        tenant: holder.tenant.as_deref(),
        object_id: holder.object_id.as_deref(),
        app_id: holder.app_id.as_deref(),
        upn: holder.upn.as_deref(),
        audience: holder.audience.as_deref(),
        expires_on: seconds(token.expires_on()),
        notes: &holder.notes,
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Json<'a> {
    source: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    endpoint: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tenant: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    object_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    app_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    upn: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    audience: Option<&'a str>,
    expires_on: u64,
    notes: &'a [String],
}
