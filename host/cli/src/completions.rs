//! `vaultlet completions`.

use std::process::ExitCode;

use clap::builder::PossibleValuesParser;
use clap::{Arg, Args, Command, ValueEnum, ValueHint};
use clap_complete::{Shell, generate};
use vaultlet_core::settings::Label;

use crate::failure::Failure;
use crate::{output, trimmed};

/// Print a completion script for a shell
///
/// The script completes commands, flags and their words. It is made from the definition of this program's own
/// command line, and is to be made again after an update.
#[derive(Args)]
#[command(after_help = "\
Examples:
  vaultlet completions bash > ~/.local/share/bash-completion/completions/vaultlet
  vaultlet completions zsh > \"${fpath[1]}/_vaultlet\"
  vaultlet completions fish > ~/.config/fish/completions/vaultlet.fish
  vaultlet completions powershell >> $PROFILE")]
pub(crate) struct Completions {
    /// bash, zsh, fish, powershell or elvish
    #[arg(value_enum, value_parser = trimmed::word::<Name>(), value_name = "SHELL", hide_possible_values = true)]
    shell: Name,
}

/// A shell for which there are scripts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Name {
    /// GNU bash
    Bash,
    /// The Z shell
    Zsh,
    /// fish
    Fish,
    /// `PowerShell`
    #[value(alias = "pwsh")]
    Powershell,
    /// Elvish
    Elvish,
}

impl Completions {
    /// Prints the script for a program with this definition.
    pub(crate) fn run(self, definition: Command) -> Result<ExitCode, Failure> {
        let shell = match self.shell {
            Name::Bash => Shell::Bash,
            Name::Zsh => Shell::Zsh,
            Name::Fish => Shell::Fish,
            Name::Powershell => Shell::PowerShell,
            Name::Elvish => Shell::Elvish,
        };
        let mut definition = with_words(definition);
        let mut script = Vec::new();
        generate(shell, &mut definition, "vaultlet", &mut script);
        output::plain(&String::from_utf8_lossy(&script))?;
        Ok(ExitCode::SUCCESS)
    }
}

/// The definition with the words that flags take, where a parser of the program knows them by itself, and without
/// files for values that are none.
fn with_words(command: Command) -> Command {
    /// Placeholders of values that are files, folders or programs.
    const FILES: [&str; 5] = ["FILE", "DIR", "FOLDER", "PATH", "COMMAND"];
    let hinted = |argument: Arg| {
        let words = argument.get_long().map(words).unwrap_or_default();
        let is_file = |name: &clap::builder::Str| FILES.iter().any(|file| name.contains(file));
        let is_of_files = argument.get_value_names().is_some_and(|names| names.iter().any(is_file));
        let is_free = argument.get_possible_values().is_empty()
            && argument.get_value_hint() == ValueHint::Unknown;
        if !words.is_empty() {
            return argument.value_parser(PossibleValuesParser::new(words));
        }
        if argument.get_action().takes_values() && is_free && !is_of_files {
            return argument.value_hint(ValueHint::Other);
        }
        argument
    };
    command.mut_args(hinted).mut_subcommands(with_words)
}

fn words(flag: &str) -> Vec<&'static str> {
    match flag {
        "cloud" => vec!["public", "china", "usgov"],
        "identity" => ["auto"].into_iter().chain(Label::ALL.iter().map(|it| it.name())).collect(),
        "exclude" => Label::ALL.iter().map(|it| it.name()).collect(),
        "on-change" => vec!["restart", "signal:HUP", "exit"],
        #[cfg(feature = "dev")]
        "identity-form" => vaultlet_dev::Form::all().map(|(name, _)| name).collect(),
        _ => Vec::new(),
    }
}
