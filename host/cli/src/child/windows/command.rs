//! Where the program of a command is, and why it cannot be started.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use vaultlet_host::{Kind, not_started};

use crate::failure::Failure;
use crate::system::program_in;

/// The file of the program that this word of a command starts; the word as it is, where there is no such file. `path`
/// is the command's `PATH`. A program in the current folder is not taken for one, unless the word names a folder.
pub(crate) fn program(word: &OsStr, path: Option<&OsStr>) -> PathBuf {
    find(word, path).unwrap_or_else(|| word.into())
}

/// Fails as starting would where there is no such program, before anything is done for it.
pub(crate) fn check(word: &OsStr, path: Option<&OsStr>) -> Result<(), Failure> {
    match find(word, path) {
        Some(_) => Ok(()),
        None => Err(failed(&Command::new(word), &io::ErrorKind::NotFound.into())),
    }
}

fn find(word: &OsStr, path: Option<&OsStr>) -> Option<PathBuf> {
    let given = Path::new(word);
    let name = given.file_name()?.to_str()?;
    if let Some(folder) = given.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        return program_in(folder, name);
    }
    // The variable's name may be in any case, as `Path` is on most machines.
    let path = path.map(OsStr::to_owned).or_else(|| std::env::var_os("PATH"))?;
    std::env::split_paths(&path).find_map(|folder| program_in(&folder, name))
}

/// The failure to start a command.
pub(super) fn failed(command: &Command, error: &io::Error) -> Failure {
    /// `ERROR_FILENAME_EXCED_RANGE`: a command line has at most 32,767 units.
    const TOO_LONG: i32 = 206;
    let doing = format!("running `{}`", command.get_program().to_string_lossy());
    if let Some(missing) = not_started(&doing, error) {
        return missing.into();
    }
    if error.raw_os_error() == Some(TOO_LONG) {
        let message = format!("{doing}: its arguments are too large for the system");
        let help = "shorten them, all may have 32,767 characters";
        return Failure::own(Kind::Denied, "command-not-executable", message, help).with_exit(126);
    }
    let (kind, id, exit, why) = match error.kind() {
        io::ErrorKind::NotFound => {
            (Kind::NotFound, "command-not-found", 127, "there is no such program".to_owned())
        }
        _ => (Kind::Denied, "command-not-executable", 126, error.to_string().to_lowercase()),
    };
    let help = "check its name and `PATH`; what is built into a shell runs as `cmd /c COMMAND`";
    Failure::own(kind, id, format!("{doing}: {why}"), help).with_exit(exit)
}
