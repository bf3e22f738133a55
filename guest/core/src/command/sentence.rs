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

/// The message about a command that does not exist.
pub fn no_command(command: &str) -> String {
    format!("there is no command `{command}`")
}

/// The message about a flag that does not exist, or a word too many.
pub fn unexpected(argument: &str) -> String {
    format!("unexpected argument `{argument}`")
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
