//! The process's timer as the clock of the epoch: for a program of its own, which makes one call and
//! ends, it saves a thread. The timer counts processor time, so that it only ticks in a program that
//! computes for long.

use std::io;
use std::mem::MaybeUninit;
use std::ptr;
use std::sync::OnceLock;

use wasmtime::Engine;

use crate::limits;

static ENGINE: OnceLock<Engine> = OnceLock::new();

/// Whether there is such a timer.
pub(crate) const IS_THERE: bool = true;

/// Starts the timer. It runs until the process ends, and is not handed on to child processes.
pub(crate) fn start(engine: &Engine) -> io::Result<()> {
    if ENGINE.set(engine.clone()).is_err() {
        return Err(io::ErrorKind::AlreadyExists.into());
    }
    let interval = libc::timeval {
        tv_sec: 0,
        tv_usec: limits::EPOCH.as_micros().try_into().unwrap_or(50_000),
    };
    let timer = libc::itimerval { it_interval: interval, it_value: interval };
    // SAFETY: all structs are valid, and the handler does only what a signal handler may do.
    #[allow(unsafe_code, reason = "there is no safe way to use the timer")]
    let set = unsafe {
        let mut action: libc::sigaction = MaybeUninit::zeroed().assume_init();
        action.sa_sigaction = on_tick as extern "C" fn(libc::c_int) as usize;
        action.sa_flags = libc::SA_RESTART;
        libc::sigemptyset(&raw mut action.sa_mask);
        libc::sigaction(libc::SIGVTALRM, &raw const action, ptr::null_mut()) == 0
            && libc::setitimer(libc::ITIMER_VIRTUAL, &raw const timer, ptr::null_mut()) == 0
    };
    if set { Ok(()) } else { Err(io::Error::last_os_error()) }
}

extern "C" fn on_tick(_: libc::c_int) {
    // Both are atomic operations alone.
    if let Some(engine) = ENGINE.get() {
        engine.increment_epoch();
    }
}
