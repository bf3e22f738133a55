//! A value that is re-created after `fork`.
//!
//! In a child of `fork` none of the parent's threads exists and any of the parent's locks may be
//! held. The parent's value is therefore never touched in the child, which makes a value of its own
//! on first use.

use std::cell::{Cell, RefCell};
use std::mem::ManuallyDrop;
use std::sync::{Mutex, MutexGuard, Once, OnceLock, PoisonError};

use crate::error::Error;
use crate::system::forks;

/// A value of the process that made it, and a new value for each child that asks for one.
pub(crate) struct PerProcess<T> {
    id: u32,
    value: ManuallyDrop<T>,
    child: OnceLock<Box<Self>>,
}

impl<T> PerProcess<T> {
    /// Makes the first value.
    pub(crate) fn new(make: impl FnOnce() -> Result<T, Error>) -> Result<Self, Error> {
        let _no_fork = begin();
        Ok(Self::made(make()?))
    }

    fn made(value: T) -> Self {
        let value = ManuallyDrop::new(value);
        Self { id: std::process::id(), value, child: OnceLock::new() }
    }

    /// The first value. A child may only look at plain data in it.
    #[cfg(feature = "plugins")]
    pub(crate) fn first(&self) -> &T {
        &self.value
    }

    /// The value of the calling process. In a child, `remake` makes it from plain data in the
    /// parent's value.
    pub(crate) fn current(&self, remake: impl Fn(&T) -> Result<T, Error>) -> Result<&T, Error> {
        if self.id == std::process::id() {
            return Ok(&self.value);
        }
        if self.child.get().is_none() {
            let _no_fork = begin();
            if self.child.get().is_none() {
                // The lock is held, so that no other thread is making one.
                let _ = self.child.set(Box::new(Self::made(remake(&self.value)?)));
            }
        }
        let Some(child) = self.child.get() else {
            return Err(Error::internal("opening again after `fork`: the new value was lost"));
        };
        // There may have been several forks since then.
        child.current(remake)
    }
}

impl<T> Drop for PerProcess<T> {
    fn drop(&mut self) {
        if self.id == std::process::id() {
            let _no_fork = begin();
            // SAFETY: the value is not used after this.
            #[allow(unsafe_code, reason = "in a child of `fork` it must not be dropped")]
            unsafe {
                ManuallyDrop::drop(&mut self.value);
            }
        }
    }
}

/// Held while a handle is opened or closed, so that the process does not fork meanwhile: loading and
/// unloading code takes locks of the whole process, which would stay locked in the child for ever.
static LOADING: Mutex<()> = Mutex::new(());

thread_local! {
    static FORKING: RefCell<Option<MutexGuard<'static, ()>>> = const { RefCell::new(None) };
    /// Whether this thread holds the lock already: what is opened may close another handle.
    static HOLDING: Cell<bool> = const { Cell::new(false) };
}

/// While it exists the process does not fork.
pub(super) struct NoFork(Option<MutexGuard<'static, ()>>);

impl Drop for NoFork {
    fn drop(&mut self) {
        if self.0.take().is_some() {
            let _ = HOLDING.try_with(|holding| holding.set(false));
        }
    }
}

pub(super) fn begin() -> NoFork {
    static WATCHED: Once = Once::new();
    WATCHED.call_once(|| forks::watch(before_fork, after_fork));
    if HOLDING.try_with(Cell::get).unwrap_or(true) {
        return NoFork(None);
    }
    let lock = LOADING.lock().unwrap_or_else(PoisonError::into_inner);
    HOLDING.set(true);
    NoFork(Some(lock))
}

extern "C" fn before_fork() {
    let lock = LOADING.lock().unwrap_or_else(PoisonError::into_inner);
    let _ = FORKING.try_with(|held| held.borrow_mut().replace(lock));
}

extern "C" fn after_fork() {
    let _ = FORKING.try_with(|held| held.borrow_mut().take());
}
