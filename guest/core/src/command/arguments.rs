//! The arguments of the commands. They are parsed in the same order as by clap, the native program's parser,
//! so that both programs report the same error for wrong arguments. The suite `tests/tests/commands/`
//! compares them: <https://docs.rs/clap/4/clap/>

use alloc::{borrow::ToOwned, format, string::String, vec::Vec};

use super::{Format, sentence, usage};
use crate::{
    error::{Error, Id},
    settings::{FLAGS, Lookup, Reader, SETTINGS, Setting, set},
};

/// The request that the arguments make.
#[derive(Debug)]
pub(super) enum Invocation {
    /// The page of `--help`.
    Help,
    /// The version of the program.
    Version,
    /// A command.
    Command(Arguments),
}

/// A command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Command {
    Get,
    List,
    Versions,
    Token,
    Whoami,
}

/// A command with its arguments, which are well-formed and complete.
#[derive(Debug)]
pub(super) struct Arguments {
    pub(super) command: Command,
    /// The references, or the vault or secret to list.
    pub(super) words: Vec<String>,
    pub(super) format: Format,
    given: Vec<GivenFlag>,
}

/// A flag that was given, or its variable, with the value.
#[derive(Debug)]
struct GivenFlag {
    name: &'static str,
    value: String,
    is_variable: bool,
}

/// A flag in the definition of a command.
#[derive(Clone, Copy)]
struct Flag {
    name: &'static str,
    value: Value,
}

/// The kind of value that a flag takes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Value {
    /// No value: the flag is a switch.
    None,
    /// Any text.
    Text,
    /// Any text; the flag may be repeated, and the values are joined by this separator.
    Texts(&'static str),
    /// One of the command's formats.
    Format,
}

/// Groups of flags that exclude each other.
const EXCLUSIVE: [&[&str]; 2] =
    [&["resource", "scope"], &["client-id", "object-id", "resource-id"]];

impl Invocation {
    /// Reads the arguments after the program's name, and the variables that stand for flags.
    pub(super) fn read(arguments: &[String], variables: Lookup<'_>) -> Result<Self, Error> {
        let mut rest = arguments.iter().map(String::as_str);
        let Some(first) = rest.next() else { return Ok(Self::Help) };
        let (first, is_escaped) = match first {
            "--" => match rest.next() {
                Some(word) => (word, true),
                None => return Ok(Self::Help),
            },
            _ => (first, false),
        };
        if !is_escaped {
            match first {
                "--help" | "help" => return Ok(Self::Help),
                "--version" => return Ok(Self::Version),
                _ => {}
            }
            if let Some(long) = first.strip_prefix("--") {
                let name = long.split_once('=').map_or(long, |(name, _)| name);
                return Err(match name {
                    "help" | "version" => usage(&sentence::no_value(name)),
                    "log" => usage(&sentence::native_only(name)),
                    _ => usage(&sentence::unexpected(&format!("--{name}"))),
                });
            }
            match short(first) {
                Some('h') => return Ok(Self::Help),
                Some('V') => return Ok(Self::Version),
                Some(letter) => return Err(usage(&sentence::unexpected(&format!("-{letter}")))),
                None => {}
            }
        }
        match Command::parse(first) {
            Some(_) if is_escaped => Err(usage(&sentence::unexpected(first))),
            Some(command) => Arguments::read(command, rest, variables),
            None => Err(usage(&sentence::no_command(first))),
        }
    }
}

impl Command {
    fn parse(text: &str) -> Option<Self> {
        match text {
            _ if sentence::is_get(text) => Some(Self::Get),
            "list" | "ls" => Some(Self::List),
            "versions" => Some(Self::Versions),
            "token" => Some(Self::Token),
            "whoami" => Some(Self::Whoami),
            _ => None,
        }
    }

