//! A server on this machine that the host itself asks: over a unix socket or a loopback port, in plain HTTP,
//! without proxy and name lookup.

use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::call::Call;
use crate::system::sockets;

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
    pub(crate) fn peer(&self) -> std::io::Result<u32> {
        sockets::peer(self.0.socket())
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
