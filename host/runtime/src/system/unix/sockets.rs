//! Sockets.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::AsRawFd as _;
use std::path::Path;

use socket2::{Domain, SockAddr, Socket, Type};

/// Sends without the signal that a peer which is gone would otherwise raise, and which ends a program that is not in
/// Rust. On macOS the socket itself says so.
pub(crate) const SEND: i32 = if cfg!(target_vendor = "apple") { 0 } else { NO_SIGNAL };
#[cfg(not(target_vendor = "apple"))]
const NO_SIGNAL: i32 = libc::MSG_NOSIGNAL;
#[cfg(target_vendor = "apple")]
const NO_SIGNAL: i32 = 0;

/// Asks for the name that a name is an alias of.
pub(crate) const CANONICAL_NAME: i32 = libc::AI_CANONNAME;

/// Looks at the next byte without taking it and without waiting.
pub(crate) fn peek(socket: &Socket, byte: &mut [MaybeUninit<u8>]) -> io::Result<usize> {
    socket.recv_with_flags(byte, libc::MSG_PEEK | libc::MSG_DONTWAIT)
}

/// Whether a connection that does not wait has been begun.
pub(crate) fn is_begun(error: &io::Error) -> bool {
    error.raw_os_error() == Some(libc::EINPROGRESS)
}

/// A unix socket, and the address of its file.
pub(crate) fn of_file(path: &Path) -> io::Result<(Socket, SockAddr)> {
    Ok((Socket::new(Domain::UNIX, Type::STREAM, None)?, SockAddr::unix(path)?))
}

/// The user who listens at the other end of a unix socket.
#[cfg(target_os = "linux")]
pub(crate) fn peer(socket: &Socket) -> io::Result<u32> {
    let mut peer = libc::ucred { pid: 0, uid: 0, gid: 0 };
    let mut length = libc::socklen_t::try_from(size_of::<libc::ucred>()).unwrap_or_default();
    // SAFETY: the descriptor is open, and the two pointers are to as many bytes as `length` says.
    #[allow(
        unsafe_code,
        reason = "libraries with this call have no process 0, as a container sees its host's"
    )]
    let status = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_PEERCRED,
            (&raw mut peer).cast(),
            &raw mut length,
        )
    };
    if status == 0 { Ok(peer.uid) } else { Err(io::Error::last_os_error()) }
}

/// The user who listens at the other end of a unix socket.
#[cfg(not(target_os = "linux"))]
pub(crate) fn peer(socket: &Socket) -> io::Result<u32> {
    let (mut user, mut group) = (0, 0);
    // SAFETY: the descriptor is open, and the two pointers are to numbers.
    #[allow(unsafe_code, reason = "the standard library does not tell it")]
    let status = unsafe { libc::getpeereid(socket.as_raw_fd(), &raw mut user, &raw mut group) };
    if status == 0 { Ok(user) } else { Err(io::Error::last_os_error()) }
}
