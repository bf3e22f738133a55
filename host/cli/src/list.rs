//! `vaultlet list` and `vaultlet versions`.

use std::fmt::Write as _;
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use time::OffsetDateTime;
use vaultlet_host::Properties;

use crate::failure::Failure;
use crate::given::Given;
use crate::options::Options;
use crate::output;
use crate::shown::Shown;

/// List the secrets of a vault
///
/// Disabled ones are listed, too; values are not read. A VAULT is a vault's name or full host,
/// akv://VAULT, or its own URL. CREATED and all else that is shown is of the latest version.
///
/// It takes the role Key Vault Reader or Key Vault Secrets User on the vault (or the access policy
/// list).
#[derive(Args)]
#[command(after_help = "\
Examples:
  vaultlet list my-key-vault
  vaultlet list --vault my-key-vault -o json
  vaultlet list -o value akv://my-key-vault.vault.azure.cn")]
pub(crate) struct List {
    /// Which vault
    #[arg(value_name = "VAULT")]
    of: Option<String>,
    #[command(flatten)]
    shared: Shared,
    /// table, json or value
    #[arg(long, short, value_enum, default_value_t = Format::Table, value_name = "FORMAT")]
    pub(crate) output: Format,
    #[command(flatten)]
    options: Options,
}

/// List the versions of a secret, newest first
///
/// Disabled ones are listed, too; values are not read. A secret is given by a reference, as in
/// `vaultlet get`, or by its name and --vault.
///
/// It takes the role Key Vault Reader or Key Vault Secrets User on the vault (or the access policy
/// list).
#[derive(Args)]
#[command(after_help = "\
Examples:
  vaultlet versions akv://my-key-vault/db-password
  vaultlet versions db-password --vault my-key-vault -o json")]
pub(crate) struct Versions {
    /// Which secret
    #[arg(value_name = "REFERENCE|NAME")]
    of: String,
    #[command(flatten)]
    shared: Shared,
    /// table, json or value
    #[arg(long, short, value_enum, default_value_t = Format::Table, value_name = "FORMAT")]
    pub(crate) output: Format,
    #[command(flatten)]
    options: Options,
}

#[derive(Args)]
struct Shared {
    #[command(flatten)]
    given: Given,
    /// The vault: a name, a full host, akv://VAULT, or its own URL
    #[arg(long, value_name = "VAULT")]
    vault: Option<String>,
}

/// In which form the answer is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// One line each, below a line of titles
    Table,
    /// One JSON array, of what `get -o json` prints without the value
    Json,
    /// Names alone, or versions, one line each
    Value,
}

impl List {
    pub(crate) fn run(self) -> Result<ExitCode, Failure> {
        let of = match (self.of, self.shared.vault) {
            (Some(_), Some(_)) if self.shared.given.has("--vault") => return Err(contradiction()),
            (Some(of), _) | (None, Some(of)) => of,
            (None, None) => return Err(Failure::usage("`list` needs a vault")),
        };
        let items = self.options.open(1)?.list_blocking(&of)?;
        print(self.output, &of, "NAME", &items)
    }
}

impl Versions {
    pub(crate) fn run(self) -> Result<ExitCode, Failure> {
        let is_name = !self.of.contains("://") && !self.of.starts_with('@');
        let of = match self.shared.vault {
            Some(_) if !is_name && self.shared.given.has("--vault") => return Err(contradiction()),
            Some(vault) if is_name => within(&vault, &self.of),
            None if is_name => {
                return Err(Failure::usage(
                    "`versions` needs a reference, or a name and `--vault`",
                ));
            }
            _ => self.of,
        };
        let items = self.options.open(1)?.versions_blocking(&of)?;
        print(self.output, &of, "VERSION", &items)
    }
}

fn contradiction() -> Failure {
    Failure::usage("`--vault` contradicts the reference")
}

/// The reference of a secret of a vault, which is given in any of its forms.
fn within(vault: &str, name: &str) -> String {
    let vault = vault.trim_end_matches('/');
    match vault.split_once("://") {
        None => format!("akv://{vault}/{name}"),
        Some((scheme, _)) if scheme.eq_ignore_ascii_case("akv") => format!("{vault}/{name}"),
        Some(_) => format!("{vault}/secrets/{name}"),
    }
}

fn print(format: Format, of: &str, title: &str, items: &[Properties]) -> Result<ExitCode, Failure> {
    let mut text = String::new();
    match format {
        Format::Json => {
            let shown: Vec<_> = items
                .iter()
                .map(|item| Shown::new(reference(of, item).into(), item, None))
                .collect();
            output::json(&shown)?;
            return Ok(ExitCode::SUCCESS);
        }
        Format::Value => {
            for item in items {
                text.extend([name(item), "\n"]);
            }
        }
        Format::Table => {
            row(&mut text, ["ENABLED", "CREATED", "EXPIRES", title]);
            for item in items {
                let enabled = match item.enabled {
                    Some(true) => "yes",
                    Some(false) => "no",
                    None => "-",
                };
                let (created, expires) = (moment(item.created), moment(item.expires));
                row(&mut text, [enabled, &created, &expires, name(item)]);
            }
        }
    }
    output::plain(&text)?;
    Ok(ExitCode::SUCCESS)
}

fn row(text: &mut String, [enabled, created, expires, name]: [&str; 4]) {
    // Writing to a string cannot fail.
    let _ = writeln!(text, "{enabled:7}  {created:20}  {expires:20}  {name}");
}

/// The version, of which only those of one secret are listed together; else the secret's name.
fn name(item: &Properties) -> &str {
    item.version.as_deref().unwrap_or(&item.name)
}

/// RFC 3339; what is beyond its years, as it is.
fn moment(unix: Option<i64>) -> String {
    let Some(unix) = unix else { return "-".into() };
    match OffsetDateTime::from_unix_timestamp(unix) {
        Ok(at) if (0..=9999).contains(&at.year()) => {
            let ((year, month, day), (hour, minute, second)) = (at.to_calendar_date(), at.to_hms());
            let month = u8::from(month);
            format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
        }
        _ => unix.to_string(),
    }
}

/// What gets an item, as `vaultlet get` takes it. Only a vault that was named so is plain.
fn reference(of: &str, item: &Properties) -> String {
    let Properties { vault, name, version, .. } = item;
    let is_plain = of.to_ascii_lowercase().contains("http://");
    // A host without a dot would be read as a vault's name.
    let is_bare = !vault.contains(['.', ':', '[']) && vault != "localhost";
    let mut text = match (is_plain, is_bare) {
        (true, _) => format!("http://{vault}/secrets/{name}"),
        (false, true) => format!("akv://{vault}:443/{name}"),
        (false, false) => format!("akv://{vault}/{name}"),
    };
    if let Some(version) = version {
        text.extend(["/", version]);
    }
    text
}
