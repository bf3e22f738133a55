//! The settings that commands share.

#[cfg(test)]
mod tests;
mod values;

use std::io::{self, IsTerminal as _, Write as _};
use std::mem::ManuallyDrop;
use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::Duration;

use clap::{Args, ValueEnum};
use vaultlet_core::limits;
use vaultlet_core::settings::{self, IN_JOB, SETTINGS, Setting, Settings};
use vaultlet_host::{Builder, Policy, Vaultlet};

use crate::failure::Failure;
use crate::given_flags::GivenFlags;

/// The format of the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// The value alone, exactly its bytes
    Value,
    /// One JSON object (several references: one array)
    Json,
    /// export NAME='quoted', one line each
    Env,
}

/// The settings that commands share: the rows of the component's table, as flags.
#[derive(Args)]
#[command(next_help_heading = "Identity and network")]
pub(crate) struct Options {
    #[command(flatten)]
    given: GivenFlags,
    #[arg(long, value_name = value_name(&settings::IDENTITY), help = settings::IDENTITY.help)]
    identity: Vec<String>,
    #[arg(long, value_name = value_name(&settings::EXCLUDE), help = settings::EXCLUDE.help)]
    exclude: Vec<String>,
    #[arg(
        long,
        value_name = value_name(&settings::CLIENT_ID),
        help = settings::CLIENT_ID.help,
        group = "user_assigned"
    )]
    client_id: Option<String>,
    #[arg(
        long,
        value_name = value_name(&settings::OBJECT_ID),
        help = settings::OBJECT_ID.help,
        group = "user_assigned"
    )]
    object_id: Option<String>,
    #[arg(
        long,
        value_name = value_name(&settings::RESOURCE_ID),
        help = settings::RESOURCE_ID.help,
        group = "user_assigned"
    )]
    resource_id: Option<String>,
    #[arg(
        long,
        value_name = value_name(&settings::ADDITIONAL_TENANTS),
        help = settings::ADDITIONAL_TENANTS.help,
        value_delimiter = ','
    )]
    additional_tenants: Vec<String>,
    #[arg(
        long,
        value_name = value_name(&settings::USER_ASSERTION_FILE),
        help = settings::USER_ASSERTION_FILE.help
    )]
    user_assertion_file: Option<String>,
    #[arg(long, value_name = value_name(&settings::CLOUD), help = settings::CLOUD.help)]
    cloud: Option<String>,
    #[arg(long, value_name = value_name(&settings::TIMEOUT), help = settings::TIMEOUT.help)]
    timeout: Option<String>,
    #[arg(long, value_name = value_name(&settings::CA_FILE), help = settings::CA_FILE.help)]
    ca_file: Option<PathBuf>,
    #[arg(long, value_name = value_name(&settings::RESOLVE), help = settings::RESOLVE.help)]
    resolve: Vec<String>,
    #[arg(long, help = settings::ALLOW_HTTP_LOOPBACK.help)]
    allow_http_loopback: bool,
    #[arg(
        long,
        value_name = value_name(&settings::ALLOW_HTTP_IDENTITY),
        help = settings::ALLOW_HTTP_IDENTITY.help
    )]
    allow_http_identity: Vec<String>,
    /// The flags of the settings that came from the file of a job.
    #[arg(skip)]
    in_job: Vec<&'static str>,
    /// The policy of a command that has the flag.
    #[arg(skip)]
    policy: Option<PathBuf>,
    /// The program that the secrets are for, once it is known.
    #[arg(skip)]
    program: OnceLock<PathBuf>,
}

/// The limit of concurrent calls of one command; the vault's own limit is not far above.
pub(crate) const CALLS_MAX: usize = 32;

