//! A limit of how many run at once. Those that wait are served in the order of their arrival.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::call::{Call, Slot};
use crate::error::Error;

pub(super) struct Permits(Mutex<Queue>);

struct Queue {
    free: usize,
    waiting: VecDeque<Arc<Slot<()>>>,
}

/// One permit, given back when it is dropped.
pub(super) struct Permit(Arc<Permits>);

impl Permits {
    pub(super) fn new(count: usize) -> Arc<Self> {
        Arc::new(Self(Mutex::new(Queue { free: count, waiting: VecDeque::new() })))
    }

    /// Takes a permit; waits while there is none.
    pub(super) fn acquire(self: &Arc<Self>, call: &Call) -> Result<Permit, Error> {
        let waiter = {
            let mut queue = self.lock();
            if queue.free > 0 {
                queue.free -= 1;
                return Ok(Permit(Arc::clone(self)));
            }
            let waiter = Arc::new(Slot::default());
            queue.waiting.push_back(Arc::clone(&waiter));
            waiter
        };
        let ended = match waiter.take(call, call.deadline()) {
            Ok(Some(())) => return Ok(Permit(Arc::clone(self))),
            Ok(None) => call.timed_out(),
            Err(error) => error,
        };
        let mut queue = self.lock();
        match queue.waiting.iter().position(|other| Arc::ptr_eq(other, &waiter)) {
            Some(at) => drop(queue.waiting.remove(at)),
            // The permit came too late.
            None => queue.release(),
        }
        Err(ended)
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queue {
    fn release(&mut self) {
        match self.waiting.pop_front() {
            Some(waiter) => waiter.set(()),
            None => self.free += 1,
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.0.lock().release();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn call(limit: Duration) -> Call {
        Call::new("waiting", limit, None)
    }

    #[test]
    fn a_permit_that_comes_too_late_goes_to_the_next() {
        let (permits, long) = (Permits::new(1), call(Duration::from_secs(60)));
        let held = permits.acquire(&long).unwrap();
        let short = permits.acquire(&call(Duration::from_millis(1)));
        assert_eq!(short.err().map(|e| e.id), Some("timeout".into()));
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| permits.acquire(&call(Duration::from_secs(60))).map(drop));
            while permits.lock().waiting.is_empty() {
                std::thread::yield_now();
            }
            drop(held);
            assert_eq!(waiting.join().unwrap(), Ok(()));
        });
        assert_eq!(permits.lock().free, 1);
    }
}