    /// The formats of the answer; the first is the default.
    fn formats(self) -> &'static [(&'static str, Format)] {
        const VALUE: (&str, Format) = ("value", Format::Value);
        const JSON: (&str, Format) = ("json", Format::Json);
        const TABLE: (&str, Format) = ("table", Format::Table);
        match self {
            Self::Get => &[VALUE, JSON, ("env", Format::Env)],
            Self::List | Self::Versions => &[TABLE, JSON, VALUE],
            Self::Token => &[VALUE, JSON],
            Self::Whoami => &[TABLE, JSON],
        }
    }

    /// The limit of words that the command takes, and the name of the first word if one is required.
    fn words(self) -> (usize, Option<&'static str>) {
        match self {
            Self::Get => (usize::MAX, Some("REFERENCE")),
            Self::Versions => (1, Some("REFERENCE|NAME")),
            Self::List => (1, None),
            Self::Token | Self::Whoami => (0, None),
        }
    }

    /// The flags of the command besides the settings. Each has a variable, except for `--reveal`.
    fn flags(self) -> &'static [Flag] {
        const fn text(name: &'static str) -> Flag {
            Flag { name, value: Value::Text }
        }
        const OUTPUT: Flag = Flag { name: "output", value: Value::Format };
        const REVEAL: Flag = Flag { name: "reveal", value: Value::None };
        match self {
            Self::Get => &[OUTPUT],
            Self::List | Self::Versions => &[const { text("vault") }, OUTPUT],
            Self::Token => &[
                const { text("resource") },
                const { text("scope") },
                const { text("tenant") },
                const { text("claims") },
                REVEAL,
                OUTPUT,
            ],
            Self::Whoami => &[
                const { text("resource") },
                const { text("scope") },
                const { text("tenant") },
                OUTPUT,
            ],
        }
    }

    /// Finds the flag of this name. A flag that only the native program has is refused.
    fn flag(self, name: &str) -> Result<Flag, Error> {
        if let Some(flag) = self.flags().iter().find(|flag| flag.name == name) {
            return Ok(*flag);
        }
        match setting(name) {
            Some(setting) if setting.reader == Reader::Component => {
                let value = match (setting.value, setting.separator) {
                    (None, _) => Value::None,
                    (Some(_), None) => Value::Text,
                    (Some(_), Some(separator)) => Value::Texts(separator),
                };
                Ok(Flag { name: bare(setting), value })
            }
            Some(_) => Err(usage(&sentence::native_only(name))),
            None if name == "log" => Err(usage(&sentence::native_only(name))),
            None => Err(usage(&sentence::unexpected(&format!("--{name}")))),
        }
    }
}

