//! A server on this machine that the host itself asks: over a unix socket or a loopback port, in plain HTTP,
//! without proxy and name lookup.

use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::call::Call;

use super::connection::{Connection, Times, Watch};
use super::failure::Failure;
use super::message::{Request, Response};
use super::stream::{Deadline, Late, Stream};

/// Where such a server listens.
#[derive(Clone, Copy)]
pub(crate) enum LocalAddress<'a> {
    Socket(&'a Path),
    Port(SocketAddr),
}

/// A connection to such a server.
pub(crate) struct Local(Connection);

impl Local {
    pub(crate) fn connect(
        address: LocalAddress<'_>,
        within: Duration,
        call: &Call,
    ) -> Result<Self, Failure> {
        let deadline = Deadline::new(call, Instant::now() + within, Late::Connecting);
        let stream = match address {
            LocalAddress::Socket(path) => Stream::connect_unix(path, deadline)?,
            LocalAddress::Port(address) => Stream::connect(&[address], deadline)?,
        };
        Ok(Self(Connection::new(stream)))
    }

    /// The user who listens at the other end of a unix socket.
    #[cfg(target_os = "linux")]
    pub(crate) fn peer(&self) -> std::io::Result<u32> {
        use std::mem::size_of;
        use std::os::fd::AsRawFd as _;

        let mut peer = libc::ucred { pid: 0, uid: 0, gid: 0 };
        let mut length = libc::socklen_t::try_from(size_of::<libc::ucred>()).unwrap_or_default();
        // SAFETY: the descriptor is open, and the two pointers are to as many bytes as `length` says.
        #[allow(
            unsafe_code,
            reason = "libraries with this call have no process 0, as a container sees its host's"
        )]
        let status = unsafe {
            libc::getsockopt(
                self.0.socket().as_raw_fd(),
                libc::SOL_SOCKET,
                libc::SO_PEERCRED,
                (&raw mut peer).cast(),
                &raw mut length,
            )
        };
        if status == 0 { Ok(peer.uid) } else { Err(std::io::Error::last_os_error()) }
    }

    /// Whether another request may be sent now.
    pub(crate) fn is_usable(&mut self) -> bool {
        self.0.is_usable()
    }

    /// Whether the connection is to be kept after an exchange.
    pub(crate) fn keeps_open(&self) -> bool {
        self.0.keeps_open()
    }

    /// Whether any of the last response has come.
    pub(crate) fn has_begun(&self) -> bool {
        self.0.has_begun()
    }

    /// Sends a request and reads the whole response, whose rest must come soon after its first byte. Until then `watch`
    /// looks after the server.
    pub(crate) fn exchange(
        &mut self,
        request: &Request,
        rest: Duration,
        watch: Option<&Watch<'_>>,
        call: &Call,
    ) -> Result<Response, Failure> {
        self.0.exchange(request, &Times::of_host(call, request, rest, watch))
    }
}
