//! A TCP connection with or without TLS. Every wait on it has a deadline and can be cancelled.

use std::io::{self, IoSlice, Read as _, Write};
use std::mem::MaybeUninit;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustls::ClientConnection;
use socket2::{Domain, Protocol, Socket, Type};

use crate::call::{Call, Waiting};
use crate::limits;
use crate::system::sockets;

use super::failure::Failure;
use super::message::reserve;

pub(super) struct Stream {
    socket: Arc<Socket>,
    tls: Option<Box<ClientConnection>>,
    /// The time after which the system gives up a read or a write, so that deadlines are checked;
    /// zero while none is set.
    armed: Duration,
}

/// How long something may take.
#[derive(Clone, Copy)]
pub(super) struct Deadline<'a> {
    pub(super) call: &'a Call,
    pub(super) until: Instant,
    /// What is said when the time has run out and the call has some left.
    pub(super) late: Late,
}

#[derive(Clone, Copy)]
pub(super) enum Late {
    Connecting,
    Responding,
}

impl<'a> Deadline<'a> {
    pub(super) fn new(call: &'a Call, until: Instant, late: Late) -> Self {
        Self { call, until, late }
    }

    /// An error if the call has ended, or if the time has run out.
    pub(super) fn check(&self) -> Result<(), Failure> {
        self.call.check()?;
        if Instant::now() < self.until {
            return Ok(());
        }
        Err(self.passed())
    }

    pub(super) fn passed(&self) -> Failure {
        match self.late {
            Late::Connecting => Failure::ConnectTimeout,
            Late::Responding => Failure::ResponseTimeout,
        }
    }
}

/// A connection that is being made while its caller does something else.
pub(super) struct Connecting(Arc<Socket>);

impl Connecting {
    pub(super) fn begin(address: SocketAddr) -> io::Result<Self> {
        begin_connecting(address).map(Self)
    }

    /// Whether [`Connecting::finish`] would not wait.
    pub(super) fn is_ready(&self) -> bool {
        let mut polled = [PollFd::new(&*self.0, PollFlags::OUT)];
        let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
        poll(&mut polled, Some(&at_once)).is_ok_and(|ready| ready > 0)
    }

    /// Waits until the connection is made.
    pub(super) fn finish(self, deadline: Deadline<'_>) -> Result<Stream, Failure> {
        let socket = self.0;
        let failed = |error: io::Error| Failure::from_connect(&error);
        let _waiting = deadline.call.interrupt().wait(|| Waiting::Socket(Arc::clone(&socket)));
        loop {
            deadline.check()?;
            let slice = deadline.call.slice(deadline.until).max(Duration::from_millis(1));
            let time = Timespec::try_from(slice).ok();
            let mut polled = [PollFd::new(&*socket, PollFlags::OUT)];
            match poll(&mut polled, time.as_ref()) {
                Ok(0) | Err(Errno::INTR) => {}
                Ok(_) => break,
                Err(error) => return Err(failed(error.into())),
            }
        }
        if let Some(error) = socket.take_error().map_err(failed)? {
            deadline.call.check()?;
            return Err(failed(error));
        }
        socket.set_nonblocking(false).map_err(failed)?;
        // A request is one small write; waiting to fill a segment would only delay it.
        let _ = socket.set_tcp_nodelay(true);
        Ok(Stream { socket, tls: None, armed: Duration::ZERO })
    }
}

impl Stream {
    /// Connects to the first of the addresses that accepts.
    pub(super) fn connect(
        addresses: &[SocketAddr],
        deadline: Deadline<'_>,
    ) -> Result<Self, Failure> {
        let mut last = Failure::Name("the name has no address".into());
        for address in addresses {
            let begun = Connecting::begin(*address).map_err(|e| Failure::from_connect(&e));
            match begun.and_then(|connecting| connecting.finish(deadline)) {
                Ok(stream) => return Ok(stream),
                Err(failure) => {
                    deadline.check()?;
                    last = failure;
                }
            }
        }
        Err(last)
    }

