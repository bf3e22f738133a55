//! `vaultlet dev`.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use clap::builder::{PathBufValueParser, StringValueParser, TypedValueParser as _};
use clap::{Args, ValueEnum};
use vaultlet_dev::{Builder, Form, Grant, Local, StartError, Who};
use vaultlet_host::{Kind, not_started};

use crate::child::{self, Signals};
use crate::failure::Failure;
use crate::given_flags::GivenFlags;
use crate::{output, seeds, trimmed};

/// Run a local Azure: a Key Vault, a job's identity endpoint, and a proxy for the real names
///
/// Programs written for Azure run in its environment unchanged: the vault answers at its real name,
/// https://NAME.vault.azure.net, over TLS, and so do login.microsoftonline.com and the other token
/// authorities. No request to them leaves this machine. Secrets are kept in memory only, and are gone
/// when the local Azure ends.
///
/// With a COMMAND, vaultlet runs it in that environment and ends with the command's exit code. Without a
/// COMMAND, vaultlet prints the environment and serves until it is interrupted, so `eval "$(vaultlet dev)"`
/// would wait for ever; for a shell in that environment, the COMMAND is $SHELL.
///
/// Each flag is also a variable: --some-flag is VAULTLET_DEV_SOME_FLAG.
#[derive(Args)]
#[command(after_help = "\
Examples:
  vaultlet dev --vault my-key-vault --seed db-password=hunter2 -- python job.py
  vaultlet dev --vault my-key-vault --seed db-password=hunter2 -- $SHELL
  vaultlet dev --as user --grant managed:none -- sh
  vaultlet dev --identity-form client-secret -- python job.py
  vaultlet dev --seed-file secrets.json -o json

Each flag of dev is also a variable whose name begins with VAULTLET_DEV_: VAULTLET_DEV_VAULT, VAULTLET_DEV_SEED,
VAULTLET_DEV_SEED_FILE, VAULTLET_DEV_AS, VAULTLET_DEV_IDENTITY_FORM, VAULTLET_DEV_GRANT, VAULTLET_DEV_LIMIT,
VAULTLET_DEV_OUTPUT. The flag wins. --log is VAULTLET_LOG.")]
pub(crate) struct Dev {
    #[command(flatten)]
    given: GivenFlags,
    /// A vault's name; may be repeated [default: job]
    #[arg(long, value_name = "NAME", value_delimiter = ',', value_parser = trimmed::text())]
    vault: Vec<String>,
    /// A secret, in every vault; may be repeated. Others of this machine see it in the list of processes: give
    /// a real value by --seed-file
    #[arg(long, value_name = "NAME=VALUE")]
    seed: Vec<String>,
    /// A file of secrets (- is stdin): a JSON object, or lines NAME=VALUE
    #[arg(long, value_name = "FILE", value_parser = trimmed::trimmed(PathBufValueParser::new()))]
    seed_file: Option<PathBuf>,
    /// The job's identity: managed, or user, which adds OBO_ENDPOINT [default: managed]
    #[arg(long = "as", value_name = "WHO", value_parser = trimmed::trimmed(StringValueParser::new().try_map(run_as)))]
    run_as: Option<Who>,
    /// How the job finds its identity: azure-ml, app-service, imds, azure-arc, service-fabric,
    /// cloud-shell, spark, token-exchange, workload-identity, client-secret, client-certificate,
    /// user-password, on-behalf-of, device-code or azure-pipelines [default: azure-ml]
    #[arg(long, value_name = "FORM", value_parser = trimmed::parsed::<Form>())]
    identity_form: Option<Form>,
    /// Grant managed, user or application a role (secrets-officer, secrets-user, reader, none) on all vaults
    /// or on one secret; may be repeated [default: secrets-officer, which may also write]
    #[arg(long, value_name = "WHO:ROLE[:NAME]", value_delimiter = ',', value_parser = trimmed::parsed::<Grant>())]
    grant: Vec<Grant>,
    /// Requests to each vault in 10 seconds; those beyond are answered with 429, as Key Vault does beyond 4000
    /// [default: no limit]
    #[arg(long, value_name = "REQUESTS", value_parser = trimmed::trimmed(clap::value_parser!(u32)))]
    limit: Option<u32>,
    /// export (lines for a shell) or json (one line)
    #[arg(long, short, value_enum, value_parser = trimmed::word::<Format>(), default_value_t = Format::Export, value_name = "FORMAT")]
    pub(crate) output: Format,
    /// Run this command in the local Azure, and end with its exit code
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<std::ffi::OsString>,
}

/// The format in which the environment is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// export NAME='quoted', one line each
    Export,
    /// One line of JSON: vaults, proxy, control port, CA and environment
    Json,
}

impl Dev {
    pub(crate) fn run(self) -> Result<ExitCode, Failure> {
        // Before anything else: from here on a signal leaves no files behind.
        let signals = Signals::block();
        note_slips();
        let command = child::command(&self.command);
        let output = self.output;
        let (builder, given) = self.builder()?;
        let local = start(builder, &given)?;
        let Some(mut command) = command else { return serve(&local, output, &signals) };
        environment(&local, &mut command);
        Ok(ExitCode::from(child::run(command, &signals)?.code))
    }

