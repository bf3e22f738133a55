//! Which flags stood on the command line, as opposed to variables that stand for them.

use clap::parser::ValueSource;
use clap::{ArgMatches, Args, Command, FromArgMatches};

/// The flags that stood on the command line.
///
/// Flattened into a command's arguments, as their **first** field: derived code takes each field's
/// values out of the matches in the order of the fields.
#[derive(Debug, Default)]
pub(crate) struct Given(Vec<String>);

impl Given {
    /// Whether this flag (`--client-id`) stood on the command line.
    pub(crate) fn has(&self, flag: &str) -> bool {
        // Arguments have the names of their fields.
        let field = flag.trim_start_matches('-').replace('-', "_");
        self.0.contains(&field)
    }
}

impl FromArgMatches for Given {
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

/// No argument of its own.
impl Args for Given {
    fn augment_args(command: Command) -> Command {
        command
    }

    fn augment_args_for_update(command: Command) -> Command {
        command
    }
}
