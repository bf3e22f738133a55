//! What no safe library has: descriptors that this process was started with, and a descriptor of the process at the
//! other end of a socket.

#![allow(unsafe_code, reason = "descriptors by number, and one socket option")]

#[cfg(target_os = "linux")]
use std::io;
#[cfg(target_os = "linux")]
use std::os::fd::AsFd;
use std::os::fd::{FromRawFd as _, OwnedFd, RawFd};

#[cfg(target_os = "linux")]
use rustix::io::Errno;

/// Takes ownership of a descriptor that the service manager has opened for this process.
///
/// Nothing else in this process may use the descriptor. It is called once, for the descriptors of `LISTEN_FDS`.
pub(super) fn adopt(descriptor: RawFd) -> Option<OwnedFd> {
    // SAFETY: the number is used for a system call, which reports a descriptor that is not open.
    let is_open = unsafe { libc::fcntl(descriptor, libc::F_GETFD) } >= 0;
    // SAFETY: it is open, and was made for this process, which adopts it once.
    is_open.then(|| unsafe { OwnedFd::from_raw_fd(descriptor) })
}

/// The process that has connected to a socket.
#[cfg(target_os = "linux")]
pub(super) enum PeerProcess {
    /// A descriptor: unlike the process's number it never stands for another process.
    Open(OwnedFd),
    /// There is no such process any more.
    Ended,
    /// This system, Linux before 6.5, has no such descriptors.
    Unsupported,
}

/// Finds the process that has connected to a socket.
#[cfg(target_os = "linux")]
pub(super) fn peer_process(socket: impl AsFd) -> PeerProcess {
    use std::os::fd::AsRawFd as _;
    // <https://man7.org/linux/man-pages/man7/unix.7.html>
    const SO_PEERPIDFD: libc::c_int = 77;
    let mut descriptor: RawFd = -1;
    let mut length = libc::socklen_t::try_from(size_of::<RawFd>()).unwrap_or_default();
    // SAFETY: the descriptor and its length are valid for the whole call.
    let done = unsafe {
        libc::getsockopt(
            socket.as_fd().as_raw_fd(),
            libc::SOL_SOCKET,
            SO_PEERPIDFD,
            (&raw mut descriptor).cast(),
            &raw mut length,
        )
    };
    if done == 0 && descriptor >= 0 {
        // SAFETY: the system has opened the descriptor for this call.
        return PeerProcess::Open(unsafe { OwnedFd::from_raw_fd(descriptor) });
    }
    match Errno::from_io_error(&io::Error::last_os_error()) {
        Some(Errno::NOPROTOOPT) => PeerProcess::Unsupported,
        _ => PeerProcess::Ended,
    }
}
