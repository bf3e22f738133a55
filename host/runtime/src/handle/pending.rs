//! A call that runs on a thread of the handle, as a future.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::call::{Call, Slot};
use crate::error::Error;

/// A running call, which is cancelled when this is dropped.
pub(crate) struct Pending<T> {
    pub(crate) slot: Slot<Result<T, Error>>,
    pub(crate) call: Arc<Call>,
}

impl<T> Pending<T> {
    /// Waits for the result on this thread, for a caller with this call.
    pub(crate) fn wait(self, call: &Call) -> Result<T, Error> {
        match self.slot.take(call, call.deadline())? {
            Some(result) => result,
            None => Err(call.timed_out()),
        }
    }
}

impl<T> Future for Pending<T> {
    type Output = Result<T, Error>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.slot.poll_take(context)
    }
}

impl<T> Drop for Pending<T> {
    fn drop(&mut self) {
        self.call.interrupt().cancel();
    }
}