    fn builder(self) -> Result<(Builder, GivenFlags), Failure> {
        let mut builder = Local::builder();
        builder = self.vault.into_iter().fold(builder, Builder::vault);
        builder = seeded(builder, self.seed_file, self.seed, &self.given, "VAULTLET_DEV_SEED")?;
        builder = self.grant.into_iter().fold(builder, Builder::grant);
        builder = self.limit.into_iter().fold(builder, Builder::limit);
        builder = builder.run_as(self.run_as.unwrap_or(Who::Managed));
        Ok((builder.identity_form(self.identity_form.unwrap_or_default()), self.given))
    }
}

/// The configuration with secrets from a file and from arguments, which stand in a variable otherwise.
pub(crate) fn seeded(
    mut builder: Builder,
    file: Option<PathBuf>,
    seeds: Vec<String>,
    given: &GivenFlags,
    variable: &str,
) -> Result<Builder, Failure> {
    if let Some(file) = file {
        for (name, seed) in seeds::read(&file)? {
            builder = builder.seed(name, seed);
        }
    }
    for seed in seeds {
        // Parsed here and not by clap, whose error would quote the secret.
        let Some((name, value)) = seed.split_once('=') else {
            let (kind, name) = match kind_of("--seed", given) {
                Kind::Usage => (Kind::Usage, "--seed"),
                kind => (kind, variable),
            };
            let message = format!("reading `{name}`: it has no `=` after the secret's name");
            return Err(Failure::own(kind, "dev-seed", message, "write NAME=VALUE"));
        };
        builder = builder.seed(name, value);
    }
    Ok(builder)
}

/// Tells of variables that look like those of dev's flags and are not read.
fn note_slips() {
    let flags = Dev::augment_args(clap::Command::new("dev"));
    for flag in flags.get_arguments().filter_map(clap::Arg::get_long).filter(|it| *it != "output") {
        let end = flag.to_uppercase().replace('-', "_");
        let (slip, meant) = (format!("VAULTLET_{end}"), format!("VAULTLET_DEV_{end}"));
        let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        if is_set(&slip) && !is_set(&meant) {
            note(format_args!(
                "`{slip}` is not read here; the variable of `--{flag}` is `{meant}`"
            ));
        }
    }
}

/// Parses an identity that Azure ML can give a job. An application is chosen by `--identity-form` instead.
fn run_as(word: String) -> Result<Who, String> {
    match word.parse() {
        Ok(who @ (Who::Managed | Who::User)) => Ok(who),
        _ => Err(format!("`{word}` is not one of managed, user")),
    }
}

/// Starts the local Azure.
pub(crate) fn start(builder: Builder, given: &GivenFlags) -> Result<Local, Failure> {
    builder.start().map_err(|error| {
        let kind = match &error {
            StartError::VaultName(_) => kind_of("--vault", given),
            StartError::SecretName(_) | StartError::Seed { .. } => kind_of("--seed", given),
            StartError::System { doing, cause } => match not_started(doing, cause) {
                Some(missing) => return missing.into(),
                None => Kind::Unavailable,
            },
            StartError::Roots { .. } | StartError::Variable(_) => Kind::Configuration,
            _ => Kind::Internal,
        };
        Failure::own(kind, error.id(), error.message(), error.help())
    })
}

/// The kind of failure for a malformed value, which depends on whether a flag or its variable has the value.
fn kind_of(flag: &str, given: &GivenFlags) -> Kind {
    if given.has(flag) { Kind::Usage } else { Kind::Configuration }
}

/// Sets the variables of the local Azure for a child process, and removes the variables that lead to another
/// identity.
pub(crate) fn environment(local: &Local, command: &mut Command) {
    // An agent would read the secrets of other vaults.
    for name in Local::foreign_variables().iter().chain(&vaultlet_host::AGENT_VARIABLES) {
        command.env_remove(name);
    }
    command.envs(local.environment().iter().map(|(name, value)| (name, value)));
    command.envs(addresses(local));
}

/// The variables by which a test finds the control port, and a program that knows no proxy the first vault.
fn addresses(local: &Local) -> impl Iterator<Item = (&str, &str)> {
    let control = [("VAULTLET_DEV_CONTROL", local.control())].into_iter();
    control.chain(local.vaults().map(|(_, vault)| ("VAULTLET_DEV_HTTP", vault.http())).take(1))
}

fn serve(local: &Local, format: Format, signals: &Signals) -> Result<ExitCode, Failure> {
    match format {
        Format::Json => output::json_line(&local.description())?,
        Format::Export => {
            let variables = local.environment().iter().map(|(k, v)| (k.as_str(), v.as_str()));
            let all = addresses(local).chain(variables);
            output::lines(all.map(|(k, v)| (format!("export {k}"), v)))?;
        }
    }
    announce(local);
    Ok(signals.wait_for_end())
}

/// Prints to stderr what is served and where.
fn announce(local: &Local) {
    use std::net::ToSocketAddrs as _;
    let names = local.vaults().map(|(name, vault)| format!("{name} at {}", vault.url()));
    note(format_args!("serving {}", names.collect::<Vec<_>>().join(", ")));
    for (name, _) in local.vaults() {
        // The system's resolver is the one that other programs use.
        if (format!("{name}.localhost"), 443).to_socket_addrs().is_err() {
            note(format_args!(
                "this system does not resolve `{name}.localhost`; use the real name \
                 through `HTTPS_PROXY`, as the environment says"
            ));
        }
    }
    output::serving("dev");
}

fn note(line: std::fmt::Arguments<'_>) {
    let _ = writeln!(std::io::stderr(), "vaultlet dev: {line}");
}
