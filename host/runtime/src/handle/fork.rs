//! What belongs to one process. In a child of `fork` none of its threads exists and any of its locks
//! may be held, so it is never touched again, and one of the child's own is made on first use.

use std::cell::RefCell;
use std::mem::ManuallyDrop;
use std::sync::{Mutex, MutexGuard, Once, OnceLock, PoisonError};

use crate::error::Error;

/// A value of the process that made it, and of each child that asks for it one of its own.
pub(crate) struct PerProcess<T> {
    id: u32,
    value: ManuallyDrop<T>,
    child: OnceLock<Box<Self>>,
}

impl<T> PerProcess<T> {
    /// Makes the first one.
    pub(crate) fn new(make: impl FnOnce() -> Result<T, Error>) -> Result<Self, Error> {
        let _no_fork = begin();
        Ok(Self::made(make()?))
    }

    fn made(value: T) -> Self {
        let value = ManuallyDrop::new(value);
        Self { id: std::process::id(), value, child: OnceLock::new() }
    }

    /// The first one, of which a child may look at plain data only.
    #[cfg(feature = "plugins")]
    pub(crate) fn first(&self) -> &T {
        &self.value
    }

    /// That of the process that asks; `anew` makes it of what is plain data in the parent's.
    pub(crate) fn here(&self, anew: impl Fn(&T) -> Result<T, Error>) -> Result<&T, Error> {
        if self.id == std::process::id() {
            return Ok(&self.value);
        }
        if self.child.get().is_none() {
            let _no_fork = begin();
            if self.child.get().is_none() {
                // Nobody else is making one.
                let _ = self.child.set(Box::new(Self::made(anew(&self.value)?)));
            }
        }
        let Some(child) = self.child.get() else {
            return Err(Error::internal("opening anew after `fork`: it was not kept"));
        };
        // There may have been several forks since.
        child.here(anew)
    }
}

impl<T> Drop for PerProcess<T> {
    fn drop(&mut self) {
        if self.id == std::process::id() {
            // SAFETY: it is not used after this.
            #[allow(unsafe_code, reason = "in a child of `fork` it must not be dropped")]
            unsafe {
                ManuallyDrop::drop(&mut self.value);
            }
        }
    }
}

/// One handle is opened at a time, and no process forks meanwhile: what loads code holds locks of
/// the whole process, which a child would never see opened.
static OPENING: Mutex<()> = Mutex::new(());

thread_local! {
    static FORKING: RefCell<Option<MutexGuard<'static, ()>>> = const { RefCell::new(None) };
}

fn begin() -> MutexGuard<'static, ()> {
    static WATCHED: Once = Once::new();
    WATCHED.call_once(|| {
        // SAFETY: the three functions take and give back a lock, and call nothing of the caller's.
        #[allow(unsafe_code, reason = "there is no safe way to hear of a fork")]
        unsafe {
            libc::pthread_atfork(Some(before_fork), Some(after_fork), Some(after_fork));
        }
    });
    OPENING.lock().unwrap_or_else(PoisonError::into_inner)
}

extern "C" fn before_fork() {
    let lock = OPENING.lock().unwrap_or_else(PoisonError::into_inner);
    let _ = FORKING.try_with(|held| held.borrow_mut().replace(lock));
}

extern "C" fn after_fork() {
    let _ = FORKING.try_with(|held| held.borrow_mut().take());
}
