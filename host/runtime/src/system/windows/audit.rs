//! Where audit lines are written: a file or the standard error.

use std::fs::File;
use std::io::{self, Write as _};
use std::os::windows::fs::{FileExt as _, OpenOptionsExt as _};
use std::os::windows::io::AsRawHandle as _;
use std::path::Path;

use windows_sys::Win32::Storage::FileSystem::FILE_FLAG_OPEN_REPARSE_POINT;

/// Fails if this process was started without a standard error, where every line would be lost.
pub(crate) fn check_stderr() -> io::Result<()> {
    match io::stderr().as_raw_handle().is_null() {
        true => Err(io::Error::other("standard error is closed")),
        false => Ok(()),
    }
}

/// Opens a file to append to: each time anew, as another program may have put a new one in its place. A new file has
/// the rights that its folder hands on.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    // Whoever may write the folder could lead us elsewhere by a link.
    options.append(true).create(true).custom_flags(FILE_FLAG_OPEN_REPARSE_POINT);
    let file = match options.read(true).open(path) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            options.read(false).open(path)?
        }
        opened => opened?,
    };
    let kind = file.metadata()?.file_type();
    if kind.is_symlink() {
        return Err(io::Error::other("it is a link; name the file that it leads to"));
    }
    if kind.is_file() { Ok(file) } else { Err(io::Error::other("it is not a regular file")) }
}

/// Appends a line. Where the disk was full in the middle of the last one, the line begins on one of its own.
pub(crate) fn append(mut file: &File, line: &str) -> io::Result<()> {
    let mut last = [b'\n'];
    if let Some(at) = file.metadata()?.len().checked_sub(1) {
        // A file that may not be read is taken to be whole.
        let _ = file.seek_read(&mut last, at);
    }
    match last {
        [b'\n'] => file.write_all(line.as_bytes()),
        _ => file.write_all(format!("\n{line}").as_bytes()),
    }
}

/// Writes to the standard error.
pub(crate) fn write_stderr(bytes: &[u8]) -> io::Result<()> {
    io::stderr().lock().write_all(bytes)
}

/// What an error about the journal names.
pub(crate) const JOURNAL: &str = "systemd's";

/// Fails: there is no journal.
pub(crate) fn check_journal() -> io::Result<()> {
    Err(io::Error::other("there is none on Windows; name a file"))
}

/// Fails: there is no journal.
pub(crate) fn send(_: &str) -> io::Result<()> {
    check_journal()
}
