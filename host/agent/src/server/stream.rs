//! The stream of one connection: limits the header section to its exact length, which hyper's own limit does not,
//! says when a response was sent, ends when nobody takes the response, and gives the responses that hyper makes by
//! itself, to a malformed or too large header section, a body.

use std::future::Future as _;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};
use vaultlet_host::poll_head;

use super::limits;
use super::places::Place;
use super::refusal;

/// What the stream and the requests of a connection share.
pub(super) struct Connection {
    pub(super) place: Place,
    /// Bytes of a header section that have come.
    head: AtomicUsize,
    stage: AtomicU8,
}

/// A header section is read.
const HEAD: u8 = 0;
/// A request is served.
const SERVING: u8 = 1;
/// The response is written.
const RESPONDING: u8 = 2;
/// The response was written and is to be flushed.
const LAST: u8 = 3;

impl Connection {
    pub(super) fn new(place: Place) -> Arc<Self> {
        Arc::new(Self { place, head: AtomicUsize::new(0), stage: AtomicU8::new(HEAD) })
    }

    /// The header section of a request is complete.
    pub(super) fn begin(&self) {
        self.stage.store(SERVING, Ordering::Relaxed);
        self.place.begin();
    }

    /// The response to it is about to be sent, until what is returned is dropped.
    pub(super) fn respond(self: &Arc<Self>) -> Responding {
        self.head.store(0, Ordering::Relaxed);
        self.stage.store(RESPONDING, Ordering::Relaxed);
        Responding(Arc::clone(self))
    }

    /// Whether no request has come as a whole that was not answered.
    pub(super) fn is_waiting(&self) -> bool {
        self.is_at(HEAD)
    }

    fn is_at(&self, stage: u8) -> bool {
        self.stage.load(Ordering::Relaxed) == stage
    }
}

/// A response that was not handed over as a whole.
pub(super) struct Responding(Arc<Connection>);

impl Drop for Responding {
    fn drop(&mut self) {
        self.0.stage.store(LAST, Ordering::Relaxed);
    }
}

/// A connection of either kind.
pub(super) type Socket = Box<dyn Duplex>;

/// What can be read and written.
pub(super) trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Duplex for S {}

pub(super) struct Stream {
    inner: Socket,
    connection: Arc<Connection>,
    /// The end of the time in which some of the response must be taken.
    stalled: Option<Pin<Box<Sleep>>>,
    /// Whether what came with the connection was read.
    was_read: bool,
    /// A response in place of hyper's own, and how much of it was written.
    refusal: Option<(Vec<u8>, usize)>,
}

impl Stream {
    pub(super) fn new(inner: Socket, connection: Arc<Connection>) -> Self {
        Self { inner, connection, stalled: None, was_read: false, refusal: None }
    }

    /// Writes, and fails when nothing could be written for too long.
    fn poll_written(
        &mut self,
        context: &mut Context<'_>,
        write: impl FnOnce(Pin<&mut Socket>, &mut Context<'_>) -> Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        let polled = write(Pin::new(&mut self.inner), context);
        if polled.is_ready() {
            self.stalled = None;
            return polled;
        }
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(sleep(limits::WRITE)));
        match stalled.as_mut().poll(context) {
            Poll::Ready(()) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            Poll::Pending => Poll::Pending,
        }
    }

    /// Writes our response in place of the one that begins with these bytes.
    fn poll_refusal(&mut self, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<()>> {
        let (refusal, mut at) =
            self.refusal.take().unwrap_or_else(|| (refusal::in_place_of(bytes), 0));
        while let Some(rest) = refusal.get(at..).filter(|rest| !rest.is_empty()) {
            match self.poll_written(context, |inner, context| inner.poll_write(context, rest)) {
                Poll::Ready(Ok(written)) => at += written,
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => {
                    self.refusal = Some((refusal, at));
                    return Poll::Pending;
                }
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.connection.is_at(SERVING) {
            return Pin::new(&mut this.inner).poll_read(context, buffer);
        }
        let come = &this.connection.head;
        let polled = poll_head(&mut this.inner, context, buffer, come, limits::HEAD_MAX);
        if polled.is_pending() && !this.was_read {
            this.was_read = true;
            this.connection.place.wait();
        }
        polled
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if this.connection.is_at(HEAD) {
            ready!(this.poll_refusal(context, bytes))?;
            return Poll::Ready(Ok(bytes.len()));
        }
        this.poll_written(context, |inner, context| inner.poll_write(context, bytes))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if this.connection.is_at(HEAD) {
            let first = bytes.iter().find(|it| !it.is_empty()).map_or(&[][..], |it| it);
            ready!(this.poll_refusal(context, first))?;
            return Poll::Ready(Ok(bytes.iter().map(|it| it.len()).sum()));
        }
        this.poll_written(context, |inner, context| inner.poll_write_vectored(context, bytes))
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.inner).poll_flush(context);
        if polled.is_ready() && this.connection.is_at(LAST) {
            this.connection.stage.store(HEAD, Ordering::Relaxed);
            this.connection.place.end();
        }
        polled
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_shutdown(context)
    }
}
