//! Messages about wrong arguments, for the component and for the native program. Flags are passed without
//! their dashes.

use alloc::{format, string::String};

/// The message about arguments without a command.
pub const NO_COMMAND: &str = "a command is missing";
/// The message about `get -o value` with several references.
pub const ONE_VALUE: &str =
    "`--output value` takes one reference; use `-o env` or `-o json` for several";
/// The message about `token` without `--reveal`.
pub const NOT_REVEALED: &str = "a token is a credential; `--reveal` says that it may be printed";

/// What users of other tools type for a command, and what to type instead.
const COMMANDS: &[(&str, &str)] = &[
    (
        "exec run env export inject",
        "`vaultlet run -- COMMAND`, where the program is installed, starts a command with its secrets; in a shell write \
         `eval \"$(vaultlet get -o env REFERENCE…)\"`",
    ),
    (
        "login logout signin auth account",
        "the identity is that of this job or machine, or of `az login`: `vaultlet whoami`",
    ),
    (
        "secret secrets keyvault kv vault",
        "write `vaultlet get akv://VAULT/NAME` or `vaultlet list VAULT`",
    ),
    (
        "set put write create add update edit delete rm",
        "vaultlet only reads; `az keyvault secret` writes",
    ),
    ("version", "write `vaultlet --version`"),
];

/// What users of other tools type for a flag, and what to type instead.
const FLAGS: &[(&str, &str)] = &[
    ("--json --yaml --tsv --query", "write `-o json`"),
    ("-f --format", "write `-o FORMAT`"),
    ("--env --export --dotenv --shell", "write `-o env`"),
    (
        "-v --vault --vault-name --name -n --secret --secret-name --id",
        "write the reference akv://VAULT/NAME",
    ),
    ("--version", "write akv://VAULT/NAME/VERSION"),
    ("--field --key --path --property", "write akv://VAULT/NAME?json=/MEMBER"),
    ("--file --out-file --output-file --outfile", "write `> FILE`"),
    (
        "-q --quiet --silent --raw -r --plain --value --no-newline",
        "the value alone is printed without it",
    ),
    ("--verbose --debug", "write `--log info`"),
];

/// The message about a command that does not exist.
pub fn no_command(command: &str) -> String {
    if command.contains("://") || command.starts_with('@') {
        return format!("there is no command `{command}`; write `vaultlet get` before a reference");
    }
    hinted(format!("there is no command `{command}`"), command, COMMANDS)
}

/// Whether there is a hint for a command that does not exist.
pub fn is_known_elsewhere(command: &str) -> bool {
    hint(command, COMMANDS).is_some() || command.contains("://") || command.starts_with('@')
}

/// The message about a flag that does not exist, or a word too many.
pub fn unexpected(argument: &str) -> String {
    hinted(format!("unexpected argument `{argument}`"), argument, FLAGS)
}

/// Whether a word is the command `get`, or what users of other tools type for it.
pub fn is_get(word: &str) -> bool {
    matches!(word, "get" | "read" | "show")
}

/// Where to read about the arguments of a program whose first argument is this one.
pub fn see_help(first: Option<&str>) -> String {
    let command = match first {
        Some(word) if is_get(word) => "get ",
        Some("list" | "ls") => "list ",
        Some("versions") => "versions ",
        Some("token") => "token ",
        Some("whoami") => "whoami ",
        _ => "",
    };
    format!("see `vaultlet {command}--help`")
}

fn hinted(mut message: String, typed: &str, hints: &'static [(&str, &str)]) -> String {
    if let Some(hint) = hint(typed, hints) {
        message.push_str("; ");
        message.push_str(hint);
    }
    message
}

fn hint(typed: &str, hints: &'static [(&str, &str)]) -> Option<&'static str> {
    let mut hints = hints.iter();
    hints.find(|(words, _)| words.split(' ').any(|word| word == typed)).map(|(_, hint)| *hint)
}

/// The message about a required word that is missing.
pub fn missing(name: &str) -> String {
    format!("{name} is missing")
}

/// The message about a flag without its value.
pub fn needs_value(flag: &str) -> String {
    format!("`--{flag}` needs a value")
}

/// The message about a switch with a value.
pub fn no_value(flag: &str) -> String {
    format!("`--{flag}` takes no value")
}

/// The message about a flag that is given twice and must not be.
pub fn repeated(flag: &str) -> String {
    format!("`--{flag}` is given more than once")
}

/// The message about two flags that exclude each other.
pub fn conflict(one: &str, other: &str) -> String {
    format!("`--{one}` cannot be used with `--{other}`")
}

/// The message about a flag whose value is not allowed.
pub fn not_allowed(flag: &str, allowed: &[&str]) -> String {
    format!("`--{flag}` is not {}", one_of(allowed))
}

/// The message about a variable that stands for a flag and whose value is not allowed.
pub fn variable_not_allowed(allowed: &[&str]) -> String {
    format!("it is not {}", one_of(allowed))
}

/// The message about a flag that the component does not have.
pub(super) fn native_only(flag: &str) -> String {
    format!("only the native program has `--{flag}`; the component by itself does not")
}

fn one_of(values: &[&str]) -> String {
    let mut text = String::new();
    for (at, value) in values.iter().enumerate() {
        text.push_str(match at {
            0 => "`",
            _ if at + 1 == values.len() => "` or `",
            _ => "`, `",
        });
        text.push_str(value);
    }
    text.push('`');
    text
}
