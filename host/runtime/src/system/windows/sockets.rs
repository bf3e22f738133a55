//! Sockets.

use std::io;
use std::mem::MaybeUninit;
use std::path::Path;

use socket2::{SockAddr, Socket};
use windows_sys::Win32::Networking::WinSock::{AI_CANONNAME, MSG_PEEK};

/// Sends as usual: there is no signal.
pub(crate) const SEND: i32 = 0;

/// Asks for the name that a name is an alias of.
pub(crate) const CANONICAL_NAME: i32 = AI_CANONNAME.cast_signed();

/// Looks at the next byte without taking it and without waiting.
pub(crate) fn peek(socket: &Socket, byte: &mut [MaybeUninit<u8>]) -> io::Result<usize> {
    socket.set_nonblocking(true)?;
    let peeked = socket.recv_with_flags(byte, MSG_PEEK);
    socket.set_nonblocking(false)?;
    peeked
}

/// Whether a connection that does not wait has been begun.
pub(crate) fn is_begun(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::WouldBlock
}

/// Fails: there are none that say whose they are.
pub(crate) fn of_file(_: &Path) -> io::Result<(Socket, SockAddr)> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Fails, as [`of_file`] does.
pub(crate) fn peer(_: &Socket) -> io::Result<u32> {
    Err(io::ErrorKind::Unsupported.into())
}
