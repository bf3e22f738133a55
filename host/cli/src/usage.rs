//! Messages about wrong arguments, in the component's own sentences. The suite `tests/tests/commands/`
//! compares both programs.

use std::error::Error as _;
use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use vaultlet_core::command::sentence as say;

/// The sentence that says what is wrong with the arguments.
pub(crate) fn sentence(error: &clap::Error) -> String {
    let argument = first(error, ContextKind::InvalidArg).unwrap_or_default();
    match error.kind() {
        ErrorKind::UnknownArgument => say::unexpected(argument),
        ErrorKind::InvalidSubcommand => no_command(error),
        ErrorKind::MissingSubcommand => say::NO_COMMAND.into(),
        ErrorKind::MissingRequiredArgument => say::missing(bare(argument)),
        ErrorKind::TooManyValues => say::no_value(flag(argument)),
        ErrorKind::InvalidValue => match allowed(error) {
            Some(allowed) if argument.starts_with(['<', '[']) => {
                format!("{}: {}", bare(argument), say::variable_not_allowed(&allowed))
            }
            Some(allowed) => say::not_allowed(flag(argument), &allowed),
            None => say::needs_value(flag(argument)),
        },
        ErrorKind::ArgumentConflict => match first(error, ContextKind::PriorArg) {
            Some(prior) if prior != argument => say::conflict(flag(argument), flag(prior)),
            _ => say::repeated(flag(argument)),
        },
        _ => one_line(error),
    }
}

/// Where to read about the arguments of the command that these arguments of the process name.
pub(crate) fn see_help(arguments: &[OsString]) -> String {
    let mut words = arguments.iter().skip(1).map(|word| word.to_str().unwrap_or_default());
    let (first, second) = (words.next(), words.next());
    match (first, second) {
        (Some("identity"), Some("serve")) => "see `vaultlet identity serve --help`".into(),
        (Some("job"), Some(command @ ("run" | "check"))) => {
            format!("see `vaultlet job {command} --help`")
        }
        (Some("policy"), Some(command @ ("check" | "test" | "init"))) => {
            format!("see `vaultlet policy {command} --help`")
        }
        (
            Some(
                command @ ("agent" | "completions" | "demo" | "dev" | "doctor" | "explain"
                | "export" | "identity" | "inject" | "job" | "man" | "plan" | "policy"
                | "redact" | "run"),
            ),
            _,
        ) => {
            format!("see `vaultlet {command} --help`")
        }
        _ => say::see_help(first),
    }
}

/// The sentence that says what is wrong with a variable, without the name of the flag that it stands for.
pub(crate) fn refusal(error: &clap::Error) -> String {
    match (allowed(error), error.source()) {
        (Some(allowed), _) => say::variable_not_allowed(&allowed),
        (None, Some(why)) => why.to_string(),
        (None, None) => sentence(error),
    }
}

/// The allowed values of a flag, when it was given another value.
fn allowed(error: &clap::Error) -> Option<Vec<&str>> {
    match error.get(ContextKind::ValidValue)? {
        ContextValue::Strings(values) => {
            let is_given = first(error, ContextKind::InvalidValue).is_some_and(|it| !it.is_empty());
            is_given.then(|| values.iter().map(String::as_str).collect())
        }
        _ => None,
    }
}

/// The sentence about a command that does not exist, with the most similar one.
fn no_command(error: &clap::Error) -> String {
    let command = first(error, ContextKind::InvalidSubcommand).unwrap_or_default();
    if say::is_known_elsewhere(command) {
        return say::no_command(command);
    }
    let meant = first(error, ContextKind::SuggestedSubcommand);
    let meant = meant.map(|meant| format!("; did you mean `{meant}`?")).unwrap_or_default();
    say::no_command(command) + &meant
}

/// The first text of this kind in an error of clap.
fn first(error: &clap::Error, kind: ContextKind) -> Option<&str> {
    match error.get(kind)? {
        ContextValue::String(text) => Some(text),
        ContextValue::Strings(texts) => texts.first().map(String::as_str),
        _ => None,
    }
}

/// The name in a flag's usage: `output` of `--output <FORMAT>`.
fn flag(argument: &str) -> &str {
    argument.split(' ').next().unwrap_or_default().trim_start_matches('-')
}

/// The name in a word's usage: `REFERENCE` of `<REFERENCE>...`.
fn bare(argument: &str) -> &str {
    argument.trim_end_matches("...").trim_matches(['<', '>', '[', ']'])
}

/// clap's own message on one line, without the block of usage.
fn one_line(error: &clap::Error) -> String {
    let text = error.render().to_string();
    let body = text.split("\n\nUsage:").next().unwrap_or(&text);
    let body = body.split("\n\nFor more information").next().unwrap_or(body);
    let paragraphs = body.trim_start_matches("error: ").split("\n\n");
    let lines = paragraphs.map(|it| it.split_whitespace().collect::<Vec<_>>().join(" "));
    lines.collect::<Vec<_>>().join("; ").trim_end_matches('.').to_owned()
}
