//! `vaultlet man`.

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Command};
use clap_mangen::Man as Page;
use clap_mangen::roff::{Roff, roman};
use vaultlet_host::Kind;

use crate::failure::Failure;
use crate::output;

/// Write the manual pages
///
/// With a DIR, writes a page for vaultlet and one for each command, as vaultlet-get.1; pages of that name are
/// replaced. Without it, prints the page for vaultlet.
#[derive(Args)]
#[command(after_help = "\
Examples:
  vaultlet man ~/.local/share/man/man1
  vaultlet man | man -l -")]
pub(crate) struct Man {
    /// The folder to write the pages to, which is made if it does not exist
    #[arg(value_name = "DIR")]
    folder: Option<PathBuf>,
}

impl Man {
    /// Writes the pages of a program with this definition.
    pub(crate) fn run(self, definition: Command) -> Result<ExitCode, Failure> {
        // Every page has the flags of its own command; `help` has none.
        let mut definition = definition.disable_help_subcommand(true);
        definition.build();
        match self.folder {
            Some(folder) => {
                let made = std::fs::create_dir_all(&folder);
                let written = made.and_then(|()| write_all(&definition, &folder));
                written.map_err(|error| not_written(&folder, &error))?;
            }
            None => output::plain(&text(&definition).map_err(|error| output::failed(&error))?)?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Writes the page of a command, and those of the commands below it.
fn write_all(command: &Command, folder: &Path) -> io::Result<()> {
    let file = Page::new(command.clone()).get_filename();
    std::fs::write(folder.join(file), text(command)?)?;
    let mut below = command.get_subcommands().filter(|command| !command.is_hide_set());
    below.try_for_each(|command| write_all(command, folder))
}

/// The page of a command. Its examples are lines that are not filled.
fn text(command: &Command) -> io::Result<String> {
    let version = concat!("vaultlet ", env!("CARGO_PKG_VERSION"));
    let page = Page::new(command.clone()).source(version).manual("vaultlet");
    let mut text = Vec::new();
    page.render_title(&mut text)?;
    page.render_name_section(&mut text)?;
    page.render_synopsis_section(&mut text)?;
    page.render_description_section(&mut text)?;
    page.render_options_section(&mut text)?;
    if command.has_subcommands() {
        page.render_subcommands_section(&mut text)?;
    }
    if let Some(after) = command.get_after_help() {
        let after = after.to_string();
        let (title, lines) = match after.strip_prefix("Examples:\n") {
            Some(examples) => ("EXAMPLES", examples),
            None => ("NOTES", after.as_str()),
        };
        let mut section = Roff::new();
        section.control("SH", [title]).control("nf", []);
        for line in lines.lines() {
            section.text([roman(line.strip_prefix("  ").unwrap_or(line))]);
        }
        section.control("fi", []);
        text.extend_from_slice(section.render().as_bytes());
    }
    String::from_utf8(text).map_err(io::Error::other)
}

fn not_written(folder: &Path, error: &io::Error) -> Failure {
    let why = error.to_string().to_lowercase();
    let message = format!("writing manual pages to `{}`: {why}", folder.display());
    Failure::own(Kind::Unavailable, "output-failed", message, "name a folder that you may write to")
}
