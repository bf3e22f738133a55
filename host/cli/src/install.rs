//! `vaultlet install`.

use std::env::consts::EXE_EXTENSION;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use tempfile::NamedTempFile;
use vaultlet_host::Kind;

use crate::failure::Failure;
use crate::system;

/// Copy this program to another place, as an init container does for the containers of its pod
///
/// The program is one file, which needs nothing beside it. It is replaced in one step where it is there already. All users
/// may run it.
#[derive(Args)]
#[command(after_help = "\
Examples:
  vaultlet install /opt/vaultlet             # a folder: /opt/vaultlet/vaultlet
  vaultlet install ~/.local/bin/vaultlet")]
pub(crate) struct Install {
    /// The folder to copy it into, or the new file
    #[arg(value_name = "PATH")]
    path: PathBuf,
}

impl Install {
    pub(crate) fn run(self) -> Result<ExitCode, Failure> {
        let target = match self.path.is_dir() {
            true => self.path.join("vaultlet").with_extension(EXE_EXTENSION),
            false => self.path,
        };
        copy(&target).map_err(|error| {
            let why = error.to_string().to_lowercase();
            let message = format!("copying the program to `{}`: {why}", target.display());
            let help = "name a folder that is there and that you may write to";
            Failure::own(Kind::Unavailable, "output-failed", message, help)
        })?;
        Ok(ExitCode::SUCCESS)
    }
}

/// Copies the running program. Whoever runs the target meanwhile runs the old one or the new one.
fn copy(target: &Path) -> io::Result<()> {
    let parent = target.parent().filter(|it| !it.as_os_str().is_empty());
    let mut new = NamedTempFile::new_in(parent.unwrap_or(Path::new(".")))?;
    // Not by its path, where another program may be by now.
    let mut program = File::open(running()?)?;
    io::copy(&mut program, &mut new)?;
    system::let_all_run(new.as_file())?;
    new.persist(target).map(drop).map_err(|error| error.error)
}

/// The file that this process runs.
fn running() -> io::Result<PathBuf> {
    let link = Path::new("/proc/self/exe");
    if fs::symlink_metadata(link).is_ok() { Ok(link.to_owned()) } else { std::env::current_exe() }
}