impl Arguments {
    /// The value of a flag, or of the variable that stands for it.
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        self.given(name).map(|given| given.value.as_str())
    }

    /// Whether the flag itself was given, as opposed to the variable that stands for it.
    pub(super) fn is_flag(&self, name: &str) -> bool {
        self.given(name).is_some_and(|given| !given.is_variable)
    }

    /// The settings that were given as flags, as the variables that they stand for.
    pub(super) fn settings(&self) -> Vec<(&'static str, String)> {
        let mut settings = Vec::new();
        let mut flags = String::new();
        for given in &self.given {
            let Some(setting) = setting(given.name) else { continue };
            settings.push((setting.variable, given.value.clone()));
            flags.push_str(given.name);
            flags.push(',');
        }
        settings.push((FLAGS, flags));
        settings
    }

    fn given(&self, name: &str) -> Option<&GivenFlag> {
        self.given.iter().find(|given| given.name == name)
    }

    fn read<'a>(
        command: Command,
        rest: impl Iterator<Item = &'a str>,
        variables: Lookup<'_>,
    ) -> Result<Invocation, Error> {
        let format = command.formats().first().map_or(Format::Value, |(_, format)| *format);
        let arguments = Self { command, words: Vec::new(), format, given: Vec::new() };
        let mut state = State { arguments, pending: None };
        if state.read(rest)? {
            return Ok(Invocation::Help);
        }
        let mut arguments = state.arguments;
        if let Some((one, other)) = arguments.conflict() {
            return Err(usage(&sentence::conflict(one, other)));
        }
        if let (_, Some(missing)) = command.words()
            && arguments.words.is_empty()
        {
            return Err(usage(&sentence::missing(missing)));
        }
        arguments.read_variables(variables)?;
        Ok(Invocation::Command(arguments))
    }

    fn read_variables(&mut self, variables: Lookup<'_>) -> Result<(), Error> {
        for flag in self.command.flags() {
            if flag.value == Value::None || self.given(flag.name).is_some() {
                continue;
            }
            let name = variable(flag.name);
            let Some(value) = set(variables, &name) else { continue };
            if flag.value == Value::Format {
                let allowed = || sentence::variable_not_allowed(&self.formats());
                let format = self.parse_format(&value);
                self.format = format.ok_or_else(|| malformed(&name, &allowed()))?;
            }
            self.given.push(GivenFlag { name: flag.name, value, is_variable: true });
            if let Some((one, other)) = self.conflict() {
                return Err(malformed(&name, &sentence::conflict(one, other)));
            }
        }
        Ok(())
    }

    /// Adds a flag that was given.
    fn accept(&mut self, flag: Flag, value: &str) -> Result<(), Error> {
        let value = value.trim();
        if let Some(given) = self.given.iter_mut().find(|given| given.name == flag.name) {
            let Value::Texts(separator) = flag.value else {
                return Err(usage(&sentence::repeated(flag.name)));
            };
            given.value.push_str(separator);
            given.value.push_str(value);
            return Ok(());
        }
        if flag.value == Value::Format {
            self.format = match self.parse_format(value) {
                Some(format) => format,
                None if value.is_empty() => return Err(usage(&sentence::needs_value(flag.name))),
                None => return Err(usage(&sentence::not_allowed(flag.name, &self.formats()))),
            };
        }
        self.given.push(GivenFlag { name: flag.name, value: value.to_owned(), is_variable: false });
        Ok(())
    }

    fn parse_format(&self, text: &str) -> Option<Format> {
        let mut formats = self.command.formats().iter();
        formats.find(|(name, _)| name.eq_ignore_ascii_case(text)).map(|(_, format)| *format)
    }

    fn formats(&self) -> Vec<&'static str> {
        self.command.formats().iter().map(|(name, _)| *name).collect()
    }

    /// The first two flags that exclude each other.
    fn conflict(&self) -> Option<(&'static str, &'static str)> {
        self.given.iter().find_map(|one| {
            let group = EXCLUSIVE.iter().find(|group| group.contains(&one.name))?;
            let is_other =
                |given: &&GivenFlag| given.name != one.name && group.contains(&given.name);
            Some((one.name, self.given.iter().find(is_other)?.name))
        })
    }
}

/// The state of the parser.
struct State<'a> {
    arguments: Arguments,
    /// A flag that takes a value, and the value once it was read. The value is checked when the next known
    /// argument is read, because an unknown argument is reported first.
    pending: Option<(Flag, Option<&'a str>)>,
}

