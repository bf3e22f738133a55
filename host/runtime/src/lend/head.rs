//! The limit of a header section: to its exact length, which hyper's own limit is not.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, ReadBuf};

/// Reads some of a header section of `most` bytes at most, of which `come` have come, and counts what comes. This is for
/// the servers of this project, and no part of this crate's stable interface.
pub fn poll_head<S: AsyncRead + Unpin>(
    stream: &mut S,
    context: &mut Context<'_>,
    buffer: &mut ReadBuf<'_>,
    come: &AtomicUsize,
    most: usize,
) -> Poll<io::Result<()>> {
    // hyper refuses a longer one before it reads again.
    let left = most.saturating_sub(come.load(Ordering::Relaxed)).max(1);
    let length = left.min(buffer.remaining());
    let mut part = ReadBuf::new(buffer.initialize_unfilled_to(length));
    let polled = Pin::new(stream).poll_read(context, &mut part);
    let read = part.filled().len();
    buffer.advance(read);
    come.fetch_add(read, Ordering::Relaxed);
    polled
}
