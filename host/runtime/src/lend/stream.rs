//! The stream of one connection to a lent endpoint: limits the header section to its exact length,
//! which hyper's own limit does not, and says when a response was sent.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use crate::limits;

use super::head::poll_head;
use super::places::Place;

/// What the stream and the requests of a connection share.
pub(super) struct Connection {
    pub(super) place: Place,
    /// Bytes of a header section that have come; [`BODY`] while a request is served.
    head: AtomicUsize,
    /// Whether there is a response that was not sent yet.
    responding: AtomicBool,
}

const BODY: usize = usize::MAX;

impl Connection {
    pub(super) fn new(place: Place) -> Arc<Self> {
        Arc::new(Self { place, head: AtomicUsize::new(0), responding: AtomicBool::new(false) })
    }

    /// The header section of a request is complete.
    pub(super) fn begin(&self) {
        self.head.store(BODY, Ordering::Relaxed);
    }

    /// The response to it is about to be sent.
    pub(super) fn end(&self) {
        self.head.store(0, Ordering::Relaxed);
        self.responding.store(true, Ordering::Relaxed);
    }
}

pub(super) struct Stream {
    pub(super) tcp: TcpStream,
    pub(super) connection: Arc<Connection>,
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.connection.head.load(Ordering::Relaxed) == BODY {
            return Pin::new(&mut this.tcp).poll_read(context, buffer);
        }
        let come = &this.connection.head;
        poll_head(&mut this.tcp, context, buffer, come, limits::LENT_HEADERS_MAX)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().tcp).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().tcp).poll_write_vectored(context, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.tcp.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.tcp).poll_flush(context);
        if polled.is_ready() && this.connection.responding.swap(false, Ordering::Relaxed) {
            this.connection.place.end();
        }
        polled
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().tcp).poll_shutdown(context)
    }
}