    /// Connects to a unix socket.
    pub(super) fn connect_unix(path: &Path, deadline: Deadline<'_>) -> Result<Self, Failure> {
        let failed = |error: io::Error| Failure::from_connect(&error);
        let (socket, address) = sockets::of_file(path).map_err(failed)?;
        socket.set_nonblocking(true).map_err(failed)?;
        loop {
            deadline.check()?;
            match socket.connect(&address) {
                Ok(()) => break,
                // As many connections wait to be accepted as may. There is nothing to wait on.
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    let left = deadline.until.saturating_duration_since(Instant::now());
                    deadline.call.sleep(left.min(limits::UNIX_PAUSE))?;
                }
                Err(error) => return Err(failed(error)),
            }
        }
        socket.set_nonblocking(false).map_err(failed)?;
        Ok(Self { socket: Arc::new(socket), tls: None, armed: Duration::ZERO })
    }

    pub(super) fn socket(&self) -> &Socket {
        &self.socket
    }

    /// Sends the client's part of a handshake.
    pub(super) fn begin_tls(
        &mut self,
        tls: ClientConnection,
        deadline: Deadline<'_>,
    ) -> Result<(), Failure> {
        self.tls = Some(Box::new(tls));
        self.flush(deadline)
    }

    /// Waits for the rest of a handshake.
    pub(super) fn finish_tls(&mut self, deadline: Deadline<'_>) -> Result<(), Failure> {
        self.shake_hands(deadline).map_err(|failure| match failure {
            Failure::Network(what) => {
                Failure::Tls(format!("the TLS handshake ended early: {what}"))
            }
            other => other,
        })
    }

    /// The certificates that the server has shown, in DER, its own first.
    pub(super) fn certificates(&self) -> Vec<Vec<u8>> {
        let shown = self.tls.as_ref().and_then(|tls| tls.peer_certificates());
        shown.into_iter().flatten().map(|der| der.to_vec()).collect()
    }

    fn shake_hands(&mut self, deadline: Deadline<'_>) -> Result<(), Failure> {
        self.flush(deadline)?;
        while self.tls.as_ref().is_some_and(|tls| tls.is_handshaking()) {
            if self.receive_tls(deadline)? == 0 {
                return Err(Failure::Network("unexpected end of file".into()));
            }
            self.flush(deadline)?;
        }
        Ok(())
    }

    /// Sends bytes.
    pub(super) fn send(&mut self, bytes: &[u8], deadline: Deadline<'_>) -> Result<(), Failure> {
        if let Some(tls) = &mut self.tls {
            tls.writer().write_all(bytes).map_err(|e| Failure::from_io(&e))?;
            return self.flush(deadline);
        }
        let mut rest = bytes;
        while !rest.is_empty() {
            let sent = self.retry(deadline, |this| Sending(&this.socket).write(rest))?;
            rest = rest.get(sent..).unwrap_or_default();
        }
        Ok(())
    }

    /// Receives some bytes and appends them; none when the peer has closed the connection.
    pub(super) fn receive(
        &mut self,
        into: &mut Vec<u8>,
        deadline: Deadline<'_>,
    ) -> Result<usize, Failure> {
        reserve(into, limits::READ);
        let start = into.len();
        into.resize(start + limits::READ, 0);
        let received = match into.get_mut(start..) {
            Some(space) => self.receive_into(space, deadline),
            None => Ok(0),
        };
        into.truncate(start + received.as_ref().copied().unwrap_or(0));
        received
    }

    fn receive_into(&mut self, space: &mut [u8], deadline: Deadline<'_>) -> Result<usize, Failure> {
        if self.tls.is_none() {
            return self.retry(deadline, |this| (&*this.socket).read(space));
        }
        loop {
            if let Some(tls) = &mut self.tls {
                match tls.reader().read(space) {
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                    other => return other.map_err(|e| Failure::from_io(&e)),
                }
            }
            self.receive_tls(deadline)?;
        }
    }

    /// Whether the peer has kept the connection open and sent nothing.
    pub(super) fn is_idle(&mut self) -> bool {
        let mut byte = [MaybeUninit::uninit()];
        loop {
            match (sockets::peek(&self.socket, &mut byte), &mut self.tls) {
                (Err(error), _) => return error.kind() == io::ErrorKind::WouldBlock,
                (Ok(0), _) | (Ok(_), None) => return false,
                // A session ticket, or the end of the session.
                (Ok(_), Some(tls)) => match tls.read_tls(&mut &*self.socket) {
                    Ok(1..) => match tls.process_new_packets() {
                        Ok(state)
                            if !state.peer_has_closed() && state.plaintext_bytes_to_read() == 0 => {
                        }
                        _ => return false,
                    },
                    _ => return false,
                },
            }
        }
    }

    fn receive_tls(&mut self, deadline: Deadline<'_>) -> Result<usize, Failure> {
        let received = self.retry(deadline, |this| match &mut this.tls {
            Some(tls) => tls.read_tls(&mut &*this.socket),
            None => Ok(0),
        })?;
        let processed = self.tls.as_mut().map(|tls| tls.process_new_packets());
        if let Some(Err(error)) = processed {
            // The alert that says why. The peer may be gone.
            let _ = self.flush(deadline);
            return Err(Failure::from_tls(&error));
        }
        Ok(received)
    }

    fn flush(&mut self, deadline: Deadline<'_>) -> Result<(), Failure> {
        while self.tls.as_ref().is_some_and(|tls| tls.wants_write()) {
            self.retry(deadline, |this| match &mut this.tls {
                Some(tls) => tls.write_tls(&mut Sending(&this.socket)),
                None => Ok(0),
            })?;
        }
        Ok(())
    }

    /// Repeats an operation that the system gave up, until the deadline.
    fn retry(
        &mut self,
        deadline: Deadline<'_>,
        mut operation: impl FnMut(&mut Self) -> io::Result<usize>,
    ) -> Result<usize, Failure> {
        let socket = Arc::clone(&self.socket);
        let _waiting = deadline.call.interrupt().wait(|| Waiting::Socket(socket));
        loop {
            if deadline.call.interrupt().is_cancelled() {
                deadline.call.check()?;
            }
            self.arm(deadline)?;
            match operation(self) {
                // A cancelled call has shut the connection down.
                Ok(0) => return deadline.call.check().map(|()| 0).map_err(Into::into),
                Ok(count) => return Ok(count),
                Err(error) if is_pause(&error) => deadline.check()?,
                Err(error) => {
                    deadline.call.check()?;
                    return Err(Failure::from_io(&error));
                }
            }
        }
    }

    /// Has the system give up in time. The hot path finds a time that is still short enough, and
    /// makes no system call.
    fn arm(&mut self, deadline: Deadline<'_>) -> Result<(), Failure> {
        let slice = deadline.call.slice(deadline.until);
        if slice.is_zero() {
            deadline.check()?;
        }
        if self.armed.is_zero() || self.armed > slice || self.armed * 8 < slice {
            let ms = u64::try_from(slice.as_millis()).unwrap_or(u64::MAX).max(1);
            // The power of two below it.
            self.armed = Duration::from_millis(1 << ms.ilog2());
            let set = self.socket.set_read_timeout(Some(self.armed));
            let set = set.and_then(|()| self.socket.set_write_timeout(Some(self.armed)));
            set.map_err(|e| Failure::from_io(&e))?;
        }
        Ok(())
    }
}

/// Sends without the signal that a peer which is gone would otherwise raise, and which ends a program
/// that is not in Rust.
struct Sending<'a>(&'a Socket);

impl Write for Sending<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.send_with_flags(bytes, sockets::SEND)
    }

    fn write_vectored(&mut self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        self.0.send_vectored_with_flags(parts, sockets::SEND)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn begin_connecting(address: SocketAddr) -> io::Result<Arc<Socket>> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_nonblocking(true)?;
    match socket.connect(&address.into()) {
        Err(error) if !sockets::is_begun(&error) => Err(error),
        _ => Ok(Arc::new(socket)),
    }
}

fn is_pause(error: &io::Error) -> bool {
    use io::ErrorKind::{Interrupted, TimedOut, WouldBlock};
    matches!(error.kind(), Interrupted | TimedOut | WouldBlock)
}