impl<'a> State<'a> {
    /// Reads the arguments after the command. Returns whether they request help.
    fn read(&mut self, rest: impl Iterator<Item = &'a str>) -> Result<bool, Error> {
        let mut is_trailing = false;
        for argument in rest {
            if !is_trailing {
                if argument == "--" {
                    is_trailing = true;
                    continue;
                }
                if let Some(long) = argument.strip_prefix("--") {
                    let (name, value) = match long.split_once('=') {
                        Some((name, value)) => (name, Some(value)),
                        None => (long, None),
                    };
                    match (name, value) {
                        ("help", Some(_)) => return Err(usage(&sentence::no_value(name))),
                        ("help", None) => return self.resolve().map(|()| true),
                        _ => self.flag(self.arguments.command.flag(name)?, value)?,
                    }
                    continue;
                }
                match short(argument) {
                    Some('h') => return self.resolve().map(|()| true),
                    Some('o') => {
                        let value = argument.get(2..).filter(|value| !value.is_empty());
                        let value = value.map(|value| value.strip_prefix('=').unwrap_or(value));
                        self.flag(self.arguments.command.flag("output")?, value)?;
                        continue;
                    }
                    Some(letter) => {
                        return Err(usage(&sentence::unexpected(&format!("-{letter}"))));
                    }
                    None => {}
                }
                if let Some((_, value @ None)) = &mut self.pending {
                    *value = Some(argument);
                    continue;
                }
            }
            if self.arguments.words.len() >= self.arguments.command.words().0 {
                return Err(usage(&sentence::unexpected(argument)));
            }
            self.resolve()?;
            self.arguments.words.push(argument.to_owned());
        }
        self.resolve().map(|()| false)
    }

    fn flag(&mut self, flag: Flag, value: Option<&'a str>) -> Result<(), Error> {
        match (flag.value, value) {
            (Value::None, Some(_)) => return Err(usage(&sentence::no_value(flag.name))),
            (Value::None, None) => {
                self.resolve()?;
                self.arguments.accept(flag, "true")?;
            }
            (_, Some(value)) => {
                self.resolve()?;
                self.arguments.accept(flag, value)?;
            }
            (_, None) => {
                self.resolve()?;
                self.pending = Some((flag, None));
            }
        }
        Ok(())
    }

    fn resolve(&mut self) -> Result<(), Error> {
        match self.pending.take() {
            None => Ok(()),
            Some((flag, Some(value))) => self.arguments.accept(flag, value),
            Some((flag, None)) => Err(usage(&sentence::needs_value(flag.name))),
        }
    }
}

/// The format in which errors are to be printed; the arguments may be wrong.
pub(super) fn wanted_format(arguments: &[String], variables: Lookup<'_>) -> Format {
    let mut output = None;
    let mut arguments = arguments.iter().map(String::as_str).take_while(|text| *text != "--");
    while let Some(argument) = arguments.next() {
        let value = if let Some(long) = argument.strip_prefix("--") {
            match long.split_once('=') {
                Some(("output", value)) => value,
                None if long == "output" => "",
                _ => continue,
            }
        } else {
            let letters = argument.strip_prefix('-').unwrap_or_default();
            let Some((_, value)) = letters.split_once('o') else { continue };
            value.strip_prefix('=').unwrap_or(value)
        };
        let is_attached = !value.is_empty() || argument.ends_with('=');
        let value = if is_attached { Some(value) } else { arguments.next() };
        // A shell may be evaluating the output, whatever else is wrong with the arguments.
        if output != Some("env") {
            output = value.or(output);
        }
    }
    let of_variable = match output {
        Some(_) => None,
        None => variables("VAULTLET_OUTPUT"),
    };
    let is = |word: &str| {
        output.or(of_variable.as_deref()).is_some_and(|it| it.trim().eq_ignore_ascii_case(word))
    };
    match () {
        () if is("json") => Format::Json,
        () if is("env") => Format::Env,
        () => Format::Value,
    }
}

fn setting(name: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|setting| bare(setting) == name)
}

/// The flag of a setting without its dashes.
fn bare(setting: &Setting) -> &'static str {
    setting.flag.trim_start_matches('-')
}

/// The first letter of a cluster of short flags.
fn short(argument: &str) -> Option<char> {
    argument.strip_prefix('-').and_then(|letters| letters.chars().next())
}

/// The variable that stands for a flag.
fn variable(flag: &str) -> String {
    format!("VAULTLET_{}", flag.to_ascii_uppercase().replace('-', "_"))
}

fn malformed(variable: &str, what: &str) -> Error {
    Error::new(Id::SettingMalformed, format!("reading `{variable}`: {what}"))
        .with_help("correct or unset it")
}
