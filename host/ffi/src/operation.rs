//! An operation in its two forms: `vaultlet_x`, which waits, and `vaultlet_x_then`, which calls back.
//!
//! The first runs on its caller's thread, the second on a thread of the handle. The `extern "C"`
//! signatures are written out, not made by a macro: cbindgen makes the header from the source text and
//! does not expand macros.

use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;

use vaultlet_host::Error;

use crate::error::{give as give_error, vaultlet_error};
use crate::run::{blocking, deliver, in_callback, internal, panicked};

/// A C type that brings a result to the caller, who frees it.
pub(crate) trait Answer<T>: Sized {
    /// Makes the C value of a result.
    fn give(result: &T) -> *mut Self;
}

/// A callback, which gets an error or an answer; the other is NULL.
type Callback<A> = Option<Function<A>>;
type Function<A> =
    unsafe extern "C" fn(context: *mut c_void, error: *mut vaultlet_error, answer: *mut A);

/// Runs an operation on this thread and writes the answer to `out`.
///
/// # Safety
/// `out` is NULL or may be written.
pub(crate) unsafe fn wait<T, A: Answer<T>>(
    out: *mut *mut A,
    operation: impl FnOnce() -> Result<T, Error>,
) -> *mut vaultlet_error {
    // SAFETY: by the contract of this function.
    unsafe { deliver(out, || Ok(A::give(&blocking(operation)?))) }
}

/// Prepares and starts an operation, and calls back exactly once: on a thread of the handle, or, when the
/// operation cannot be started, before this function returns. Without a callback the result is dropped.
///
/// # Safety
/// `callback` may be called on another thread with `context`.
pub(crate) unsafe fn then<P, A>(
    callback: Callback<A>,
    context: *mut c_void,
    prepare: impl FnOnce() -> Result<P, Error>,
    start: impl FnOnce(P, Told<A>),
) {
    let mut told = Told { callback, context };
    match catch_unwind(AssertUnwindSafe(prepare)).unwrap_or_else(|_| Err(panicked())) {
        // A panic drops what is told of the end, and that calls back.
        Ok(prepared) => drop(catch_unwind(AssertUnwindSafe(|| start(prepared, told)))),
        Err(error) => told.fail(&error),
    }
}

/// Who is told of the end of an operation: exactly once, at the latest when this is dropped.
pub(crate) struct Told<A> {
    callback: Callback<A>,
    context: *mut c_void,
}

// SAFETY: `context` is not dereferenced here, and by the contract of `then` it may go to another thread.
unsafe impl<A> Send for Told<A> {}

impl<A> Told<A> {
    /// A function that tells the result.
    pub(crate) fn result<T>(mut self) -> impl FnOnce(Result<T, Error>) + Send
    where
        A: Answer<T>,
    {
        move |result| match result {
            Ok(_) if self.callback.is_none() => {}
            Ok(result) => self.tell(ptr::null_mut(), A::give(&result)),
            Err(error) => self.fail(&error),
        }
    }

    fn fail(&mut self, error: &Error) {
        if self.callback.is_some() {
            self.tell(give_error(error), ptr::null_mut());
        }
    }

    fn tell(&mut self, error: *mut vaultlet_error, answer: *mut A) {
        if let Some(callback) = self.callback.take() {
            // SAFETY: both are the caller's, who promised that they can be called here.
            in_callback(|| unsafe { callback(self.context, error, answer) });
        }
    }
}

impl<A> Drop for Told<A> {
    fn drop(&mut self) {
        self.fail(&internal("the call was dropped before its end"));
    }
}
