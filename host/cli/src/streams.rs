//! The standard streams: writing to them, without a word lost where one was closed when this process began.

use std::io::{self, IoSlice};
use std::os::fd::{AsFd as _, BorrowedFd, RawFd};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use crate::at_start;

/// Parts that one system call takes: `IOV_MAX` of Linux.
const PARTS_MAX: usize = 1024;
/// Bytes that a pipe shall hold, as far as the system allows it: fewer switches between processes.
#[cfg(target_os = "linux")]
const PIPE: usize = 1 << 20;

/// Whether this process was started with a closed standard error.
pub(crate) fn is_stderr_closed() -> bool {
    at_start::closed().any(|it| it == 2)
}

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
                poll(out, None)?;
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Lets a pipe hold more; does nothing to other files, and nothing on macOS.
pub(crate) fn widen(pipe: BorrowedFd<'_>) {
    #[cfg(target_os = "linux")]
    let _ = rustix::pipe::fcntl_setpipe_size(pipe, PIPE);
    #[cfg(not(target_os = "linux"))]
    let _ = pipe;
}

/// Standard input, on its way to standard output.
pub(crate) struct Filter(());

impl Filter {
    pub(crate) fn open() -> Self {
        widen(io::stdin().as_fd());
        widen(io::stdout().as_fd());
        Self(())
    }

    /// Reads what comes next; `None` when nothing has come for so long.
    #[allow(clippy::unused_self, reason = "as on other systems")]
    pub(crate) fn next(
        &mut self,
        patience: Option<Duration>,
        space: &mut [u8],
    ) -> io::Result<Option<usize>> {
        let stdin = io::stdin();
        let stdin = stdin.as_fd();
        let mut must_wait = false;
        loop {
            if must_wait || patience.is_some() {
                let time = patience.and_then(|time| Timespec::try_from(time).ok());
                match poll(&mut [PollFd::from_borrowed_fd(stdin, PollFlags::IN)], time.as_ref()) {
                    Ok(0) => return Ok(None),
                    Ok(_) => {}
                    Err(Errno::INTR) => continue,
                    Err(error) => return Err(error.into()),
                }
            }
            match rustix::io::read(stdin, &mut *space) {
                Ok(count) => return Ok(Some(count)),
                Err(Errno::INTR) => {}
                // Another process has made it non-blocking.
                Err(Errno::AGAIN) => must_wait = true,
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Writes to standard output.
    #[allow(clippy::unused_self, reason = "as on other systems")]
    pub(crate) fn write(&mut self, parts: &mut [IoSlice<'_>]) -> io::Result<()> {
        write_all_to(io::stdout().as_fd(), parts)
    }
}

fn check(stream: RawFd, what: &str) -> io::Result<()> {
    if at_start::closed().any(|it| it == stream) { Err(io::Error::other(what)) } else { Ok(()) }
}
