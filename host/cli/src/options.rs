//! The settings that commands share.

use std::ffi::OsString;
use std::io::{self, IsTerminal as _, Read as _, Write as _};
use std::mem::ManuallyDrop;
use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::Duration;

use clap::{Args, ValueEnum};
use vaultlet_core::limits;
use vaultlet_core::settings::{self, IN_JOB, SETTINGS, Setting, Settings};
use vaultlet_host::{Builder, Kind, Vaultlet};

use crate::failure::Failure;
use crate::given_flags::GivenFlags;
use crate::shown_variables::{OF_HOST, shown};
use crate::streams;

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

/// The most bytes that a user's token may have, on stdin as in a file.
const ASSERTION_MAX: usize = 64 << 10;

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

    /// Opens a handle for this many concurrent calls and so many requests a second to one vault, of the agent: it asks
    /// no other agent, and checks the policy for those who ask it.
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

    /// Says which program the secrets are for, which a policy may ask.
    pub(crate) fn set_program(&self, find: impl FnOnce() -> PathBuf) {
        if self.policy.is_some() || is_set("VAULTLET_POLICY") {
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

    /// The settings by which references are read, as the component reads them. A flag hides its variable; one that
    /// references do not depend on is left out, and reported when a handle is opened if it is malformed.
    pub(crate) fn settings(&self) -> Result<Settings, Failure> {
        let needed = [
            settings::ALLOW_HTTP_LOOPBACK.variable,
            settings::CLOUD.variable,
            settings::EXCLUDE.variable,
            settings::IDENTITY.variable,
        ];
        let get = |name: &str| match SETTINGS.iter().find(|setting| setting.variable == name) {
            Some(setting) if self.given.has(setting.flag) => {
                if needed.contains(&name) {
                    self.value(setting)
                } else {
                    None
                }
            }
            _ => std::env::var(name).ok(),
        };
        Ok(Settings::read(&get)?)
    }

    /// A setting as its variable has it, whether a flag or the variable gives it.
    fn value(&self, setting: &Setting) -> Option<String> {
        if !self.given.has(setting.flag) {
            return std::env::var(setting.variable).ok();
        }
        if setting.variable == settings::ALLOW_HTTP_LOOPBACK.variable {
            return Some(self.allow_http_loopback.to_string());
        }
        let values = self.given().filter(|(it, _)| it.variable == setting.variable);
        let values: Vec<_> = values.map(|(_, value)| value).collect();
        Some(values.join(setting.separator.unwrap_or_default()))
    }

    /// The values of flags, but those in which nothing secret can stand, each by its flag.
    pub(crate) fn given_texts(&self) -> impl Iterator<Item = (&'static str, String)> {
        let given = self.given();
        given
            .filter(|(setting, value)| shown(setting.variable, value).as_ref() != Some(value))
            .map(|(setting, value)| (setting.flag, value))
    }

    /// The settings as variables, whether flags or variables give them.
    pub(crate) fn as_variables(&self) -> Vec<(String, String)> {
        let all = SETTINGS.iter();
        all.filter_map(|it| Some((it.variable.to_owned(), self.value(it)?))).collect()
    }

    /// The values of flags.
    fn given(&self) -> impl Iterator<Item = (&'static Setting, String)> {
        let lists = [
            (&settings::IDENTITY, &self.identity),
            (&settings::EXCLUDE, &self.exclude),
            (&settings::ADDITIONAL_TENANTS, &self.additional_tenants),
            (&settings::RESOLVE, &self.resolve),
            (&settings::ALLOW_HTTP_IDENTITY, &self.allow_http_identity),
        ];
        let single = [
            (&settings::CLIENT_ID, &self.client_id),
            (&settings::OBJECT_ID, &self.object_id),
            (&settings::RESOURCE_ID, &self.resource_id),
            (&settings::USER_ASSERTION_FILE, &self.user_assertion_file),
            (&settings::CLOUD, &self.cloud),
            (&settings::TIMEOUT, &self.timeout),
        ];
        let ca_file = self.ca_file.iter();
        let ca_file = ca_file.map(|file| (&settings::CA_FILE, file.display().to_string()));
        let lists = lists.into_iter().flat_map(|(setting, values)| {
            values.iter().map(move |value| (setting, value.trim().to_owned()))
        });
        let single = single
            .into_iter()
            .filter_map(|(setting, value)| Some((setting, value.as_ref()?.trim().to_owned())));
        lists.chain(single).chain(ca_file)
    }

    /// What is wrong with each setting, and with each variable that the host reads, by itself; by its variable.
    pub(crate) fn faults(&self) -> impl Iterator<Item = (&'static str, Failure)> {
        let value = |setting: &'static Setting| {
            let flag = self.given.has(setting.flag).then_some(setting.flag);
            Some((setting.variable, flag, self.value(setting)?))
        };
        let of_host =
            OF_HOST.iter().filter_map(|name| Some((*name, None, std::env::var(name).ok()?)));
        SETTINGS.iter().filter_map(value).chain(of_host).filter_map(|(name, flag, value)| {
            let flags: Vec<_> = flag.iter().map(|flag| flag.trim_start_matches('-')).collect();
            let alone = Vaultlet::builder().variables([(name, value)]).given_as_flags(&flags);
            let error = alone.concurrency(1).open().err();
            let error = error.filter(|error| error.kind == Kind::Configuration || flag.is_some());
            error.map(|error| (name, Failure::from(error)))
        })
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

    /// The user's token from stdin, if a setting says `-`.
    fn user_assertion(&self) -> Result<Option<String>, Failure> {
        let variable = settings::USER_ASSERTION_FILE.variable;
        let given = self.user_assertion_file.clone().map(OsString::from);
        let file = given.or_else(|| std::env::var_os(variable)).unwrap_or_default();
        if file.to_str().map(str::trim) != Some("-") {
            return Ok(None);
        }
        let mut token = String::with_capacity(ASSERTION_MAX);
        let read = streams::check_stdin().and_then(|()| {
            io::stdin().lock().take(ASSERTION_MAX as u64).read_to_string(&mut token)
        });
        read.map_err(|error| {
            let message = format!("reading the user's token from stdin: {error}");
            Failure::own(
                Kind::Configuration,
                "setting-malformed",
                message,
                "write the token as UTF-8 text",
            )
        })?;
        Ok(Some(token))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Compares the component's table with the flags.
    #[test]
    fn every_setting_is_a_flag_and_every_flag_a_setting() {
        let command = Options::augment_args(clap::Command::new("test"));
        let flags: Vec<_> = command
            .get_arguments()
            .map(|argument| {
                let value = argument.get_value_names().and_then(<[_]>::first).map(|it| it.as_str());
                let takes_value = argument.get_action().takes_values();
                let help = argument.get_help().unwrap().to_string();
                (format!("--{}", argument.get_long().unwrap()), value.filter(|_| takes_value), help)
            })
            .collect();
        for (setting, (flag, value, help)) in SETTINGS.iter().zip(&flags) {
            assert_eq!(
                (setting.flag, setting.value, setting.help),
                (flag.as_str(), *value, help.as_str())
            );
            let variable = setting.flag.trim_start_matches('-').replace('-', "_").to_uppercase();
            assert_eq!(setting.variable, format!("VAULTLET_{variable}"));
        }
        assert_eq!(SETTINGS.len(), flags.len());
    }

    /// Searches the page about the command line for every setting.
    #[test]
    fn the_page_has_every_setting() {
        let page = include_str!("../README.md");
        let section = page.split("\n## ").find(|it| it.starts_with("Settings\n")).unwrap();
        for Setting { flag, value, .. } in SETTINGS {
            let usage = match value {
                Some(value) => format!("`{flag} {value}`"),
                None => format!("`{flag}`"),
            };
            assert!(
                section.contains(&usage),
                "the section \"Settings\" of README.md has no {usage}"
            );
        }
    }
}
