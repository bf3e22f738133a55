//! The standard streams: writing to them, without a word lost where one was closed when this process began.

use std::io;
use std::os::fd::{AsFd as _, BorrowedFd, RawFd};

use rustix::event::{PollFd, PollFlags};
use rustix::io::Errno;

use crate::at_start;

/// Fails if this process was started with a closed standard input.
pub(crate) fn check_stdin() -> io::Result<()> {
    check(0, "standard input is closed")
}

/// Writes all of this to stdout, or fails. Rust's own stdout buffers, which leaves copies in memory, and takes
/// a descriptor that cannot be written to for success.
pub(crate) fn write(text: &[u8]) -> io::Result<()> {
    check(1, "standard output is closed")?;
    write_to(io::stdout().as_fd(), text)
}

/// Writes all of this to a stream.
pub(crate) fn write_to(out: BorrowedFd<'_>, mut rest: &[u8]) -> io::Result<()> {
    while !rest.is_empty() {
        match rustix::io::write(out, rest) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => rest = rest.get(written..).unwrap_or_default(),
            Err(Errno::INTR) => {}
            // Another process has made it non-blocking.
            Err(Errno::AGAIN) => {
                let out = &mut [PollFd::new(&out, PollFlags::OUT)];
                rustix::event::poll(out, None)?;
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

fn check(stream: RawFd, what: &str) -> io::Result<()> {
    if at_start::closed().any(|it| it == stream) { Err(io::Error::other(what)) } else { Ok(()) }
}
