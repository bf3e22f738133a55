//! `vaultlet dev`.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use clap::{Args, ValueEnum};
use vaultlet_dev::{Builder, Form, Grant, Local, StartError, Who};
use vaultlet_host::Kind;

use crate::child::{self, Interrupted, Signals};
use crate::failure::Failure;
use crate::{output, seeds};

/// Run the local Azure: a Key Vault, a job's identity endpoint, and a proxy for the real names
///
/// Programs written for Azure run in its environment unchanged: the vault answers at its real name,
/// https://NAME.vault.azure.net, over TLS, as do the token authorities, login.microsoftonline.com
/// and the others, and nothing leaves this machine for them. Secrets are in memory only, and gone
/// when it ends.
///
/// With a COMMAND, runs it in that environment and ends with its exit code. Without, prints the
/// environment and serves until it is interrupted.
#[derive(Args)]
#[command(after_help = "\
Examples:
  vaultlet dev --vault my-key-vault --seed db-password=hunter2 -- python job.py
  vaultlet dev --as user --grant managed:none -- sh
  vaultlet dev --identity-form client-secret -- python job.py
  vaultlet dev --seed-file secrets.json -o json")]
pub(crate) struct Dev {
    /// A vault; may be repeated [default: job]
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    vault: Vec<String>,
    /// A secret for each vault; may be repeated
    #[arg(long, value_name = "NAME=VALUE")]
    seed: Vec<String>,
    /// Secrets from a file (- is stdin): a JSON object or lines NAME=VALUE
    #[arg(long, value_name = "FILE")]
    seed_file: Option<PathBuf>,
    /// The job's identity: managed, or user, which adds OBO_ENDPOINT [default: managed]
    #[arg(long = "as", value_name = "WHO", value_parser = run_as)]
    run_as: Option<Who>,
    /// How the job finds its identity: azure-ml, app-service, imds, azure-arc, service-fabric,
    /// cloud-shell, spark, token-exchange, workload-identity, client-secret, client-certificate,
    /// user-password, on-behalf-of, device-code or azure-pipelines [default: azure-ml]
    #[arg(long, value_name = "FORM")]
    identity_form: Option<Form>,
    /// Give managed, user or application a role (secrets-officer, secrets-user, reader, none) in all vaults or
    /// on one secret; may be repeated
    #[arg(long, value_name = "WHO:ROLE[:NAME]", value_delimiter = ',')]
    grant: Vec<Grant>,
    /// export (lines for a shell) or json (one line)
    #[arg(long, short, value_enum, default_value_t = Format::Export, value_name = "FORMAT")]
    pub(crate) output: Format,
    /// Run this in the environment, and end with its exit code
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<std::ffi::OsString>,
}

/// In which form the environment is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// export NAME='quoted', one line each
    Export,
    /// One line of JSON: vaults, proxy, control port, CA and environment
    Json,
}

impl Dev {
    pub(crate) fn run(self) -> Result<ExitCode, Failure> {
        // First of all: from here on an interrupt leaves nothing behind.
        let signals = Signals::watch()?;
        let (program, arguments) = match self.command.split_first() {
            Some((program, arguments)) => (Some(program.clone()), arguments.to_vec()),
            None => (None, Vec::new()),
        };
        let output = self.output;
        let local = start(self.builder()?)?;
        let Some(program) = program else { return serve(&local, output, &signals) };
        let mut command = Command::new(program);
        environment(&local, command.args(arguments));
        match child::run(&mut command, &signals)? {
            Ok(ended) => Ok(ExitCode::from(child::code(ended.status))),
            Err(interrupted) => Ok(interrupted.code()),
        }
    }

    fn builder(self) -> Result<Builder, Failure> {
        let mut builder = Local::builder();
        builder = self.vault.into_iter().fold(builder, Builder::vault);
        if let Some(file) = &self.seed_file {
            for (name, seed) in seeds::read(file)? {
                builder = builder.seed(name, seed);
            }
        }
        for seed in self.seed {
            // Read here and not by clap, which would quote it in its error.
            let Some((name, value)) = seed.split_once('=') else {
                let message = "reading `--seed`: it has no `=` after the secret's name".to_owned();
                return Err(Failure::own(given("--seed"), "dev-seed", message, "write NAME=VALUE"));
            };
            builder = builder.seed(name, value);
        }
        builder = self.grant.into_iter().fold(builder, Builder::grant);
        builder = builder.run_as(self.run_as.unwrap_or(Who::Managed));
        Ok(builder.identity_form(self.identity_form.unwrap_or_default()))
    }
}

/// The identities that a job can be given by Azure ML; an application's comes by its form.
fn run_as(word: &str) -> Result<Who, String> {
    match word.parse() {
        Ok(who @ (Who::Managed | Who::User)) => Ok(who),
        _ => Err(format!("`{word}` is not one of managed, user")),
    }
}

/// Starts the local Azure, its errors in our words.
pub(crate) fn start(builder: Builder) -> Result<Local, Failure> {
    builder.start().map_err(|error| {
        let kind = match &error {
            StartError::VaultName(_) => given("--vault"),
            StartError::SecretName(_) | StartError::Seed { .. } => given("--seed"),
            StartError::System { .. } => Kind::Unavailable,
            _ => Kind::Internal,
        };
        let text = error.to_string();
        let (message, help) = text.rsplit_once("; ").unwrap_or((&text, ""));
        Failure::own(kind, error.id(), message.to_owned(), help)
    })
}

/// What a malformed value is when it may stand in a flag or in its variable.
fn given(flag: &str) -> Kind {
    let is_flag = |argument: &std::ffi::OsString| {
        argument.to_str().is_some_and(|it| it.split('=').next() == Some(flag))
    };
    let by_flag = std::env::args_os().take_while(|it| it != "--").any(|it| is_flag(&it));
    if by_flag { Kind::Usage } else { Kind::Configuration }
}

/// Gives a child the local Azure, and takes from it what leads to another identity.
pub(crate) fn environment(local: &Local, command: &mut Command) {
    for name in Local::foreign_variables() {
        command.env_remove(name);
    }
    command.envs(local.environment().iter().map(|(name, value)| (name, value)));
}

fn serve(local: &Local, format: Format, signals: &Signals) -> Result<ExitCode, Failure> {
    match format {
        Format::Json => output::json_line(&local.description())?,
        Format::Export => output::lines(
            local.environment().iter().map(|(k, v)| (format!("export {k}"), v.as_str())),
        )?,
    }
    tell(local);
    Ok(Interrupted::wait(signals).code())
}

/// What a person wants to know besides, on stderr.
fn tell(local: &Local) {
    use std::net::ToSocketAddrs as _;
    let names = local.vaults().map(|(name, vault)| format!("{name} at {}", vault.url()));
    note(format_args!("serving {}", names.collect::<Vec<_>>().join(", ")));
    for (name, _) in local.vaults() {
        // Asked of the system, as every program there asks.
        if (format!("{name}.localhost"), 443).to_socket_addrs().is_err() {
            note(format_args!(
                "this system does not resolve `{name}.localhost`; use the real name \
                 through `HTTPS_PROXY`, as the environment says"
            ));
        }
    }
    note(format_args!("interrupt it to end it"));
}

fn note(line: std::fmt::Arguments<'_>) {
    let _ = writeln!(std::io::stderr(), "vaultlet dev: {line}");
}
