//! Files that are opened by a path from a setting.

use std::ffi::OsStr;
use std::fs::{File, Metadata};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use crate::system::files;

/// Opens a regular file. Links are followed, as the token files of a cluster are links.
pub(crate) fn open(path: &Path) -> io::Result<(File, Metadata)> {
    let mut options = File::options();
    // Opening a pipe would wait for its writer.
    files::do_not_wait(&mut options);
    let file = options.read(true).open(path)?;
    let metadata = file.metadata()?;
    match metadata.is_file() {
        true => Ok((file, metadata)),
        false if metadata.is_dir() => Err(io::ErrorKind::IsADirectory.into()),
        false => Err(io::ErrorKind::InvalidInput.into()),
    }
}

/// Reads a regular file that holds no secret, of at most `max` bytes.
pub(crate) fn read_public(path: &Path, max: u64) -> io::Result<Vec<u8>> {
    let (file, metadata) = open(path)?;
    let mut content = Vec::new();
    if metadata.len() <= max {
        content.reserve_exact(metadata.len().try_into().unwrap_or_default());
        file.take(max + 1).read_to_end(&mut content)?;
    }
    match metadata.len().max(content.len() as u64) > max {
        true => Err(io::ErrorKind::FileTooLarge.into()),
        false => Ok(content),
    }
}

/// Why a file cannot be read, for people.
pub(crate) fn describe(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => "there is no such file".into(),
        io::ErrorKind::IsADirectory => "it is a folder".into(),
        io::ErrorKind::InvalidInput => "it is not a regular file".into(),
        io::ErrorKind::FileTooLarge => "it is too long".into(),
        kind => kind.to_string(),
    }
}

/// A path as an error message shows it: on one line.
pub(crate) fn shown(path: &Path) -> String {
    path.display().to_string().replace(|c: char| c.is_control(), "?")
}

/// A path without the white space around it, which a setting may have; `None` if nothing is left.
pub(crate) fn trimmed(path: &OsStr) -> Option<PathBuf> {
    let bytes = files::bytes(path);
    match bytes.trim_ascii() {
        b"" => None,
        trimmed if trimmed.len() == bytes.len() => Some(path.into()),
        trimmed => files::path(trimmed),
    }
}
