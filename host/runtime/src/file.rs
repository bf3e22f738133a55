//! Files that are opened by a path from a setting.

use std::ffi::OsStr;
use std::fs::{File, Metadata};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::system::files;

/// Opens a regular file. Links are followed, as the token files of a cluster are links.
pub(crate) fn open(path: &Path) -> io::Result<(File, Metadata)> {
    let mut options = File::options();
    // Opening a pipe would wait for its writer.
    files::do_not_wait(&mut options);
    let file = options.read(true).open(path).map_err(files::not_regular)?;
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

/// Reads a regular file that may hold a secret, of at most `max` bytes; a longer one is an error.
pub(crate) fn read_secret(path: &Path, max: usize) -> io::Result<Zeroizing<Vec<u8>>> {
    let (mut file, _) = open(path)?;
    // Of a fixed size: a buffer that grows leaves copies of the secret behind.
    let mut content = Zeroizing::new(vec![0; max + 1]);
    let mut length = 0;
    while let Some(room) = content.get_mut(length..).filter(|room| !room.is_empty()) {
        match file.read(room) {
            Ok(0) => break,
            Ok(count) => length += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    if length > max {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    content.truncate(length);
    Ok(content)
}

/// Reads a regular file that may hold a secret, of at most `max` bytes. Another kind of file is refused, and not waited
/// for: a pipe that nobody writes to would hold up the start of a program for ever. The error is for people.
pub fn read_secret_file(path: &Path, max: usize) -> Result<Zeroizing<Vec<u8>>, String> {
    read_secret(path, max).map_err(|error| describe(&error))
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
