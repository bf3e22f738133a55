//! Where audit lines are written: a file, the standard error, the journal of systemd.

use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::{FileExt as _, FileTypeExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::os::unix::net::UnixDatagram;
use std::path::Path;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{OFlags, fcntl_getfl, fstat, stat};
use rustix::io::Errno;

use crate::limits;

/// Fails if this process may have been started without a standard error. Rust opens `/dev/null` in its place, to read and
/// write, where every line would be lost; whoever throws the lines away on purpose mostly opens it to write only.
pub(crate) fn check_stderr() -> io::Result<()> {
    let stderr = io::stderr();
    let is_null = || {
        let (stream, null) = (fstat(&stderr)?, stat("/dev/null")?);
        Ok::<_, Errno>((stream.st_mode, stream.st_rdev) == (null.st_mode, null.st_rdev))
    };
    match fcntl_getfl(&stderr)? & OFlags::RWMODE == OFlags::RDWR && is_null()? {
        true => Err(io::Error::other("standard error is closed")),
        false => Ok(()),
    }
}

/// Opens a file to append to: each time anew, as another program may have put a new one in its place.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    // Whoever may write the folder could lead us elsewhere by a link; a pipe may have nobody who reads it.
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
    let mut options = File::options();
    options.append(true).create(true).mode(0o600).custom_flags(flags.bits().cast_signed());
    // To see whether the last line is whole.
    let file = match options.read(true).open(path) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            options.read(false).open(path)
        }
        opened => opened,
    };
    let file = file.map_err(|error| match Errno::from_io_error(&error) {
        Some(Errno::LOOP) => io::Error::other("it is a link; name the file that it leads to"),
        Some(Errno::NXIO) => io::Error::other(NO_FILE),
        _ => error,
    })?;
    let kind = file.metadata()?.file_type();
    if kind.is_file() || kind.is_char_device() { Ok(file) } else { Err(io::Error::other(NO_FILE)) }
}

const NO_FILE: &str = "it is not a regular file";

/// Appends a line. Where the disk was full in the middle of the last one, the line begins on one of its own.
pub(crate) fn append(file: &File, line: &str) -> io::Result<()> {
    let metadata = file.metadata()?;
    let mut last = [b'\n'];
    if let Some(at) = metadata.size().checked_sub(1).filter(|_| metadata.is_file()) {
        // A file that may not be read is taken to be whole.
        let _ = file.read_at(&mut last, at);
    }
    match last {
        [b'\n'] => write_all(file, line.as_bytes()),
        _ => write_all(file, format!("\n{line}").as_bytes()),
    }
}

/// Writes to the standard error.
pub(crate) fn write_stderr(bytes: &[u8]) -> io::Result<()> {
    write_all(&io::stderr(), bytes)
}

/// Writes everything, by one call to the system unless it takes a part only.
fn write_all(to: &impl AsFd, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match rustix::io::write(to, bytes) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(count) => bytes = bytes.get(count..).unwrap_or_default(),
            Err(Errno::INTR) => {}
            // Another process has made it non-blocking.
            Err(Errno::AGAIN) => {
                let patience = Timespec::try_from(limits::AUDIT).ok();
                let ready = poll(&mut [PollFd::new(to, PollFlags::OUT)], patience.as_ref());
                if matches!(ready, Ok(0)) {
                    return Err(io::ErrorKind::TimedOut.into());
                }
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// The socket of journald. <https://systemd.io/JOURNAL_NATIVE_PROTOCOL/>
pub(crate) const JOURNAL: &str = "/run/systemd/journal/socket";

fn journal() -> io::Result<UnixDatagram> {
    let socket = UnixDatagram::unbound()?;
    socket.connect(JOURNAL)?;
    // It may be full, and nobody there who empties it.
    socket.set_write_timeout(Some(limits::AUDIT))?;
    Ok(socket)
}

/// Fails if there is no journal.
pub(crate) fn check_journal() -> io::Result<()> {
    journal().map(drop)
}

/// Sends an entry to the journal.
pub(crate) fn send(entry: &str) -> io::Result<()> {
    journal()?.send(entry.as_bytes()).map(drop)
}
