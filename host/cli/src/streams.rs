//! The standard streams: writing to stdout, and whether streams were open when the process began. Before `main`, Rust opens `/dev/null` in
//! place of a closed stream, so that no file gets its number; what is printed would then be lost without a
//! word. So the streams are looked at earlier, by a constructor of the executable:
//! <https://refspecs.linuxfoundation.org/elf/gabi4+/ch5.dynamic.html#init_fini>

#![allow(unsafe_code, reason = "a constructor has no safe form")]

use std::io;
use std::os::fd::{AsFd as _, BorrowedFd, RawFd};
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::event::{PollFd, PollFlags};
use rustix::io::Errno;

static STDIN_CLOSED: AtomicBool = AtomicBool::new(false);
static STDOUT_CLOSED: AtomicBool = AtomicBool::new(false);

/// Fails if this process was started with a closed standard input.
pub(crate) fn check_stdin() -> io::Result<()> {
    check(&STDIN_CLOSED, "standard input is closed")
}

/// Writes all of this to stdout, or fails. Rust's own stdout buffers, which leaves copies in memory, and takes
/// a descriptor that cannot be written to for success.
pub(crate) fn write(text: &[u8]) -> io::Result<()> {
    check(&STDOUT_CLOSED, "standard output is closed")?;
    let stdout = io::stdout();
    let (out, mut rest) = (stdout.as_fd(), text);
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

fn check(closed: &AtomicBool, what: &str) -> io::Result<()> {
    if closed.load(Ordering::Relaxed) { Err(io::Error::other(what)) } else { Ok(()) }
}

// SAFETY: the loader calls each function of this section once, before `main`, on the only thread; the function
// uses nothing that Rust's start-up prepares.
#[used]
#[cfg_attr(target_vendor = "apple", unsafe(link_section = "__DATA,__mod_init_func"))]
#[cfg_attr(not(target_vendor = "apple"), unsafe(link_section = ".init_array"))]
static AT_START: extern "C" fn() = look;

extern "C" fn look() {
    STDIN_CLOSED.store(is_closed(0), Ordering::Relaxed);
    STDOUT_CLOSED.store(is_closed(1), Ordering::Relaxed);
}

fn is_closed(stream: RawFd) -> bool {
    // SAFETY: the number is used for one system call, which reports a descriptor that is not open.
    let stream = unsafe { BorrowedFd::borrow_raw(stream) };
    rustix::io::fcntl_getfd(stream).is_err()
}
