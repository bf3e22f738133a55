//! An operation in its two forms: `vaultlet_x`, which waits, and `vaultlet_x_then`, which calls back.
//!
//! Each module has one function that prepares an operation; both forms are one line over it. The
//! `extern "C"` signatures are written out, not made by a macro: cbindgen makes the header from the
//! source text and does not expand macros.

use std::ffi::c_void;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;

use futures_lite::FutureExt as _;
use futures_lite::future::Boxed;
use vaultlet_host::{Error, Vaultlet};

use crate::call::{vaultlet_call, with_call};
use crate::error::{give as give_error, vaultlet_error};
use crate::handle::{handle_of, vaultlet_handle};
use crate::run::{blocking, deliver, in_callback, internal, panicked};

/// An operation that is ready to run.
pub(crate) struct Operation<T> {
    /// The handle, on one of whose threads a callback comes.
    vaultlet: Vaultlet,
    future: Boxed<Result<T, Error>>,
}

/// A C type that brings a result to the caller, who frees it.
pub(crate) trait Answer<T>: Sized {
    /// Makes the C value of a result.
    fn give(result: &T) -> *mut Self;
}

/// A callback, which gets an error or an answer; the other is NULL.
type Callback<A> = Option<Function<A>>;
type Function<A> =
    unsafe extern "C" fn(context: *mut c_void, error: *mut vaultlet_error, answer: *mut A);

impl<T: 'static> Operation<T> {
    /// Prepares an operation of a handle, with the options of one call.
    ///
    /// # Safety
    /// Both pointers are NULL or valid.
    pub(crate) unsafe fn new<F: Future<Output = Result<T, Error>> + Send + 'static>(
        handle: *const vaultlet_handle,
        call: *const vaultlet_call,
        operation: impl FnOnce(Vaultlet) -> F,
    ) -> Result<Self, Error> {
        // SAFETY: by the contract of this function.
        let vaultlet = unsafe { with_call(handle_of(handle)?, call)? };
        let future = operation(vaultlet.clone()).boxed();
        Ok(Self { vaultlet, future })
    }
}

/// Runs an operation, waits for it and writes the answer to `out`.
///
/// # Safety
/// `out` is NULL or may be written.
pub(crate) unsafe fn wait<T, A: Answer<T>>(
    out: *mut *mut A,
    prepare: impl FnOnce() -> Result<Operation<T>, Error>,
) -> *mut vaultlet_error {
    // SAFETY: by the contract of this function.
    unsafe { deliver(out, || Ok(A::give(&blocking(prepare()?.future)?))) }
}

/// Runs an operation on one of the handle's threads and calls back exactly once: on that thread, or,
/// when the operation cannot be started, before this function returns. Without a callback the result
/// is dropped.
///
/// # Safety
/// `callback` may be called on another thread with `context`.
pub(crate) unsafe fn then<T: 'static, A: Answer<T> + 'static>(
    callback: Callback<A>,
    context: *mut c_void,
    prepare: impl FnOnce() -> Result<Operation<T>, Error>,
) {
    let mut callback = Once { callback, context };
    let prepared = catch_unwind(AssertUnwindSafe(prepare)).unwrap_or_else(|_| Err(panicked()));
    let Operation { vaultlet, future } = match prepared {
        Ok(operation) => operation,
        Err(error) => return callback.call(Err(error)),
    };
    let work = async move {
        let result = AssertUnwindSafe(future).catch_unwind().await;
        callback.call(result.unwrap_or_else(|_| Err(panicked())));
    };
    // When it cannot be started, the work is dropped, and that calls back.
    let _ = vaultlet.spawn(work);
}

/// A callback that is called exactly once, at the latest when this is dropped.
struct Once<A> {
    callback: Callback<A>,
    context: *mut c_void,
}

// SAFETY: `context` is not dereferenced here, and by the contract of `then` it may go to another thread.
unsafe impl<A> Send for Once<A> {}

impl<A> Once<A> {
    fn call<T>(&mut self, result: Result<T, Error>)
    where
        A: Answer<T>,
    {
        let Some(callback) = self.callback.take() else { return };
        match result {
            Ok(result) => self.run(callback, ptr::null_mut(), A::give(&result)),
            Err(error) => self.run(callback, give_error(&error), ptr::null_mut()),
        }
    }

    fn run(&self, callback: Function<A>, error: *mut vaultlet_error, answer: *mut A) {
        // SAFETY: both are the caller's, who promised that they can be called here.
        in_callback(|| unsafe { callback(self.context, error, answer) });
    }
}

impl<A> Drop for Once<A> {
    fn drop(&mut self) {
        if let Some(callback) = self.callback.take() {
            let error = internal("the call was dropped before its end");
            self.run(callback, give_error(&error), ptr::null_mut());
        }
    }
}
