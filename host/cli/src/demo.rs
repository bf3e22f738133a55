//! `vaultlet demo`.

use std::hash::{BuildHasher as _, Hasher as _};
use std::io::{self, Write as _};
use std::process::{Command, ExitCode, Output, Stdio};
use std::time::Instant;

use clap::Args;
use vaultlet_dev::{Entry, Grant, Local, Role, Who};
use vaultlet_host::Kind;

use crate::child::{self, Interrupted, Signals};
use crate::dev;
use crate::failure::Failure;

/// See a training job get its secret, step by step, from a Key Vault on this machine
///
/// Starts the local Azure and runs `vaultlet get` in it as a job would: by the compute's managed
/// identity, on behalf of the job's user, then denied and mended. Shows each request and how long
/// it took. Nothing leaves this machine.
#[derive(Args)]
pub(crate) struct Demo {}

const VAULT: &str = "my-key-vault";
const SECRET: &str = "db-password";
const REFERENCE: &str = "akv://my-key-vault/db-password";

/// Why a step ended the demo.
enum Stop {
    Interrupted(Interrupted),
    Failed(Failure),
}

impl Demo {
    pub(crate) fn run(self) -> Result<ExitCode, Failure> {
        let signals = Signals::watch()?;
        // Another value each time: what is shown has been fetched.
        let value = format!("demo-{:016x}", std::hash::RandomState::new().build_hasher().finish());
        let builder = Local::builder().vault(VAULT).seed(SECRET, value.as_str()).run_as(Who::User);
        let stage = Stage { local: dev::start(builder)?, signals, value };
        match stage.play() {
            Ok(()) => Ok(ExitCode::SUCCESS),
            Err(Stop::Interrupted(interrupted)) => Ok(interrupted.code()),
            Err(Stop::Failed(failure)) => Err(failure),
        }
    }
}

struct Stage {
    local: Local,
    signals: Signals,
    value: String,
}

impl Stage {
    fn play(&self) -> Result<(), Stop> {
        say(format_args!(
            "A training job on this machine, with a local Azure: the vault `{VAULT}` at"
        ));
        say(format_args!(
            "https://{VAULT}.vault.azure.net, an Azure ML identity endpoint, and a secret."
        ));

        step(1, "The job reads the secret by the compute's managed identity");
        self.expect_value(&["get", "--identity", "managed-identity", REFERENCE])?;

        step(2, "The job was submitted with its user's identity, and reads it on their behalf");
        self.expect_value(&["get", "--identity", "azureml-obo", REFERENCE])?;

        step(3, "The user loses the role `Key Vault Secrets User`, and is told what is wrong");
        self.give(Role::None);
        self.expect_denial(&["get", REFERENCE])?;

        step(4, "They are given it back, and it works again");
        self.give(Role::SecretsUser);
        self.expect_value(&["get", REFERENCE])?;

        say(format_args!(
            "\nNext, your own program, unchanged; Microsoft's SDKs work in there, too:"
        ));
        say(format_args!(
            "  vaultlet dev --vault {VAULT} --seed {SECRET}=hunter2 -- python job.py"
        ));
        say(format_args!("In a job on Azure there is nothing to start:"));
        say(format_args!("  vaultlet get {REFERENCE}"));
        Ok(())
    }

    fn give(&self, role: Role) {
        self.local.grant(Grant { who: Who::User, role, name: Some(SECRET.to_owned()) });
    }

    fn expect_value(&self, arguments: &[&str]) -> Result<(), Stop> {
        let output = self.vaultlet(arguments)?;
        if output.status.success() && output.stdout == self.value.as_bytes() {
            return Ok(());
        }
        Err(unexpected("the secret was not what came out"))
    }

    fn expect_denial(&self, arguments: &[&str]) -> Result<(), Stop> {
        let output = self.vaultlet(arguments)?;
        if child::code(output.status) == DENIED && output.stdout.is_empty() {
            return Ok(());
        }
        Err(unexpected("the vault was to deny the secret"))
    }

    /// Runs ourselves as a job would, and shows what came out and what was asked.
    fn vaultlet(&self, arguments: &[&str]) -> Result<Output, Stop> {
        say(format_args!("\n  $ vaultlet {}", arguments.join(" ")));
        self.local.reset_counters();
        let own =
            std::env::current_exe().map_err(|_| unexpected("our own program is not there"))?;
        let mut command = Command::new(own);
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        for (name, _) in std::env::vars_os() {
            // Settings of the outside would tell another story.
            if name.to_str().is_some_and(|name| name.starts_with("VAULTLET_")) {
                command.env_remove(name);
            }
        }
        dev::environment(&self.local, &mut command);
        let since = Instant::now();
        let output = child::run(&mut command, &self.signals)
            .map_err(Stop::Failed)?
            .map_err(Stop::Interrupted)?;
        let took = since.elapsed().as_secs_f64() * 1000.0;
        for text in [&output.stdout, &output.stderr] {
            String::from_utf8_lossy(text).lines().for_each(|line| say(format_args!("  {line}")));
        }
        let code = child::code(output.status);
        say(format_args!("  exit {code}, {took:.1} ms from start to end, with these requests:"));
        self.local.log().iter().for_each(show);
        Ok(output)
    }
}

/// A reader that has gone away does not stop the play.
fn say(line: std::fmt::Arguments<'_>) {
    let _ = writeln!(io::stdout(), "{line}");
}

/// The exit code of `denied`.
const DENIED: u8 = 77;

fn step(number: u8, what: &str) {
    say(format_args!("\n{number}. {what}."));
}

fn show(entry: &Entry) {
    let who = match entry.who {
        Some(Who::Managed) => "as the managed identity",
        Some(Who::User) => "as the user",
        Some(Who::Application) => "as the application",
        None => "",
    };
    let Entry { method, host, path, status, ms, .. } = entry;
    let scheme = if entry.door == "proxy" { "https" } else { "http" };
    say(format_args!("    {status} {method} {scheme}://{host}{path} {ms:.2} ms {who}"));
}

fn unexpected(what: &str) -> Stop {
    let message = format!("playing the demo: {what}");
    let help = "what it printed above says why; report it if it does not";
    Stop::Failed(Failure::own(Kind::Internal, "demo-failed", message, help))
}
