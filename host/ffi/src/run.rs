//! The boundary to C: panics become errors, results go to `out`, and waiting in a callback is refused.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;

use vaultlet_host::{Error, Kind};

use crate::error::{give, vaultlet_error};
use crate::text::usage;

thread_local! {
    /// Whether this thread is running one of the caller's callbacks.
    static IN_CALLBACK: Cell<bool> = const { Cell::new(false) };
}

/// Runs a function and returns NULL, or its error; a panic becomes an error, too.
pub(crate) fn guarded(work: impl FnOnce() -> Result<(), Error>) -> *mut vaultlet_error {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(())) => ptr::null_mut(),
        Ok(Err(error)) => give(&error),
        Err(_) => give(&panicked()),
    }
}

/// Runs a function and writes its result to `out`, which is NULL until then.
///
/// # Safety
/// `out` is NULL or may be written.
pub(crate) unsafe fn deliver<T>(
    out: *mut *mut T,
    work: impl FnOnce() -> Result<*mut T, Error>,
) -> *mut vaultlet_error {
    guarded(|| {
        if out.is_null() {
            return Err(usage(
                "calling vaultlet: there is no place for the answer".into(),
                "give the address of a pointer",
            ));
        }
        // SAFETY: by the contract of this function.
        unsafe { *out = ptr::null_mut() };
        let answer = work()?;
        // SAFETY: by the contract of this function.
        unsafe { *out = answer };
        Ok(())
    })
}

/// Makes a call that blocks this thread. In a callback this is an error: the thread is one of the
/// handle's, of which there are only so many, and the call may be waiting for another one of them.
pub(crate) fn blocking<T>(call: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    if IN_CALLBACK.get() {
        return Err(Error::new(
            Kind::Usage,
            "blocking-call",
            "calling vaultlet: a function that waits was called in a callback",
            "call one that ends with `_then`, or leave the callback first",
        ));
    }
    call()
}

/// Runs a callback of the caller's, in which [`blocking`] is an error.
pub(crate) fn in_callback(callback: impl FnOnce()) {
    let before = IN_CALLBACK.replace(true);
    callback();
    IN_CALLBACK.set(before);
}

pub(crate) fn panicked() -> Error {
    internal("it panicked")
}

pub(crate) fn internal(what: &str) -> Error {
    let message = format!("calling vaultlet: {what}");
    Error::new(Kind::Internal, "internal", message, "report this with the message")
}
