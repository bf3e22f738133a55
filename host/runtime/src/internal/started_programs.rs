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

/// Runs a program to its end, and reads the beginning of its output.
#[cfg(target_env = "musl")]
pub(crate) fn output(command: &mut Command, most: u64) -> io::Result<Vec<u8>> {
    use std::io::Read as _;

    let mut child = start(command.stdout(std::process::Stdio::piped()))?;
    let mut content = Vec::new();
    let read = child.stdout.take().map_or(Ok(0), |out| out.take(most).read_to_end(&mut content));
    let ended = child.wait();
    forget(&child);
    read.and(ended).map(|_| content)
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
