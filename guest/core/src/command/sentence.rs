//! What is said of wrong arguments, by the component and by the native program. Flags come without their
//! dashes.

use alloc::{format, string::String};

/// Arguments without a command.
pub const NO_COMMAND: &str = "a command is missing";
/// `get -o value` of several references.
pub const ONE_VALUE: &str =
    "`--output value` takes one reference; use `-o env` or `-o json` for several";
/// `token` without `--reveal`.
pub const NOT_REVEALED: &str = "a token is a credential; `--reveal` says that it may be printed";

/// A command that does not exist.
pub fn no_command(command: &str) -> String {
    format!("there is no command `{command}`")
}

/// A flag that does not exist, or a word too many.
pub fn unexpected(argument: &str) -> String {
    format!("unexpected argument `{argument}`")
}

/// A word that must be given.
pub fn missing(name: &str) -> String {
    format!("{name} is missing")
}

/// A flag without its value.
pub fn needs_value(flag: &str) -> String {
    format!("`--{flag}` needs a value")
}

/// A switch with a value.
pub fn no_value(flag: &str) -> String {
    format!("`--{flag}` takes no value")
}

/// A flag that is given twice and cannot be.
pub fn repeated(flag: &str) -> String {
    format!("`--{flag}` is given more than once")
}

/// Two flags that exclude each other.
pub fn conflict(one: &str, other: &str) -> String {
    format!("`--{one}` cannot be used with `--{other}`")
}

/// A flag with another value than those that are allowed.
pub fn not_allowed(flag: &str, allowed: &[&str]) -> String {
    format!("`--{flag}` is not {}", one_of(allowed))
}

/// A variable that stands for a flag, with another value than those that are allowed.
pub fn variable_not_allowed(allowed: &[&str]) -> String {
    format!("it is not {}", one_of(allowed))
}

/// A flag that the component cannot have.
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
