//! Values of flags and of the variables that stand for them, without the white space around them.

use std::error::Error;
use std::ffi::OsStr;
use std::str::FromStr;

use clap::builder::{EnumValueParser, PossibleValue, StringValueParser, TypedValueParser};
use clap::{Arg, Command, ValueEnum};

/// A parser of values without the white space around them.
#[derive(Clone)]
pub(crate) struct Trimmed<P> {
    inner: P,
    in_lower_case: bool,
}

/// What the parser takes, without the white space around it.
pub(crate) fn trimmed<P: TypedValueParser>(inner: P) -> Trimmed<P> {
    Trimmed { inner, in_lower_case: false }
}

/// Any text.
pub(crate) fn text() -> Trimmed<StringValueParser> {
    trimmed(StringValueParser::new())
}

/// Whatever can be parsed from a text.
pub(crate) fn parsed<T>() -> impl TypedValueParser<Value = T>
where
    T: FromStr<Err: Into<Box<dyn Error + Send + Sync>>> + Clone + Send + Sync + 'static,
{
    trimmed(StringValueParser::new().try_map(|text: String| text.parse::<T>()))
}

/// A switch, as the variables of settings have it.
pub(crate) fn switch() -> impl TypedValueParser<Value = bool> {
    let read = |text: String| match text.to_ascii_lowercase().as_str() {
        "true" | "1" => Ok(true),
        "false" | "0" => Ok(false),
        _ => Err("it is not `true`, `false`, `1` or `0`"),
    };
    trimmed(StringValueParser::new().try_map(read))
}

/// One of some words, in any case.
pub(crate) fn word<E: ValueEnum + Clone + Send + Sync + 'static>() -> Trimmed<EnumValueParser<E>> {
    Trimmed { inner: EnumValueParser::new(), in_lower_case: true }
}

impl<P: TypedValueParser> TypedValueParser for Trimmed<P> {
    type Value = P::Value;

    fn parse_ref(
        &self,
        command: &Command,
        argument: Option<&Arg>,
        value: &OsStr,
    ) -> Result<Self::Value, clap::Error> {
        // A value that is not UTF-8 is a path, or refused.
        let Some(text) = value.to_str().map(str::trim) else {
            return self.inner.parse_ref(command, argument, value);
        };
        match self.in_lower_case {
            true => self.inner.parse_ref(command, argument, text.to_ascii_lowercase().as_ref()),
            false => self.inner.parse_ref(command, argument, text.as_ref()),
        }
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        self.inner.possible_values()
    }
}
