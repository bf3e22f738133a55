//! The flags that are on the command line, as opposed to the variables that stand for them.

use clap::parser::ValueSource;
use clap::{ArgMatches, Args, Command, FromArgMatches};

/// The flags that are on the command line.
///
/// Flattened into a command's arguments, as their **first** field: derived code takes each field's
/// values out of the matches in the order of the fields.
#[derive(Debug, Default)]
pub(crate) struct GivenFlags(Vec<String>);

impl GivenFlags {
    /// Whether this flag (`--client-id`) is on the command line.
    pub(crate) fn has(&self, flag: &str) -> bool {
        // Arguments have the names of their fields.
        let field = flag.trim_start_matches('-').replace('-', "_");
        self.0.contains(&field)
    }
}

impl FromArgMatches for GivenFlags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let is_given =
            |id: &&clap::Id| matches.value_source(id.as_str()) == Some(ValueSource::CommandLine);
        Ok(Self(matches.ids().filter(is_given).map(ToString::to_string).collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// An addition of no arguments to the command: the flags are read from those that it has.
impl Args for GivenFlags {
    fn augment_args(command: Command) -> Command {
        command
    }

    fn augment_args_for_update(command: Command) -> Command {
        command
    }
}
