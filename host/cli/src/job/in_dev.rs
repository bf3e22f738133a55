//! A job in the local Azure: this program runs itself there, so that whatever reads secrets finds one world.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use clap::Args;
use clap::builder::PathBufValueParser;
use vaultlet_dev::{Local, Who};
use vaultlet_host::Kind;

use super::definition::{Definition, Identity};
use super::file::{JobFile, is_stdin};
use super::mentions;
use crate::child::{self, Signals};
use crate::dev;
use crate::failure::Failure;
use crate::given_flags::GivenFlags;
use crate::system::unnamed_file;
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

    /// Refuses to read two things from stdin.
    pub(super) fn check(&self, file: &Path) -> Result<(), Failure> {
        if is_stdin(file) && self.seed_file.as_deref().is_some_and(is_stdin) {
            return Err(Failure::usage("the job and `--seed-file` cannot both be stdin"));
        }
        Ok(())
    }

    /// Runs this program with the same arguments in a local Azure.
    pub(super) fn run(
        self,
        job: JobFile,
        identity: &Identity,
        signals: &Signals,
    ) -> Result<ExitCode, Failure> {
        let mut builder = Local::builder();
        for vault in vaults(&job.definition, self.vault) {
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
        if let Some(text) = job.stdin {
            command.stdin(in_memory(&text).map_err(|error| {
                let message = format!("passing on the job: {error}");
                Failure::own(Kind::Internal, "internal", message, "name a file instead of `-`")
            })?);
        }
        Ok(ExitCode::from(child::run(command, signals)?.code))
    }
}

/// A file without a name with this text.
fn in_memory(text: &str) -> io::Result<File> {
    let mut file = unnamed_file("vaultlet-job")?;
    file.write_all(text.as_bytes())?;
    file.rewind()?;
    Ok(file)
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

/// The vaults that a job names, and others that were named.
fn vaults(definition: &Definition, named: Vec<String>) -> Vec<String> {
    let variables = definition.variables.iter().filter_map(|it| it.value.as_deref());
    let inputs = definition.inputs.iter().map(|it| it.text.as_str());
    let texts = variables.chain(inputs).chain([definition.command.as_str()]);
    let mut vaults = named;
    for name in texts.flat_map(mentions::vaults) {
        if is_name(&name) && !vaults.contains(&name) {
            vaults.push(name);
        }
    }
    vaults
}

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
