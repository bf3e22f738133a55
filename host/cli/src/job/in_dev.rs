//! A job in the local Azure: this program runs itself there, so that whatever reads secrets finds one world.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use clap::Args;
use clap::builder::PathBufValueParser;
use vaultlet_dev::{Local, Who};
use vaultlet_host::Kind;

use super::check::within;
use super::definition::{Definition, Identity};
use crate::child::{self, Signals};
use crate::dev;
use crate::failure::Failure;
use crate::given_flags::GivenFlags;
use crate::trimmed;

/// The flags of the local Azure.
#[derive(Args)]
pub(super) struct Flags {
    #[command(flatten)]
    given: GivenFlags,
    /// Run the job in a local Azure, which has the vaults that the file names. No request to them
    /// leaves this machine
    #[arg(long)]
    dev: bool,
    /// With --dev: a secret, in every vault; may be repeated. Others of this machine see it in the list of processes:
    /// give a real value by --seed-file
    #[arg(long, value_name = "NAME=VALUE")]
    seed: Vec<String>,
    /// With --dev: a file of secrets (- is stdin): a JSON object, or lines NAME=VALUE
    #[arg(long, value_name = "FILE", value_parser = trimmed::trimmed(PathBufValueParser::new()))]
    seed_file: Option<PathBuf>,
    /// With --dev: a vault that the file does not name; may be repeated
    #[arg(long, value_name = "NAME", value_delimiter = ',', value_parser = trimmed::text())]
    vault: Vec<String>,
}

/// Flags that are for the local Azure alone, and take a value.
const VALUED: [&str; 3] = ["--seed", "--seed-file", "--vault"];

impl Flags {
    /// Whether the job is to run in a local Azure.
    pub(super) fn is_wanted(&self) -> Result<bool, Failure> {
        if !self.dev
            && let Some(flag) = VALUED.iter().find(|flag| self.given.has(flag))
        {
            return Err(Failure::usage(&format!("`{flag}` is for `--dev`")));
        }
        Ok(self.dev)
    }

    /// Runs this program with the same arguments in a local Azure.
    pub(super) fn run(
        self,
        definition: &Definition,
        identity: &Identity,
        signals: &Signals,
    ) -> Result<ExitCode, Failure> {
        let mut builder = Local::builder();
        for vault in vaults(definition, self.vault) {
            builder = builder.vault(vault);
        }
        let who = if *identity == Identity::User { Who::User } else { Who::Managed };
        builder = builder.run_as(who);
        let builder =
            dev::seeded(builder, self.seed_file, self.seed, &self.given, "VAULTLET_SEED")?;
        let local = dev::start(builder, &self.given)?;
        let own = std::env::current_exe().map_err(|error| {
            let message = format!("finding this program: {error}");
            Failure::own(Kind::Internal, "internal", message, "report this with the message")
        })?;
        let words: Vec<_> =
            [own.into()].into_iter().chain(inner(std::env::args_os().skip(1))).collect();
        let Some(mut command) = child::command(&words) else {
            return Err(Failure::usage("there are no arguments"));
        };
        set(&mut command, &local);
        Ok(ExitCode::from(child::run(command, signals)?.code))
    }
}

fn set(command: &mut Command, local: &Local) {
    dev::environment(local, command);
    for flag in VALUED.iter().chain(&["--dev"]) {
        let name = flag.trim_start_matches('-').replace('-', "_").to_uppercase();
        command.env_remove(format!("VAULTLET_{name}"));
    }
}

/// The arguments without the flags of the local Azure: a seed is in no other command line than the user's.
fn inner(arguments: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let mut kept = Vec::new();
    let mut arguments = arguments;
    while let Some(argument) = arguments.next() {
        let text = argument.to_string_lossy();
        let flag = text.split('=').next().unwrap_or_default();
        if argument == OsStr::new("--") {
            kept.push(argument);
            kept.extend(arguments);
            return kept;
        }
        if VALUED.contains(&flag) {
            if !text.contains('=') {
                arguments.next();
            }
        } else if flag != "--dev" {
            kept.push(argument);
        }
    }
    kept
}

/// The vaults of the public cloud that the references in a job name, and others that were named.
fn vaults(definition: &Definition, named: Vec<String>) -> Vec<String> {
    let variables = definition.variables.iter().filter_map(|it| it.value.as_deref());
    let inputs = definition.inputs.iter().map(|it| it.text.as_str());
    let texts = variables.chain(inputs).chain([definition.command.as_str()]);
    let mut vaults = named;
    for text in texts {
        let references = within(text);
        let hosts = references.iter().filter_map(|it| it.strip_prefix("akv://")?.split('/').next());
        let hosts = hosts.map(|host| host.split('@').next_back().unwrap_or(host));
        let names = hosts.filter_map(|host| match host.split_once('.') {
            None => Some(host),
            Some((name, domain)) => domain.eq_ignore_ascii_case(DOMAIN).then_some(name),
        });
        let urls = text.match_indices(URL).filter_map(|(at, _)| {
            let start = text.get(..at)?.rfind("https://")? + "https://".len();
            text.get(start..at)
        });
        let app_service =
            text.split("VaultName=").nth(1).and_then(|it| it.split([';', ')']).next());
        for name in names.chain(urls).chain(app_service) {
            let name = name.to_ascii_lowercase();
            if is_name(&name) && !vaults.contains(&name) {
                vaults.push(name);
            }
        }
    }
    vaults
}

const DOMAIN: &str = "vault.azure.net";
const URL: &str = ".vault.azure.net";

/// Whether a vault can have this name. References with others are errors when they are read.
fn is_name(name: &str) -> bool {
    (3..=24).contains(&name.len())
        && name.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'-')
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
        && !name.ends_with('-')
        && !name.contains("--")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_are_not_passed_on() {
        for (given, kept) in [
            ("job run --dev --seed a=b f.yml", "job run f.yml"),
            ("job run f.yml --seed=a=b --seed-file x --dev -o json", "job run f.yml -o json"),
            (
                "job run --vault a,b --dev --set a.b=--dev -- --dev",
                "job run --set a.b=--dev -- --dev",
            ),
            ("--log info job run --dev=true f --vault=x", "--log info job run f"),
        ] {
            let arguments = given.split(' ').map(OsString::from);
            let kept: Vec<_> = kept.split(' ').map(OsString::from).collect();
            assert_eq!(inner(arguments), kept, "{given}");
        }
    }
}
