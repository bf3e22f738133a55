//! `vaultlet identity serve`.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::Write as _;
use std::process::ExitCode;

use clap::{Args, Subcommand, ValueEnum};
use serde::Serialize;
use vaultlet_core::planner::identity_variables;
use vaultlet_host::{Error, Kind, Lend, Lent};

use crate::child::{self, Signals};
use crate::failure::Failure;
use crate::given_flags::GivenFlags;
use crate::options::Options;
use crate::output;
use crate::trimmed;

/// Lend this machine's identity to other programs
#[derive(Args)]
pub(crate) struct Identity {
    #[command(subcommand)]
    pub(crate) action: Action,
}

/// The subcommands of `vaultlet identity`.
#[derive(Subcommand)]
pub(crate) enum Action {
    Serve(Serve),
}

/// Serve tokens on loopback, in the protocols of App Service, Azure ML, OBO and IMDS
///
/// Programs that use Microsoft's SDKs find the endpoint by the variables that are printed, and share one
/// token cache. Whoever has those variables gets tokens for the resources named here, and for no other; and
/// of no other identity than the one that a flag or variable names, if any, unless --any-identity is given.
///
/// With a COMMAND, vaultlet runs it with those variables, removes the variables that lead to another
/// identity, and ends with the command's exit code. Without a COMMAND, vaultlet prints the variables and
/// serves until it is interrupted, so `eval "$(vaultlet identity serve)"` would wait for ever; for a shell
/// with those variables, the COMMAND is $SHELL.
#[derive(Args)]
#[command(after_help = "\
Examples:
  vaultlet identity serve -- python job.py
  vaultlet identity serve --port 40123 --resource https://vault.azure.net,https://storage.azure.com")]
pub(crate) struct Serve {
    #[command(flatten)]
    given: GivenFlags,
    /// The port on 127.0.0.1 [default: any free port]
    #[arg(long, value_name = "PORT", value_parser = trimmed::trimmed(clap::value_parser!(u16).range(1..)))]
    port: Option<u16>,
    /// Resources that tokens may be requested for; may be repeated [default: Key Vault of the cloud]
    #[arg(long, value_name = "URI,…", value_delimiter = ',', value_parser = trimmed::text())]
    resource: Vec<String>,
    /// Lend any identity of this machine that is asked for, also where one is named by a flag or variable
    #[arg(long)]
    any_identity: bool,
    /// export (lines for a shell) or json (one line)
    #[arg(long, short, value_enum, value_parser = trimmed::word::<Format>(), default_value_t = Format::Export, value_name = "FORMAT")]
    pub(crate) output: Format,
    #[command(flatten)]
    options: Options,
    /// Run this command with the lent identity, and end with its exit code
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

/// The format in which the environment is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// export NAME='quoted', one line each
    Export,
    /// One line of JSON: the endpoint's address and the environment
    Json,
}

/// The limit of concurrent token requests: as many may wait for a slow identity without delaying others.
pub(crate) const CALLS: usize = 256;

impl Identity {
    pub(crate) fn run(self) -> Result<ExitCode, Failure> {
        let Action::Serve(serve) = self.action;
        serve.run()
    }
}

impl Serve {
    fn run(self) -> Result<ExitCode, Failure> {
        // Before anything else: a thread that is started earlier would get the signals.
        let signals = Signals::block();
        let (port, resources, any_identity) = (self.port, self.resource.clone(), self.any_identity);
        let lend = Lend { port, resources, any_identity };
        let lent = self.options.open(CALLS)?.lend(lend).map_err(|error| self.refused(error))?;
        let Some(mut command) = child::command(&self.command) else {
            print(&lent, self.output)?;
            return Ok(signals.wait_for_end());
        };
        for name in identity_variables() {
            command.env_remove(name);
        }
        command.envs(lent.variables().iter().map(|(name, value)| (name, value)));
        Ok(ExitCode::from(child::run(command, &signals)?.code))
    }
}

impl Serve {
    /// The failure to lend; one about the resources names where they come from.
    fn refused(&self, error: Error) -> Failure {
        if error.id != "argument-malformed" {
            return error.into();
        }
        let (kind, id, name) = match self.given.has("--resource") {
            true => (Kind::Usage, "usage", "--resource"),
            false => (Kind::Configuration, "setting-malformed", "VAULTLET_RESOURCE"),
        };
        Failure::own(kind, id, format!("reading `{name}`: {}", error.message), &error.help)
    }
}

fn print(lent: &Lent, format: Format) -> Result<(), Failure> {
    let variables = lent.variables().iter().map(|(name, value)| (name.as_str(), value.as_str()));
    match format {
        Format::Json => {
            output::json_line(&Json { authority: lent.address(), env: variables.collect() })?;
        }
        Format::Export => output::lines(variables.map(|(k, v)| (format!("export {k}"), v)))?,
    }
    let mut stderr = std::io::stderr();
    let _ = writeln!(stderr, "vaultlet identity: serving at {}", lent.address());
    output::serving("identity serve");
    Ok(())
}

#[derive(Serialize)]
struct Json<'a> {
    authority: &'a str,
    env: BTreeMap<&'a str, &'a str>,
}
