//! `vaultlet policy test`.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use serde::Serialize;
use vaultlet_core::error::exit;
use vaultlet_core::settings::{ALLOW_HTTP_LOOPBACK, CLOUD, FLAGS, Settings};
use vaultlet_core::visible::on_one_line;
use vaultlet_host::{Canonical, Kind, Reason, Subject, User, references};
use zeroize::Zeroizing;

use super::PolicyFile;
use crate::child;
use crate::failure::Failure;
use crate::given_flags::GivenFlags;
use crate::output::{self, Format};
use crate::trimmed;

/// Say whether a policy allows a reference, and by which line
///
/// Asks nobody. The exit code is 0 when the reference is allowed, and 77 when it is denied.
#[derive(Args)]
#[command(after_help = "\
Examples:
  vaultlet policy test akv://my-key-vault/db-password --policy policy.toml
  vaultlet policy test akv://my-key-vault/db-password --policy policy.toml --user trainer --program python3")]
pub(super) struct Test {
    #[command(flatten)]
    given: GivenFlags,
    /// The secret that would be read
    #[arg(value_name = "REFERENCE")]
    reference: String,
    #[command(flatten)]
    policy: PolicyFile,
    /// The user who would ask, by name or id [default: this user]
    #[arg(long, value_name = "USER", value_parser = trimmed::text())]
    user: Option<String>,
    /// The program that would ask: its path, or a name that is in PATH [default: vaultlet itself, as for get]
    #[arg(long, value_name = "PROGRAM")]
    program: Option<OsString>,
    /// table or json
    #[arg(long, short, value_enum, value_parser = trimmed::word::<Format>(), default_value_t = Format::Table, value_name = "FORMAT")]
    output: Format,
    #[arg(long, value_name = CLOUD.value.unwrap_or_default(), help = CLOUD.help)]
    cloud: Option<String>,
    #[arg(long, help = ALLOW_HTTP_LOOPBACK.help)]
    allow_http_loopback: bool,
}

/// The answer as JSON.
#[derive(Serialize)]
struct Answer<'a> {
    decision: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
    /// The pattern of the rule in that line.
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<String>,
    /// Why it is denied.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    reference: &'a str,
    canonical: &'a str,
    user: String,
    program: String,
    policy: String,
}

impl Test {
    pub(super) fn reports_json(&self) -> bool {
        self.output == Format::Json
    }

    pub(super) fn run(self) -> Result<ExitCode, Failure> {
        let policy = self.policy.load()?;
        let reference = self.canonical()?;
        let user = self.user.as_deref().map_or_else(User::own, User::named);
        let path = std::env::var_os("PATH");
        let program = match self.program.as_ref().filter(|program| !program.is_empty()) {
            Some(program) => child::program(program, path.as_deref()),
            None => std::env::current_exe().unwrap_or_else(|_| PathBuf::new()),
        };
        let subject = Subject { reference: &reference, user: &user, program: Some(&program) };
        let decision = policy.decide(&subject);
        let answer = Answer {
            decision: if decision.allowed { "allowed" } else { "denied" },
            line: decision.line,
            rule: decision.line.and_then(|line| {
                policy.rules().find(|rule| rule.line == line).map(|rule| rule.reference)
            }),
            reason: decision.reason.map(word),
            reference: &self.reference,
            canonical: reference.as_str(),
            user: user.name(),
            program: program.display().to_string(),
            policy: policy.file().map(|file| file.display().to_string()).unwrap_or_default(),
        };
        match self.output {
            Format::Table => output::plain(&answer.text(decision.reason))?,
            Format::Json => {
                let json = serde_json::to_string(&answer).map_err(|e| output::failed(&e.into()))?;
                output::json(&[Zeroizing::new(json + "\n")])?;
            }
        }
        Ok(match decision.allowed {
            true => ExitCode::SUCCESS,
            false => ExitCode::from(exit(Kind::Denied.as_str())),
        })
    }

    /// The reference, which may have the options of `run`.
    fn canonical(&self) -> Result<Canonical, Failure> {
        let flag = |name: &str| match name {
            name if name == CLOUD.variable => self.cloud.clone(),
            name if name == ALLOW_HTTP_LOOPBACK.variable => {
                self.allow_http_loopback.then(|| true.to_string())
            }
            FLAGS => self.given.has("--cloud").then(|| "cloud".to_owned()),
            _ => None,
        };
        // Settings of identities are not read: nobody is asked.
        let of_references = [CLOUD.variable, ALLOW_HTTP_LOOPBACK.variable, "AZURE_AUTHORITY_HOST"];
        let variable = |name: &str| of_references.contains(&name).then(|| std::env::var(name).ok());
        let get = |name: &str| flag(name).or_else(|| variable(name).flatten());
        let settings = Settings::read(&get)?;
        let text = match references::read(OsStr::new(&self.reference), &settings) {
            Some(Ok(asked)) => asked.secret,
            _ => self.reference.clone(),
        };
        Ok(Canonical::read(&text, &settings)?)
    }
}

/// The reason as a word of JSON.
fn word(reason: Reason) -> &'static str {
    match reason {
        Reason::Reference => "reference",
        Reason::Version => "version",
        Reason::User => "user",
        Reason::Program => "program",
    }
}

impl Answer<'_> {
    fn text(&self, reason: Option<Reason>) -> String {
        let Self { decision, canonical, policy, .. } = self;
        let line = self.line.map(|line| format!("line {line} of {policy}")).unwrap_or_default();
        let rule = self.rule.as_deref().unwrap_or_default();
        let text = match (self.line, reason) {
            (Some(_), None) => format!("{decision} by {line}: {rule}"),
            (Some(_), Some(reason)) => {
                format!("{decision}: {line} allows it {}: {rule}", reason.as_str())
            }
            (None, _) => format!("{decision}: no line of {policy} allows {canonical}"),
        };
        on_one_line(&text).chain(['\n']).collect()
    }
}
