//! The standard streams: writing to them, without a word lost where one was closed when this process began.

use std::io::{self, IoSlice};
use std::os::fd::{AsFd as _, BorrowedFd, RawFd};

use rustix::event::{PollFd, PollFlags};
use rustix::io::Errno;

use crate::at_start;

/// Parts that one system call takes: `IOV_MAX` of Linux.
const PARTS_MAX: usize = 1024;

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
pub(crate) fn write_to(out: BorrowedFd<'_>, text: &[u8]) -> io::Result<()> {
    write_all_to(out, &mut [IoSlice::new(text)])
}

/// Writes all parts to a stream, with as few system calls as there can be.
pub(crate) fn write_all_to(out: BorrowedFd<'_>, mut rest: &mut [IoSlice<'_>]) -> io::Result<()> {
    IoSlice::advance_slices(&mut rest, 0);
    while !rest.is_empty() {
        match rustix::io::writev(out, rest.get(..PARTS_MAX).unwrap_or(rest)) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => IoSlice::advance_slices(&mut rest, written),
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
