//! Parking of threads, and work on a thread of its own.

use std::time::Instant;

use parking::Parker;

use crate::error::Error;
use crate::exhausted;

use super::{Call, Slot};

pub(crate) use parking::Unparker;

thread_local! {
    /// Not that of the standard library, whose wake-ups belong to the embedder's code.
    static PARKER: Parker = Parker::new();
}

/// What wakes this thread out of [`park_until`].
pub(crate) fn unparker() -> Unparker {
    PARKER.with(Parker::unparker)
}

/// Parks this thread until it is woken, at the latest until `until`. It may wake earlier.
pub(crate) fn park_until(until: Instant) {
    PARKER.with(|parker| parker.park_deadline(until));
}

/// Runs work that nothing can interrupt, such as reading from a network file system, on a thread of
/// its own. When the call ends earlier, the work goes on and its result is dropped.
pub(crate) fn on_thread<T: Send + 'static>(
    call: &Call,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Error> {
    let slot = Slot::default();
    let for_thread = slot.clone();
    std::thread::Builder::new()
        .name("vaultlet-wait".into())
        .spawn(move || {
            // Sets the slot even if the work panics.
            let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
            for_thread.set(done.ok());
        })
        .map_err(|e| exhausted::thread(&e))?;
    match slot.take(call, call.deadline())? {
        Some(Some(result)) => Ok(result),
        Some(None) => Err(Error::internal("working on a thread: it panicked")),
        None => Err(call.timed_out()),
    }
}
