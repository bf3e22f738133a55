//! What no safe library has: descriptors that this process was started with, and a descriptor of the process at the
//! other end of a socket.

#![allow(unsafe_code, reason = "descriptors by number, and one socket option")]

use std::os::fd::{AsFd, FromRawFd as _, OwnedFd, RawFd};

/// Takes ownership of a descriptor that the service manager has opened for this process.
///
/// Nothing else in this process may use the descriptor. It is called once, for the descriptors of `LISTEN_FDS`.
pub(super) fn adopt(descriptor: RawFd) -> Option<OwnedFd> {
    // SAFETY: the number is used for a system call, which reports a descriptor that is not open.
    let is_open = unsafe { libc::fcntl(descriptor, libc::F_GETFD) } >= 0;
    // SAFETY: it is open, and was made for this process, which adopts it once.
    is_open.then(|| unsafe { OwnedFd::from_raw_fd(descriptor) })
}

/// A descriptor of the process that has connected to a socket: unlike its number it never stands for another process.
/// `None` where the system has none, Linux before 6.5 for example.
#[cfg(target_os = "linux")]
pub(super) fn peer_process(socket: impl AsFd) -> Option<OwnedFd> {
    use std::os::fd::AsRawFd as _;
    // <https://man7.org/linux/man-pages/man7/unix.7.html>
    const SO_PEERPIDFD: libc::c_int = 77;
    let mut descriptor: RawFd = -1;
    let mut length = libc::socklen_t::try_from(size_of::<RawFd>()).ok()?;
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
    // SAFETY: the system has opened the descriptor for this call.
    (done == 0 && descriptor >= 0).then(|| unsafe { OwnedFd::from_raw_fd(descriptor) })
}
