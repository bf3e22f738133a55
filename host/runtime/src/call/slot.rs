//! A result that one thread makes and others wait for.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use crate::error::Error;

use super::{Call, Unparker, unparker};

/// A result that is set once. Clones share it.
pub(crate) struct Slot<T>(Arc<Mutex<State<T>>>);

struct State<T> {
    result: Option<T>,
    threads: Vec<Unparker>,
    future: Option<Waker>,
}

impl<T> Clone for Slot<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Default for Slot<T> {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(State { result: None, threads: Vec::new(), future: None })))
    }
}

impl<T> Slot<T> {
    /// Sets the result and wakes whoever waits for it. Only the first result counts.
    pub(crate) fn set(&self, result: T) {
        let future = {
            let mut state = self.lock();
            if state.result.is_none() {
                state.result = Some(result);
            }
            for unparker in state.threads.drain(..) {
                unparker.unpark();
            }
            state.future.take()
        };
        if let Some(waker) = future {
            waker.wake();
        }
    }

    /// Takes the result, or has the future polled again when it is there.
    pub(crate) fn poll_take(&self, context: &mut Context<'_>) -> Poll<T> {
        let mut state = self.lock();
        match state.result.take() {
            Some(result) => Poll::Ready(result),
            None => {
                state.future = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }

    pub(crate) fn is_set(&self) -> bool {
        self.lock().result.is_some()
    }

    /// Waits for the result and takes it. `None` when `until` has passed.
    pub(crate) fn take(&self, call: &Call, until: Instant) -> Result<Option<T>, Error> {
        self.wait(call, until, Option::take)
    }

    fn wait<R>(
        &self,
        call: &Call,
        until: Instant,
        mut get: impl FnMut(&mut Option<T>) -> Option<R>,
    ) -> Result<Option<R>, Error> {
        let mut registered = false;
        call.wait(until, || {
            let mut state = self.lock();
            let got = get(&mut state.result);
            if got.is_none() && !registered {
                registered = true;
                state.threads.push(unparker());
            }
            got
        })
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Clone> Slot<T> {
    /// Waits for the result, which others may wait for, too. `None` when `until` has passed.
    pub(crate) fn get(&self, call: &Call, until: Instant) -> Result<Option<T>, Error> {
        self.wait(call, until, |result| result.clone())
    }
}
