//! Failures of commands: one line or one JSON object on stderr, and an exit code as in `sysexits.h`.

mod json;

use std::ffi::OsString;
use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;

use vaultlet_core::command::{self, sentence};
use vaultlet_core::error::exit;
use vaultlet_core::visible::on_one_line;
use vaultlet_host::{Attempt, Error, Kind};

use crate::{streams, usage};

/// How a failure is reported besides by the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Report {
    /// One line on stderr.
    Line,
    /// One JSON object on stderr.
    Json,
    /// One line on stderr, and on stdout a line that ends the shell that evaluates it.
    Shell,
}

/// A failed command.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    kind: &'static str,
    id: String,
    message: String,
    help: String,
    exit: u8,
    status: Option<u16>,
    code: Option<String>,
    request_id: Option<String>,
    retry_after_ms: Option<u128>,
    attempts: Vec<Attempt>,
    /// The failures of variables, of which this is the first, with the variables' names.
    variables: Vec<(String, Failure)>,
}

impl Failure {
    /// The failure of a command whose arguments are wrong.
    pub(crate) fn usage(what: &str) -> Self {
        let message = format!("reading the arguments: {what}");
        Self::own(Kind::Usage, "usage", message, &sentence::see_help(None))
    }

    /// The failure of a command for which a variable, in place of a flag, has a wrong value.
    pub(crate) fn variable(name: &str, what: &str) -> Self {
        let message = format!("reading `{name}`: {what}");
        Self::own(Kind::Configuration, "setting-malformed", message, "correct or unset it")
    }

    /// A failure of the command line itself.
    pub(crate) fn own(kind: Kind, id: &str, message: String, help: &str) -> Self {
        Self {
            kind: kind.as_str(),
            id: id.into(),
            message,
            help: help.into(),
            exit: exit(kind.as_str()),
            status: None,
            code: None,
            request_id: None,
            retry_after_ms: None,
            attempts: Vec::new(),
            variables: Vec::new(),
        }
    }

    /// The failure of a command because of these variables, at least one, in the order of their names.
    pub(crate) fn of_variables(variables: Vec<(String, Self)>) -> Self {
        let first = variables.first().map(|(_, first)| first.clone());
        let none = || Self::own(Kind::Internal, "internal", "no variable failed".into(), "");
        Self { variables, ..first.unwrap_or_else(none) }
    }

    /// The stable id.
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// What happened.
    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// What to do.
    pub(crate) fn help(&self) -> &str {
        &self.help
    }

    /// The exit code.
    pub(crate) fn exit(&self) -> u8 {
        self.exit
    }

    /// The failure, with what it is about in front of what happened.
    pub(crate) fn about(self, what: &str) -> Self {
        self.with_message(|message| format!("{what}: {message}"))
    }

    /// The failure, with what happened in other words.
    pub(crate) fn with_message(self, change: impl FnOnce(&str) -> String) -> Self {
        Self { message: change(&self.message), ..self }
    }

    /// The failure, with this remedy if it has none.
    pub(crate) fn or_help(self, help: &str) -> Self {
        if self.help.is_empty() { self.with_help(help) } else { self }
    }

    /// The failures of variables, of which this is the first; or this one, if it is of no variable.
    pub(crate) fn into_variables(self) -> Result<Vec<(String, Self)>, Self> {
        if self.variables.is_empty() { Err(self) } else { Ok(self.variables) }
    }

    /// The same kind of failure, in other words.
    pub(crate) fn retold(&self, message: String, help: &str) -> Self {
        Self { message, help: help.into(), code: None, variables: Vec::new(), ..self.clone() }
    }

