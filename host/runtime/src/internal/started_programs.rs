//! The programs that this library has started and not yet waited for. A host program that waits for every
//! child process, as process 1 must, leaves these to the library. In any other program there is no list, whose
//! lock could be held at a `fork`.

use std::io;
use std::process::{Child, Command};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

static IS_KEPT: AtomicBool = AtomicBool::new(false);
static STARTED: Mutex<Vec<u32>> = Mutex::new(Vec::new());

/// Starts a program. It is on the list before anybody can see it as a child process.
pub(super) fn start(command: &mut Command) -> io::Result<Child> {
    if !IS_KEPT.load(Ordering::SeqCst) {
        return command.spawn();
    }
    let mut started = lock();
    let child = command.spawn()?;
    started.push(child.id());
    Ok(child)
}

/// Forgets a program that was waited for.
pub(super) fn forget(child: &Child) {
    if IS_KEPT.load(Ordering::SeqCst) {
        lock().retain(|id| *id != child.id());
    }
}

/// Calls `work` with a function that says whether a process was started by this library, and starts no
/// program meanwhile. The first call, from which on the library keeps the list, must come before any program is
/// started.
pub fn with_started<T>(work: impl FnOnce(&dyn Fn(u32) -> bool) -> T) -> T {
    IS_KEPT.store(true, Ordering::SeqCst);
    let started = lock();
    work(&|id| started.contains(&id))
}

fn lock() -> MutexGuard<'static, Vec<u32>> {
    STARTED.lock().unwrap_or_else(PoisonError::into_inner)
}
