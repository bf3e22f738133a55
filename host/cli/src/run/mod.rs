//! `vaultlet run`: a command with the secrets that its variables refer to.

#[cfg_attr(windows, path = "windows/files.rs")]
mod files;
mod follow;
#[cfg(unix)]
mod group;
mod identity;
mod job;
mod masked;
mod masks;
mod on_change;
#[cfg_attr(windows, path = "windows/output.rs")]
mod output;
#[cfg(unix)]
mod pump;
mod supervise;
#[cfg(unix)]
mod terminal;
mod watch;

use std::ffi::OsString;
use std::io::{self, Write as _};
use std::process::{Command, ExitCode};

use clap::{Args, ValueEnum};
use vaultlet_host::references::is_like_one;
use vaultlet_host::{Kind, Vaultlet, not_started};

use crate::child::{self, Descriptor, Signals};
use crate::failure::Failure;
use crate::given_flags::GivenFlags;
use crate::identity::CALLS as LENT_CALLS;
use crate::options::{CALLS_MAX, Options};
use crate::policy_flag::PolicyFlag;
use crate::references::{Again, Resolved, Sources, resolve_again, resolve_open};
use crate::trimmed;

#[cfg(unix)]
pub(crate) use group::{Process, run_all};

use identity::Identity;
use job::Job;
use masked::Masked;
use on_change::{Interval, OnChange};
use output::Output;
use supervise::Supervisor;

/// Run a command with the secrets that its variables refer to
///
/// Each variable whose whole value is a reference is replaced by the secret: of the environment, of env files, and
/// of -e, which wins. All of them are read before the command starts, or it does not start. Everything else
/// reaches the command as it is. The command has this terminal, gets every signal, and its exit code is that of
/// vaultlet.
///
/// In the command's output a secret is replaced by the name of its variable, as in <DB_PASSWORD>, also when it is
/// escaped, quoted or encoded in base64 or hexadecimal. A value of fewer than 4 bytes is not.
///
/// A reference may have these options: as=file gives the path of a file with the value, as=fd that of a
/// descriptor; with optional the variable is unset when there is no such secret, with default=TEXT it is TEXT.
///
/// With --watch the secrets are asked for again. When one has a new version, the command is asked to end by SIGTERM
/// and started with it. While asking fails, the command goes on. References with a version are not watched. An
/// agent (VAULTLET_AGENT) tells of a new version by itself.
///
/// The command finds the agent that vaultlet asks, too, unless --drop-identity or --lend takes VAULTLET_AGENT from it.
#[derive(Args)]
#[command(after_help = "\
Examples:
  DB_PASSWORD=akv://my-key-vault/db-password vaultlet run -- python train.py
  vaultlet run --env-file job.env -- python train.py
  vaultlet run -e 'HF_TOKEN=akv://my-key-vault/hub-token?optional' -- torchrun train.py
  vaultlet run -e 'TLS_KEY=akv://my-key-vault/tls-key?as=file' -- ./serve
  vaultlet run --drop-identity --env-file job.env -- python train.py
  vaultlet run --lend=https://storage.azure.com -- python train.py
  vaultlet run --watch --on-change signal:HUP -e 'TLS_KEY=akv://my-key-vault/tls-key?as=file' -- ./serve")]
pub(crate) struct Run {
    #[command(flatten)]
    given: GivenFlags,
    #[command(flatten)]
    sources: Sources,
    /// Resolve these variables only, each of which must be set; may be repeated
    #[arg(long, value_name = "NAME,…", value_delimiter = ',', value_parser = trimmed::text())]
    only: Vec<String>,
    /// Do not replace secrets in the command's output
    #[arg(long)]
    no_masking: bool,
    /// Take from the command the variables that lead to this machine's identity
    #[arg(long)]
    drop_identity: bool,
    /// Give the command, in place of this machine's identity, a lent one that gets tokens for Key Vault, and for
    /// the resources named here
    #[arg(
        long,
        value_name = "URI,…",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        value_delimiter = ',',
        value_parser = trimmed::text()
    )]
    lend: Vec<String>,
    /// Ask for the secrets again, and act on a new version as --on-change says
    #[arg(long)]
    watch: bool,
    /// With --watch: the time between two questions [default: half the time until the secret expires, 300 for one
    /// that does not]
    #[arg(long, value_name = "SECONDS", value_parser = trimmed::parsed::<Interval>())]
    interval: Option<Interval>,
    /// With --watch: restart the command, send it a signal (signal:HUP), or exit with 75 [default: restart]
    #[arg(
        long,
        value_name = "restart|signal:NAME|exit",
        value_parser = trimmed::parsed::<OnChange>()
    )]
    on_change: Option<OnChange>,
    /// json: report errors as one JSON object on stderr
    #[arg(long, short, value_enum, value_parser = trimmed::word::<Format>(), value_name = "FORMAT")]
    output: Option<Format>,
    #[command(flatten)]
    policy: PolicyFlag,
    #[command(flatten)]
    options: Options,
    /// The command and its arguments
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

/// The format of errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// One JSON object on stderr
    Json,
}

impl Run {
    /// Whether errors are to be reported as JSON.
    pub(crate) fn reports_json(&self) -> bool {
        self.output == Some(Format::Json)
    }

