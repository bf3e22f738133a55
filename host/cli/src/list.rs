//! `vaultlet list` and `vaultlet versions`.

use std::process::ExitCode;

use clap::{Args, ValueEnum};
use vaultlet_core::command::list;
use vaultlet_host::Vaultlet;
use vaultlet_host::render::{self, Answer};

use crate::failure::Failure;
use crate::given_flags::GivenFlags;
use crate::options::Options;
use crate::output;
use crate::trimmed;

/// List the secrets of a vault
///
/// Disabled secrets are listed, too. Values are not read. A VAULT is a vault's name or full host,
/// akv://VAULT, or the vault's own URL. CREATED and EXPIRES are those of the latest version.
///
/// The identity needs the role Key Vault Reader or Key Vault Secrets User on the vault (or the access
/// policy list).
#[derive(Args)]
#[command(after_help = "\
Examples:
  vaultlet list my-key-vault
  vaultlet list --vault my-key-vault -o json
  vaultlet list -o value akv://my-key-vault.vault.azure.cn")]
pub(crate) struct List {
    /// The vault to list
    #[arg(value_name = "VAULT")]
    subject: Option<String>,
    #[command(flatten)]
    shared: Shared,
    /// table, json or value
    #[arg(long, short, value_enum, value_parser = trimmed::word::<Format>(), default_value_t = Format::Table, value_name = "FORMAT")]
    pub(crate) output: Format,
    #[command(flatten)]
    options: Options,
}

/// List the versions of a secret, newest first
///
/// Disabled versions are listed, too. Values are not read. A secret is given by a reference, as in
/// `vaultlet get`, or by its name and --vault.
///
/// The identity needs the role Key Vault Reader or Key Vault Secrets User on the vault (or the access
/// policy list).
#[derive(Args)]
#[command(after_help = "\
Examples:
  vaultlet versions akv://my-key-vault/db-password
  vaultlet versions db-password --vault my-key-vault -o json")]
pub(crate) struct Versions {
    /// The secret whose versions are listed
    #[arg(value_name = "REFERENCE|NAME")]
    subject: String,
    #[command(flatten)]
    shared: Shared,
    /// table, json or value
    #[arg(long, short, value_enum, value_parser = trimmed::word::<Format>(), default_value_t = Format::Table, value_name = "FORMAT")]
    pub(crate) output: Format,
    #[command(flatten)]
    options: Options,
}

#[derive(Args)]
struct Shared {
    #[command(flatten)]
    given: GivenFlags,
    /// The vault: a name, a full host, akv://VAULT, or its own URL
    #[arg(long, value_name = "VAULT", value_parser = trimmed::text())]
    vault: Option<String>,
}

/// The format of the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// One line for each item, below a header line
    Table,
    /// One JSON array of the objects that `get -o json` prints, without values
    Json,
    /// Names or versions alone, one line for each
    Value,
}

impl List {
    pub(crate) fn run(self) -> Result<ExitCode, Failure> {
        let Shared { given, vault } = self.shared;
        let vault = list::vault(self.subject.as_deref(), vault.as_deref(), given.has("--vault"));
        let vault = vault.map_err(Failure::usage)?;
        let vaultlet = self.options.open_without_secrets()?;
        let items = vaultlet.list_blocking(&vault)?;
        print(self.output, &vaultlet, &Answer::List { vault: &vault, items: &items })
    }
}

impl Versions {
    pub(crate) fn run(self) -> Result<ExitCode, Failure> {
        let Shared { given, vault } = self.shared;
        let reference = list::secret(&self.subject, vault.as_deref(), given.has("--vault"));
        let reference = reference.map_err(Failure::usage)?;
        let vaultlet = self.options.open_without_secrets()?;
        let items = vaultlet.versions_blocking(&reference)?;
        print(self.output, &vaultlet, &Answer::Versions { reference: &reference, items: &items })
    }
}

fn print(format: Format, vaultlet: &Vaultlet, answer: &Answer<'_>) -> Result<ExitCode, Failure> {
    let render = |format| answer.render(vaultlet, format);
    match format {
        Format::Table => output::parts(&render(render::Format::Table)?)?,
        Format::Json => output::json(&render(render::Format::Json)?)?,
        Format::Value => output::parts(&render(render::Format::Value)?)?,
    }
    Ok(ExitCode::SUCCESS)
}