    /// The kind, which decides the exit code.
    pub(crate) fn kind(&self) -> &'static str {
        self.kind
    }

    /// The failure with another remedy.
    pub(crate) fn with_help(self, help: &str) -> Self {
        Self { help: help.into(), ..self }
    }

    /// The failure, which points to the help of the command that these arguments of the process name.
    pub(crate) fn with_help_of(self, arguments: &[OsString]) -> Self {
        if self.id == "usage" && self.help == sentence::see_help(None) {
            self.with_help(&usage::see_help(arguments))
        } else {
            self
        }
    }

    /// The failure with an exit code that does not follow from its kind.
    pub(crate) fn with_exit(self, exit: u8) -> Self {
        Self { exit, ..self }
    }

    /// Says on one line what has failed, in a command that goes on.
    pub(crate) fn tell(&self, words: &str) {
        let _ = writeln!(std::io::stderr(), "vaultlet: {words}{}", self.line());
    }

    /// Reports the failure.
    pub(crate) fn report(&self, report: Report) -> ExitCode {
        let mut stderr = std::io::stderr();
        let is_terminal = stderr.is_terminal();
        let named = self.variables.iter().map(|(name, it)| (format!("{name}: "), it));
        let mut texts = named
            .map(|(name, it)| it.text(&on_one_line(&name).collect::<String>(), is_terminal))
            .collect::<Vec<_>>();
        if report == Report::Json {
            texts = vec![self.json()];
        } else if texts.is_empty() {
            texts = vec![self.text("", is_terminal)];
        }
        for text in texts {
            let _ = writeln!(stderr, "{text}");
        }
        if report == Report::Shell {
            // There is nobody left to tell when this fails, too.
            let _ = streams::write(command::ending(self.kind).as_bytes());
        }
        ExitCode::from(self.exit)
    }

    /// The failure as text that begins with these words: one line, or for a person at a terminal each source of
    /// credentials on a line of its own.
    fn text(&self, words: &str, is_terminal: bool) -> String {
        if is_terminal { self.lines(words) } else { format!("vaultlet: {words}{}", self.line()) }
    }

    fn lines(&self, words: &str) -> String {
        let of = |attempt: &Attempt| format!("{}: {}", attempt.source, attempt.message);
        let absent = self.attempts.iter().filter(|it| it.outcome.as_str() == "not-configured");
        let inline = format!(": {}", absent.map(of).collect::<Vec<_>>().join(", "));
        let short = self.message.strip_suffix(&inline).unwrap_or(&self.message);
        let mut text = format!("vaultlet: {words}{}", self.line_of(short));
        for attempt in self.attempts.iter().filter(|it| !short.contains(&it.message)) {
            let form = attempt.endpoint.as_ref().map(|form| format!(" ({form})"));
            let (source, form) = (&attempt.source, form.unwrap_or_default());
            let line = format!("{source}{form}: {}", attempt.message);
            text.push_str("\n  ");
            text.extend(on_one_line(&line));
        }
        text
    }

    pub(crate) fn line(&self) -> String {
        self.line_of(&self.message)
    }

    fn line_of(&self, message: &str) -> String {
        let code = self.code.as_ref().map(|c| format!(" [{c}]")).unwrap_or_default();
        let help = if self.help.is_empty() { String::new() } else { format!("; {}", self.help) };
        // What others wrote, a name of a file for example, may be quoted in it.
        on_one_line(&format!("{message}{code}{help} ({})", self.id)).collect()
    }
}

impl From<vaultlet_core::error::Error> for Failure {
    fn from(error: vaultlet_core::error::Error) -> Self {
        let vaultlet_core::error::Record { id, kind, message, help, .. } = error.into();
        Self {
            id,
            kind: kind.name(),
            message,
            help,
            exit: exit(kind.name()),
            status: None,
            code: None,
            request_id: None,
            retry_after_ms: None,
            attempts: Vec::new(),
            variables: Vec::new(),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self {
            kind: error.kind.as_str(),
            exit: exit(error.kind.as_str()),
            id: error.id,
            message: error.message,
            help: error.help,
            status: error.status,
            code: error.code,
            request_id: error.request_id,
            retry_after_ms: error.retry_after.map(|d| d.as_millis()),
            attempts: error.attempts,
            variables: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vaultlet_host::Outcome;

    fn attempt(source: &str, endpoint: Option<&str>, outcome: Outcome, message: &str) -> Attempt {
        let endpoint = endpoint.map(str::to_owned);
        Attempt { source: source.into(), endpoint, outcome, message: message.into() }
    }

    #[test]
    fn on_a_terminal_each_source_has_a_line() {
        let mut error = Error::new(
            Kind::NotConfigured,
            "no-identity",
            "getting a token for x: you are not on Azure, and no source is configured here: \
             environment: `A` is not set, managed-identity: no answer, azure-cli: run `az login`",
            "run `az login`",
        );
        error.attempts = vec![
            attempt("environment", None, Outcome::NotConfigured, "`A` is not set"),
            attempt("managed-identity", Some("imds"), Outcome::NotConfigured, "no answer"),
            attempt("azure-cli", None, Outcome::NotConfigured, "run `az login`"),
            attempt("device-code", None, Outcome::Skipped, "excluded\u{202e} by\nsettings"),
        ];
        let failure = Failure::from(error.clone());
        assert_eq!(
            failure.lines(""),
            "vaultlet: getting a token for x: you are not on Azure, and no source is configured here; \
             run `az login` (no-identity)\n  environment: `A` is not set\n  managed-identity (imds): no \
             answer\n  azure-cli: run `az login`\n  device-code: excluded by\nsettings"
                .replace("by\nsettings", "by settings")
        );
        assert_eq!(failure.line(), error.to_string());
        // The failed source is in the line; the others follow.
        let mut error = Error::new(
            Kind::Unauthenticated,
            "identity-refused",
            "token: imds: refused: b",
            "help",
        );
        error.attempts = vec![
            attempt("managed-identity", Some("imds"), Outcome::Failed, "refused: b"),
            attempt("azure-cli", None, Outcome::NotConfigured, "`az` is not in `PATH`"),
        ];
        assert_eq!(
            Failure::from(error).lines(""),
            "vaultlet: token: imds: refused: b; help (identity-refused)\n  azure-cli: `az` is not in `PATH`"
        );
        let plain = Failure::usage("x\u{202e}\u{1b}[31m");
        assert_eq!(
            plain.lines(""),
            "vaultlet: reading the arguments: x; see `vaultlet --help` (usage)"
        );
    }
}