    pub(crate) fn run(mut self) -> Result<ExitCode, Failure> {
        // Before anything else: a thread that is started earlier would get the signals.
        let signals = Signals::block();
        self.check()?;
        std::mem::take(&mut self.policy).apply(&mut self.options);
        let Self { command, no_masking, watch, interval, on_change, .. } = &self;
        let (command, no_masking, is_watched) = (command.clone(), *no_masking, *watch);
        let (interval, on_change) = (interval.map(|it| it.0), on_change.unwrap_or_default());
        let (resolved, identity, handle) = match signals.unless_interrupted(|| self.resolve()) {
            Ok(resolved) => resolved?,
            Err(interrupted) => return Ok(interrupted),
        };
        let Resolved { variables, masked, .. } = resolved;
        let mut job = Job::new(command, variables, identity);
        let masked = Masked::new(if no_masking { Vec::new() } else { masked });
        if let Handle::Watched(again) = handle {
            // A value that can be masked may yet come.
            let output = if no_masking { None } else { Some(Output::open()?) };
            let changes = watch::start(again, interval).map_err(|error| unwatched(&error))?;
            return Supervisor::new(job, output, masked, changes, on_change).run(&signals);
        }
        let mut command = job.command()?;
        job.forget();
        if !masked.is_empty() {
            return masked_to_the_end(command, Some(job.handed_down()), masked, handle, &signals);
        }
        if !no_masking || is_watched || job.must_be_kept() {
            let running = child::start(&mut command, &signals)?;
            drop((command, handle));
            return Ok(ExitCode::from(running.wait(&signals).code));
        }
        // Nothing is left to do for this process, which becomes the command.
        vaultlet_telemetry::flush();
        child::replace(command, &signals)
    }

    /// Fails if a flag has no meaning without another one. A variable may stand for it all the same.
    fn check(&self) -> Result<(), Failure> {
        for flag in ["--interval", "--on-change"] {
            if self.given.has(flag) && !self.watch {
                return Err(Failure::usage(&format!("`{flag}` needs `--watch`")));
            }
        }
        Ok(())
    }

    /// The resources that are lent besides Key Vault; `None` when nothing is lent.
    fn lent(&self) -> Option<Vec<String>> {
        let is = |word: &str, switch: &str| word.eq_ignore_ascii_case(switch);
        let words = || self.lend.iter().map(|word| word.trim()).filter(|word| !word.is_empty());
        if words().all(|word| is(word, "false")) {
            return None;
        }
        let resources = words().filter(|word| !is(word, "true") && !is(word, "false"));
        Some(resources.map(str::to_owned).collect())
    }

    /// Reads the secrets.
    fn resolve(&self) -> Result<(Resolved, Identity, Handle), Failure> {
        let Self { sources, only, options, .. } = self;
        let mut variables = sources.with_environment()?;
        if let Some(program) = self.command.first() {
            let path = variables.iter().find(|it| it.name == "PATH").map(|it| &*it.value);
            // Before a secret is given out for nothing. A `PATH` that is a secret is not known yet.
            if !path.is_some_and(is_like_one) {
                child::check(program, path)?;
            }
            options.set_program(|| child::program(program, path));
        }
        let lent = self.lent();
        if !self.watch && !self.drop_identity && lent.is_none() {
            let (resolved, handle) = resolve_open(variables, only, options)?;
            return Ok((resolved, Identity::default(), Handle::Idle(handle)));
        }
        let references = variables.iter().filter(|it| is_like_one(&it.value)).count();
        let calls = if lent.is_some() { LENT_CALLS } else { references.clamp(1, CALLS_MAX) };
        let vaultlet = options.open_early(calls)?;
        let identity = match lent {
            Some(resources) => {
                Identity::lent(&vaultlet, &resources, options, self.given.has("--lend"))?
            }
            None if self.drop_identity => Identity::none(&vaultlet)?,
            None => Identity::default(),
        };
        // One that was given to the command by name stays.
        variables.retain(|it| !it.is_inherited || !identity.removes(&it.name));
        let (resolved, again) = resolve_again(variables, only, options, vaultlet)?;
        let is_watched = self.watch && again.secrets().next().is_some();
        if self.watch && !is_watched {
            let _ = writeln!(
                io::stderr(),
                "vaultlet: there is nothing to watch: no variable refers to a secret without a version"
            );
        }
        let handle = if is_watched { Handle::Watched(again) } else { Handle::Idle(None) };
        Ok((resolved, identity, handle))
    }
}

/// What the secrets were read by.
enum Handle {
    /// They are asked for again.
    Watched(Again),
    /// Nothing is left to do but to close it, which can wait until the command runs.
    Idle(#[allow(dead_code, reason = "it is kept, and dropped")] Option<Vaultlet>),
}

/// Runs a command that writes to streams of ours. Without descriptors that it inherits besides, the command knows its
/// own.
fn masked_to_the_end(
    mut command: Command,
    kept: Option<Vec<Descriptor>>,
    masked: Masked,
    handle: Handle,
    signals: &Signals,
) -> Result<ExitCode, Failure> {
    let mut output = Output::open()?;
    let running = output.start(&mut command, kept, signals)?;
    // While the system loads the program. With the command, our ends of what it writes to are closed.
    drop(command);
    output.let_go();
    output.mask(masked.mask());
    drop((masked, handle));
    let end = running.wait_with(signals, &mut output);
    output.end(end.code, signals)
}

fn unwatched(error: &io::Error) -> Failure {
    let doing = "watching secrets";
    match not_started(doing, error) {
        Some(missing) => missing.into(),
        None => Failure::own(Kind::Internal, "internal", format!("{doing}: {error}"), ""),
    }
}
