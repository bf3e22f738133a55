//! `vaultlet policy check`.

use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;

use clap::Args;
use serde::Serialize;
use vaultlet_core::visible::on_one_line;
use vaultlet_host::{Audit, RuleText};
use zeroize::Zeroizing;

use super::PolicyFile;
use crate::failure::Failure;
use crate::output::{self, Format};
use crate::trimmed;

/// Check a policy
///
/// Reads the policy, and opens the place for its audit lines. Prints each rule with its line, and a note for a user or a
/// program that this machine does not have. An error names the line that is wrong (exit code 78).
#[derive(Args)]
#[command(after_help = "\
Examples:
  vaultlet policy check --policy policy.toml
  VAULTLET_POLICY=policy.toml vaultlet policy check -o json")]
pub(super) struct Check {
    #[command(flatten)]
    policy: PolicyFile,
    /// table or json
    #[arg(long, short, value_enum, value_parser = trimmed::word::<Format>(), default_value_t = Format::Table, value_name = "FORMAT")]
    output: Format,
}

/// The answer as JSON.
#[derive(Serialize)]
struct Answer {
    policy: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    audit: Option<String>,
    rules: Vec<Rule>,
    notes: Vec<Note>,
}

#[derive(Serialize)]
struct Rule {
    line: usize,
    reference: String,
    versions: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    program: Option<Vec<String>>,
}

/// What is not wrong, and worth a line.
#[derive(Serialize)]
struct Note {
    line: usize,
    note: String,
}

impl Check {
    pub(super) fn reports_json(&self) -> bool {
        self.output == Format::Json
    }

    pub(super) fn run(self) -> Result<ExitCode, Failure> {
        let policy = self.policy.load()?;
        Audit::open(&policy)?;
        let notes = policy.rules().flat_map(|rule| notes(&rule)).collect();
        let answer = Answer {
            policy: policy.file().unwrap_or(Path::new("")).display().to_string(),
            audit: policy.audit_target(),
            rules: policy.rules().map(Rule::from).collect(),
            notes,
        };
        match self.output {
            Format::Table => output::plain(&answer.text())?,
            Format::Json => {
                let json = serde_json::to_string(&answer).map_err(|e| output::failed(&e.into()))?;
                output::json(&[Zeroizing::new(json + "\n")])?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl From<RuleText> for Rule {
    fn from(rule: RuleText) -> Self {
        Self {
            line: rule.line,
            reference: rule.reference,
            versions: if rule.is_latest_only { "latest" } else { "any" },
            user: rule.users.map(|users| users.iter().map(vaultlet_host::User::name).collect()),
            program: rule.programs,
        }
    }
}

impl Answer {
    fn text(&self) -> String {
        let count = match self.rules.len() {
            0 => "no rule, so that nothing is allowed".to_owned(),
            1 => "1 rule".to_owned(),
            count => format!("{count} rules"),
        };
        let audit =
            self.audit.as_deref().map_or("no audit".to_owned(), |to| format!("audit: {to}"));
        let mut lines = vec![format!("{}: {count}; {audit}", self.policy)];
        for rule in &self.rules {
            let mut line = format!("line {}: {}", rule.line, rule.reference);
            if rule.versions == "latest" {
                line.push_str(", the latest version");
            }
            for (what, all) in [("user", &rule.user), ("program", &rule.program)] {
                if let Some(all) = all {
                    let _ = write!(line, ", {what} {}", all.join(" or "));
                }
            }
            lines.push(line);
        }
        lines.extend(self.notes.iter().map(|it| format!("line {}: note: {}", it.line, it.note)));
        let lines = lines.iter().map(|line| on_one_line(line).chain(['\n']).collect::<String>());
        lines.collect()
    }
}

/// What this machine does not have of what a rule names.
fn notes(rule: &RuleText) -> Vec<Note> {
    let users = rule.users.iter().flatten().filter(|user| user.id().is_none());
    let users = users.map(|user| format!("this machine has no user `{}`", user.name()));
    let programs = rule.programs.iter().flatten().filter(|it| !it.contains('*'));
    let programs = programs.filter(|program| !Path::new(program).exists());
    let programs = programs.map(|program| format!("this machine has no program `{program}`"));
    users.chain(programs).map(|note| Note { line: rule.line, note }).collect()
}
