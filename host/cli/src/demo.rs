//! `vaultlet demo`.

use std::hash::{BuildHasher as _, Hasher as _};
use std::io;
use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;

use clap::Args;
use vaultlet_dev::{Entry, Grant, Local, Role, Who};
use vaultlet_host::Kind;

use crate::child::{self, Signals};
use crate::dev;
use crate::failure::Failure;
use crate::given_flags::GivenFlags;
use crate::output;

/// Watch a training job read its secret, step by step, from a Key Vault on this machine
///
/// Starts a local Azure and runs `vaultlet get` in it as a job would: with the compute's managed
/// identity, on behalf of the job's user, and then without and again with the user's role. Shows each
/// request and how long it took. Nothing leaves this machine.
#[derive(Args)]
pub(crate) struct Demo {}

const VAULT: &str = "my-key-vault";
const SECRET: &str = "db-password";
const REFERENCE: &str = "akv://my-key-vault/db-password";

/// The reason why the demo ended early.
enum Stop {
    Interrupted(u8),
    Failed(Failure),
}

impl Demo {
    pub(crate) fn run(self) -> Result<ExitCode, Failure> {
        let signals = Signals::block();
        // The value is random, so a value that is shown was really fetched.
        let value = format!("demo-{:016x}", std::hash::RandomState::new().build_hasher().finish());
        let builder = Local::builder().vault(VAULT).seed(SECRET, value.as_str()).run_as(Who::User);
        let stage = Stage { local: dev::start(builder, &GivenFlags::default())?, signals, value };
        match stage.play() {
            Ok(()) => output::told().map(|()| ExitCode::SUCCESS),
            Err(Stop::Interrupted(code)) => Ok(ExitCode::from(code)),
            Err(Stop::Failed(failure)) => Err(failure),
        }
    }
}

/// What a program said, and its exit code.
struct Output {
    code: u8,
    stdout: Vec<u8>,
    stderr: Vec<u8>,
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

        step(1, "The job reads the secret with the compute's managed identity");
        self.expect_value(&["get", "--identity", "managed-identity", REFERENCE])?;

        step(
            2,
            "The job was submitted with its user's identity, and reads the secret on the user's behalf",
        );
        self.expect_value(&["get", "--identity", "azureml-obo", REFERENCE])?;

        step(
            3,
            "The user loses the role `Key Vault Secrets User`, and the error says what is wrong",
        );
        self.grant(Role::None);
        self.expect_denial(&["get", REFERENCE])?;

        step(4, "The user is given the role again, and the secret can be read");
        self.grant(Role::SecretsUser);
        self.expect_value(&["get", REFERENCE])?;

        say(format_args!(
            "\nNext, run your own program, unchanged; Microsoft's SDKs work there, too:"
        ));
        say(format_args!(
            "  vaultlet dev --vault {VAULT} --seed {SECRET}=hunter2 -- python job.py"
        ));
        say(format_args!("In a job on Azure, nothing needs to be started:"));
        say(format_args!("  vaultlet get {REFERENCE}"));
        Ok(())
    }

    fn grant(&self, role: Role) {
        self.local.grant(Grant { who: Who::User, role, name: Some(SECRET.to_owned()) });
    }

    fn expect_value(&self, arguments: &[&str]) -> Result<(), Stop> {
        let output = self.vaultlet(arguments)?;
        if output.code == 0 && output.stdout == self.value.as_bytes() {
            return Ok(());
        }
        Err(unexpected("the output was not the secret"))
    }

    fn expect_denial(&self, arguments: &[&str]) -> Result<(), Stop> {
        let output = self.vaultlet(arguments)?;
        if output.code == DENIED && output.stdout.is_empty() {
            return Ok(());
        }
        Err(unexpected("the vault did not deny the secret"))
    }

    /// Runs this program as a job would, and shows its output and the requests that it made.
    fn vaultlet(&self, arguments: &[&str]) -> Result<Output, Stop> {
        say(format_args!("\n  $ vaultlet {}", arguments.join(" ")));
        self.local.reset_counters();
        let own = std::env::current_exe()
            .map_err(|_| unexpected("this program's own file does not exist"))?;
        let mut command = Command::new(own);
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        for (name, _) in std::env::vars_os() {
            // The user's own settings would change what the demo shows.
            if name.to_str().is_some_and(|name| name.starts_with("VAULTLET_")) {
                command.env_remove(name);
            }
        }
        dev::environment(&self.local, &mut command);
        let since = Instant::now();
        let mut running = child::start(&mut command, &self.signals).map_err(Stop::Failed)?;
        let streams = running.child().map(|it| (it.stdout.take(), it.stderr.take()));
        let (stdout, stderr) = streams.unwrap_or_default();
        // The output is shorter than what a pipe holds.
        let ended = running.wait(&self.signals);
        if let Some(code) = ended.interrupted {
            return Err(Stop::Interrupted(code));
        }
        let output = Output { code: ended.code, stdout: whole(stdout), stderr: whole(stderr) };
        let took = since.elapsed().as_secs_f64() * 1000.0;
        for text in [&output.stdout, &output.stderr] {
            String::from_utf8_lossy(text).lines().for_each(|line| say(format_args!("  {line}")));
        }
        let code = output.code;
        say(format_args!("  exit {code}, {took:.1} ms from start to end, with these requests:"));
        self.local.log().iter().for_each(show);
        Ok(output)
    }
}

/// All that is in a pipe.
fn whole(pipe: Option<impl io::Read>) -> Vec<u8> {
    let mut text = Vec::new();
    // What cannot be read is shown as missing.
    let _ = pipe.map(|mut pipe| pipe.read_to_end(&mut text));
    text
}

/// Prints a line. A stdout that cannot be written to does not stop the demo.
fn say(line: std::fmt::Arguments<'_>) {
    output::tell(&format!("{line}\n"));
}

/// The exit code of the kind `denied`.
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
    let message = format!("running the demo: {what}");
    let help = "see the output above; if it does not say why, report this";
    Stop::Failed(Failure::own(Kind::Internal, "demo-failed", message, help))
}
