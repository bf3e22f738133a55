//! `vaultlet plan`.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use vaultlet_core::planner;
use vaultlet_core::visible::on_one_line;
use vaultlet_host::{Plan as Planned, Server, Vaultlet};
use zeroize::Zeroizing;

use crate::failure::Failure;
use crate::options::Options;
use crate::output::{self, Format};
use crate::shown_variables::{of_host, of_settings, shown, value};
use crate::system::program_in;
use crate::trimmed;

/// Show what would be read and whom it would talk to, without the network
///
/// Lists the servers, variables, files and programs that the identity's sources may use, and the vault of a
/// REFERENCE (a vault's name, or akv://VAULT, is enough). Sends nothing, looks up no name, and shows no secret.
#[derive(Args)]
#[command(after_help = "\
Examples:
  vaultlet plan akv://my-key-vault/db-password
  vaultlet plan --identity azure-cli -o json")]
pub(crate) struct Plan {
    /// The secret or vault that would be read
    #[arg(value_name = "REFERENCE")]
    reference: Option<String>,
    /// table or json
    #[arg(long, short, value_enum, value_parser = trimmed::word::<Format>(), default_value_t = Format::Table, value_name = "FORMAT")]
    pub(crate) output: Format,
    #[command(flatten)]
    options: Options,
}

impl Plan {
    pub(crate) fn run(self) -> Result<ExitCode, Failure> {
        let vaultlet = self.options.open_once(1)?;
        let plan = vaultlet.plan_blocking(self.reference.as_deref())?;
        match self.output {
            Format::Table => output::plain(&text(&plan, &vaultlet, self.unusable(&plan))?)?,
            Format::Json => {
                let json = serde_json::to_string(&plan).map_err(|e| output::failed(&e.into()))?;
                output::json(&[Zeroizing::new(json + "\n")])?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }

    /// The source whose variables are refused, and why.
    fn unusable(&self, plan: &Planned) -> Option<(String, String)> {
        let values = plan.variables.iter();
        let values = values.filter_map(|name| Some((name.clone(), value(name)?)));
        let values: Vec<_> = values.collect();
        let (source, error) = planner::unusable(&self.options.as_variables(), &values)?;
        Some((source.to_owned(), Failure::from(error).line()))
    }
}

fn text(
    plan: &Planned,
    vaultlet: &Vaultlet,
    unusable: Option<(String, String)>,
) -> Result<String, Failure> {
    let mut text = Text::default();
    if let Some(agent) = vaultlet.agent()? {
        let what = match agent.falls_back {
            true => "is asked for secrets; when it is not there, the vault is",
            false => "is asked for secrets, and nobody else; the rest is of tokens and lists",
        };
        text.section("Agent", [(agent.place, what.to_owned())]);
    }
    if let Some(vault) = &plan.vault {
        text.section("Vault", [server(vault, vaultlet)?]);
    }
    let servers = plan.servers.iter().map(|it| server(it, vaultlet));
    let servers = servers.collect::<Result<Vec<_>, _>>()?;
    text.section("Servers that may be asked for a token, in this order", servers);
    text.section("Source that is set up wrong, at which the search for an identity ends", unusable);
    let mut names: Vec<&str> = plan.variables.iter().map(String::as_str).collect();
    of_settings().chain(of_host()).for_each(|name| names.push(name));
    names.sort_unstable();
    names.dedup();
    let (set, unset): (Vec<_>, Vec<_>) = names.into_iter().partition(|name| value(name).is_some());
    let set = set.into_iter().map(|name| {
        let shown = value(name).and_then(|value| shown(name, &value));
        (name.to_owned(), shown.unwrap_or_else(|| "set, not shown".into()))
    });
    text.section("Variables that are read, and set", set);
    text.list("Variables that are read, and not set", &unset);
    let certificates = ["SSL_CERT_FILE", "VAULTLET_CA_FILE"].into_iter().filter_map(value);
    let files = plan.files.iter().cloned().chain(certificates);
    text.section("Files that may be read", files.map(|file| (file.clone(), state(&file))));
    text.section("Keys that may sign", plan.keys.iter().map(|key| (key.clone(), state(key))));
    let programs = plan.programs.iter().map(|name| {
        let path = in_path(name).map(|path| path.display().to_string());
        (name.clone(), path.unwrap_or_else(|| "not in PATH".into()))
    });
    text.section("Programs that may be run", programs);
    Ok(text.0)
}

/// A server, and how it is reached.
fn server(server: &Server, vaultlet: &Vaultlet) -> Result<(String, String), Failure> {
    let scheme = if server.tls { "https" } else { "http" };
    let host =
        if server.host.contains(':') { format!("[{}]", server.host) } else { server.host.clone() };
    let port = match (server.tls, server.port) {
        (true, 443) | (false, 80) => String::new(),
        (_, port) => format!(":{port}"),
    };
    let way = match vaultlet.proxy_of(server)? {
        Some(proxy) => format!(", through the proxy {proxy}"),
        None => String::new(),
    };
    Ok((format!("{scheme}://{host}{port}"), format!("{}{way}", server.purpose.replace('-', " "))))
}

fn state(path: &str) -> String {
    // All files of a folder with an ending.
    let path = match path.rsplit_once("/*") {
        Some((folder, _)) => Path::new(folder),
        None => Path::new(path),
    };
    match path.try_exists() {
        Ok(true) => "is there".into(),
        Ok(false) => "is not there".into(),
        Err(error) => error.to_string().to_lowercase(),
    }
}

/// A program, where a shell would find it.
fn in_path(name: &str) -> Option<PathBuf> {
    std::env::split_paths(&std::env::var_os("PATH")?).find_map(|folder| program_in(&folder, name))
}

#[derive(Default)]
struct Text(String);

impl Text {
    /// A heading with lines of two columns below it; nothing without lines.
    fn section(&mut self, heading: &str, lines: impl IntoIterator<Item = (String, String)>) {
        let one_line = |text: String| on_one_line(&text).collect::<String>();
        let lines: Vec<_> = lines.into_iter().map(|(a, b)| (one_line(a), one_line(b))).collect();
        let Some(width) = lines.iter().map(|(name, _)| name.chars().count()).max() else { return };
        self.heading(heading);
        for (name, rest) in lines {
            let _ = writeln!(self.0, "  {name:width$}  {rest}");
        }
    }

    /// A heading with names below it.
    fn list(&mut self, heading: &str, names: &[&str]) {
        const WIDTH: usize = 100;
        if names.is_empty() {
            return;
        }
        self.heading(heading);
        let mut line = String::new();
        for name in names {
            if line.len() + name.len() > WIDTH {
                let _ = writeln!(self.0, " {line}");
                line.clear();
            }
            let _ = write!(line, " {name}");
        }
        let _ = writeln!(self.0, " {line}");
    }

    fn heading(&mut self, heading: &str) {
        let gap = if self.0.is_empty() { "" } else { "\n" };
        let _ = writeln!(self.0, "{gap}{heading}");
    }
}