/// The placeholder for a setting's value in help.
fn value_name(setting: &'static Setting) -> &'static str {
    setting.value.unwrap_or_default()
}

/// The variable of the policy.
const POLICY: &str = "VAULTLET_POLICY";

type Set = fn(Builder, String) -> Builder;

fn is_set(variable: &str) -> bool {
    std::env::var_os(variable).is_some_and(|value| !value.is_empty())
}

impl Options {
    /// Opens a handle for this many concurrent calls.
    pub(crate) fn open(&self, calls: usize) -> Result<Vaultlet, Failure> {
        Ok(self.builder()?.concurrency(calls).open()?)
    }

    /// Opens a handle for this many concurrent calls of a command that needs secrets at once, which connects to a
    /// vault while it gets the token.
    pub(crate) fn open_early(&self, calls: usize) -> Result<Vaultlet, Failure> {
        Ok(self.builder()?.concurrency(calls).connect_early().open()?)
    }

    /// Opens a handle for this many concurrent calls of a command that ends the process. The handle is
    /// not closed: the system does that faster.
    pub(crate) fn open_once(&self, calls: usize) -> Result<ManuallyDrop<Vaultlet>, Failure> {
        Ok(ManuallyDrop::new(self.builder()?.concurrency(calls).one_shot().open()?))
    }

    /// Opens a handle for one call of a command that ends the process and gives out no secret, so that no policy is
    /// its.
    pub(crate) fn open_without_secrets(&self) -> Result<ManuallyDrop<Vaultlet>, Failure> {
        let builder = self.builder()?.unguarded();
        Ok(ManuallyDrop::new(builder.concurrency(1).one_shot().open()?))
    }

    /// Opens a handle for this many concurrent calls and so many requests a second to one vault, of the agent: it asks
    /// no other agent, and checks the policy for those who ask it.
    #[cfg_attr(windows, allow(dead_code, reason = "there is no agent"))]
    pub(crate) fn open_for_agent(&self, calls: usize, rate: u32) -> Result<Vaultlet, Failure> {
        let builder = self.builder()?.agent("").unguarded().rate(rate);
        Ok(builder.concurrency(calls).open()?)
    }

    /// Opens a handle for one call, with this source of credentials alone.
    pub(crate) fn open_for(&self, source: &str) -> Result<Vaultlet, Failure> {
        Ok(self.builder()?.identity(source).concurrency(1).open()?)
    }

    /// Sets the policy; without one the variable counts.
    pub(crate) fn set_policy(&mut self, policy: Option<PathBuf>) {
        self.policy = policy;
    }

    /// Fails if the policy cannot be read: for a command that has nothing to read, and opens no handle.
    pub(crate) fn check_policy(&self) -> Result<(), Failure> {
        let named = || std::env::var_os(POLICY).map(PathBuf::from);
        let Some(path) = self.policy.clone().or_else(named) else { return Ok(()) };
        let path = path.to_str().map(|text| PathBuf::from(text.trim())).unwrap_or(path);
        if !path.as_os_str().is_empty() {
            Policy::load(path)?;
        }
        Ok(())
    }

    /// Says which program the secrets are for, which a policy may ask.
    pub(crate) fn set_program(&self, find: impl FnOnce() -> PathBuf) {
        if self.policy.is_some() || is_set(POLICY) {
            let _ = self.program.set(find());
        }
    }

    /// The flags of settings that are on the command line.
    pub(crate) fn given_flags(&self) -> impl Iterator<Item = &'static str> {
        SETTINGS.iter().map(|setting| setting.flag).filter(|flag| self.given.has(flag))
    }

    /// Whether a setting, or Azure's variable, names the sources of credentials.
    pub(crate) fn names_identity(&self) -> bool {
        let is_auto = |settings: Settings| settings.chain.auto;
        !self.identity.is_empty() || !self.settings().is_ok_and(is_auto)
    }

    /// The time that the whole command may take. A malformed one is reported when a handle is opened.
    pub(crate) fn timeout(&self) -> Duration {
        let given = self.timeout.as_ref().and_then(|text| text.trim().parse::<f64>().ok());
        let given = given.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        let set = || self.settings().map_or(limits::CALL, |settings| settings.timeout);
        given.unwrap_or_else(set)
    }

    /// The settings with sources to ask or to leave out, where neither a flag nor a variable says anything of them.
    pub(crate) fn or_identity(mut self, ask: Option<&str>, leave_out: Option<&str>) -> Self {
        let is_chosen = !self.identity.is_empty()
            || !self.exclude.is_empty()
            || is_set(settings::IDENTITY.variable)
            || is_set(settings::EXCLUDE.variable);
        if !is_chosen {
            self.in_job.extend(ask.map(|_| settings::IDENTITY.flag));
            self.identity.extend(ask.map(str::to_owned));
            self.exclude.extend(leave_out.map(str::to_owned));
        }
        self
    }

    /// The settings with a user-assigned managed identity, where neither a flag nor a variable names one.
    pub(crate) fn or_user_assigned(
        mut self,
        client_id: Option<String>,
        object_id: Option<String>,
        resource_id: Option<String>,
    ) -> Self {
        let flags = [&self.client_id, &self.object_id, &self.resource_id];
        let variables = [settings::CLIENT_ID, settings::OBJECT_ID, settings::RESOURCE_ID];
        let is_named = flags.into_iter().any(Option::is_some)
            || variables.iter().any(|it| is_set(it.variable));
        if !is_named {
            self.in_job.extend([settings::CLIENT_ID.flag, settings::OBJECT_ID.flag]);
            (self.client_id, self.object_id, self.resource_id) =
                (client_id, object_id, resource_id);
        }
        self
    }

    fn builder(&self) -> Result<Builder, Failure> {
        let given: Vec<_> = SETTINGS
            .iter()
            .map(|setting| setting.flag)
            .filter(|flag| self.given.has(flag))
            .map(|flag| flag.trim_start_matches('-').to_owned())
            .chain(self.in_job.iter().map(|it| format!("{IN_JOB}{}", it.trim_start_matches('-'))))
            .collect();
        let mut builder = Vaultlet::builder().given_as_flags(&given);
        if io::stderr().is_terminal() {
            builder = builder.on_prompt(|line| {
                let _ = writeln!(io::stderr(), "{line}");
            });
        }
        builder = match self.user_assertion()? {
            Some(token) => builder.user_assertion(token),
            None => builder,
        };
        let lists: [(_, Set); 3] = [
            (&self.identity, Builder::identity),
            (&self.exclude, Builder::exclude),
            (&self.allow_http_identity, Builder::allow_http_identity),
        ];
        for (values, set) in lists {
            if !values.is_empty() {
                builder = set(builder, values.join(","));
            }
        }
        if !self.additional_tenants.is_empty() {
            builder = builder.additional_tenants(self.additional_tenants.join(";"));
        }
        let single: [(_, Set); 6] = [
            (&self.user_assertion_file, Builder::user_assertion_file),
            (&self.client_id, Builder::client_id),
            (&self.object_id, Builder::object_id),
            (&self.resource_id, Builder::resource_id),
            (&self.cloud, Builder::cloud),
            (&self.timeout, Builder::timeout_text),
        ];
        for (value, set) in single {
            if let Some(value) = value {
                builder = set(builder, value.clone());
            }
        }
        if let Some(path) = &self.ca_file {
            builder = builder.ca_file(path);
        }
        if self.allow_http_loopback {
            builder = builder.allow_http_loopback(true);
        }
        if let Some(path) = &self.policy {
            builder = builder.policy(path);
        }
        if let Some(program) = self.program.get() {
            builder = builder.for_program(program);
        }
        Ok(self.resolve.iter().fold(builder, Builder::resolve))
    }
}
