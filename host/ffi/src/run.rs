//! How a call is made: its panics caught, its answer given to whom waits or to whom is called back.

use std::cell::Cell;
use std::ffi::c_void;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;

use futures_lite::FutureExt as _;
use futures_lite::future::block_on;
use vaultlet_host::{Error, Kind, Vaultlet};

use crate::error::{give, vaultlet_error};

thread_local! {
    /// Whether this thread is one of ours that calls the caller back.
    static CALLS_BACK: Cell<bool> = const { Cell::new(false) };
}

/// NULL, or the error; a panic is one, too.
pub(crate) fn guarded(work: impl FnOnce() -> Result<(), Error>) -> *mut vaultlet_error {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(())) => ptr::null_mut(),
        Ok(Err(error)) => give(&error),
        Err(_) => give(&panicked()),
    }
}

/// Puts the answer where the caller wants it, NULL before there is one.
///
/// # Safety
/// `out` is NULL or may be written.
pub(crate) unsafe fn answered<T>(
    out: *mut *mut T,
    work: impl FnOnce() -> Result<*mut T, Error>,
) -> *mut vaultlet_error {
    guarded(|| {
        if out.is_null() {
            return Err(crate::text::usage(
                "calling vaultlet: there is no place for the answer".into(),
                "give the address of a pointer",
            ));
        }
        // SAFETY: as the caller says.
        unsafe { *out = ptr::null_mut() };
        let answer = work()?;
        // SAFETY: as the caller says.
        unsafe { *out = answer };
        Ok(())
    })
}

/// Waits for a call. On a thread that calls back nothing would ever be answered.
pub(crate) fn wait<T>(call: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    if CALLS_BACK.get() {
        return Err(Error::new(
            Kind::Usage,
            "blocking-call",
            "calling vaultlet: a function that waits was called in a callback",
            "call one that ends with `_then`, or leave the callback first",
        ));
    }
    block_on(call)
}

/// What the caller wants back with an answer.
pub(crate) struct Context(pub(crate) *mut c_void);

// SAFETY: it is never looked into; that it can go to another thread is for the caller to see to.
unsafe impl Send for Context {}

/// Runs a call on one of the handle's threads and tells its end, exactly once: on that thread, or
/// before this returns when it cannot be started.
pub(crate) fn then<T: 'static, F: Future<Output = Result<T, Error>> + Send + 'static>(
    start: impl FnOnce() -> Result<(Vaultlet, F), Error>,
    tell: impl FnOnce(Result<T, Error>) + Send + 'static,
) {
    let started = catch_unwind(AssertUnwindSafe(start)).unwrap_or_else(|_| Err(panicked()));
    let (vaultlet, call) = match started {
        Ok(started) => started,
        Err(error) => return tell(Err(error)),
    };
    let mut tell = Told(Some(tell), std::marker::PhantomData);
    let work = async move {
        let ended = AssertUnwindSafe(call).catch_unwind().await;
        tell.once(ended.unwrap_or_else(|_| Err(panicked())));
    };
    // When it cannot be started, its end is told as it is dropped.
    let _ = vaultlet.spawn(work);
}

/// Tells the end of a call, at the latest when dropped.
struct Told<T, F: FnOnce(Result<T, Error>)>(Option<F>, std::marker::PhantomData<fn(T)>);

impl<T, F: FnOnce(Result<T, Error>)> Told<T, F> {
    fn once(&mut self, ended: Result<T, Error>) {
        if let Some(tell) = self.0.take() {
            let before = CALLS_BACK.replace(true);
            tell(ended);
            CALLS_BACK.set(before);
        }
    }
}

impl<T, F: FnOnce(Result<T, Error>)> Drop for Told<T, F> {
    fn drop(&mut self) {
        self.once(Err(internal("the call was dropped before its end")));
    }
}

fn panicked() -> Error {
    internal("it panicked")
}

fn internal(what: &str) -> Error {
    let message = format!("calling vaultlet: {what}");
    Error::new(Kind::Internal, "internal", message, "report this with the message")
}
