//! What this process was started with, for the command: Rust's start-up code opens standard streams that were
//! closed and ignores SIGPIPE, and this program allows itself no core dumps.

use std::io;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::system;

/// The standard streams that were closed, one bit each.
static CLOSED: AtomicU8 = AtomicU8::new(0);
static IGNORES_PIPE: AtomicBool = AtomicBool::new(false);
static CORE: OnceLock<Rlimit> = OnceLock::new();

/// Runs before Rust's start-up code, and must use nothing of it.
#[allow(unsafe_code, reason = "there is no other way to run before Rust's start-up code")]
#[used]
#[cfg_attr(target_os = "linux", unsafe(link_section = ".init_array"))]
#[cfg_attr(target_vendor = "apple", unsafe(link_section = "__DATA,__mod_init_func"))]
static LOOK: extern "C" fn() = look;

extern "C" fn look() {
    let closed = (0..3).filter(|stream| !system::is_open(*stream)).map(|stream| 1 << stream).sum();
    CLOSED.store(closed, Ordering::Relaxed);
    IGNORES_PIPE.store(system::is_ignored(libc::SIGPIPE), Ordering::Relaxed);
}

/// Remembers the limit of core dumps. Call this before it is lowered.
pub(crate) fn keep_core_limit() {
    CORE.get_or_init(|| getrlimit(Resource::Core));
}

/// Restores limits and ignored signals, in the child.
pub(super) fn restore() -> io::Result<()> {
    if let Some(core) = CORE.get() {
        setrlimit(Resource::Core, *core)?;
    }
    if IGNORES_PIPE.load(Ordering::Relaxed) {
        system::ignore(libc::SIGPIPE);
    }
    Ok(())
}

/// Closes the standard streams that were closed, in the child.
pub(super) fn close_streams() -> io::Result<()> {
    let closed = CLOSED.load(Ordering::Relaxed);
    (0..3).filter(|stream| closed & 1 << stream != 0).for_each(system::close);
    Ok(())
}
