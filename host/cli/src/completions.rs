//! `vaultlet completions`.

use std::process::ExitCode;

use clap::{Args, Command, ValueEnum};
use clap_complete::{Shell, generate};

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
    pub(crate) fn run(self, mut definition: Command) -> Result<ExitCode, Failure> {
        let shell = match self.shell {
            Name::Bash => Shell::Bash,
            Name::Zsh => Shell::Zsh,
            Name::Fish => Shell::Fish,
            Name::Powershell => Shell::PowerShell,
            Name::Elvish => Shell::Elvish,
        };
        let mut script = Vec::new();
        generate(shell, &mut definition, "vaultlet", &mut script);
        output::plain(&String::from_utf8_lossy(&script))?;
        Ok(ExitCode::SUCCESS)
    }
}
