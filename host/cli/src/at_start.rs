//! How this process was started: the standard streams that were closed, and whether SIGPIPE was ignored. Before
//! `main`, Rust opens `/dev/null` in place of a closed stream, so that no file gets its number, and ignores
//! SIGPIPE. So both are looked at earlier, by a constructor of the executable:
//! <https://refspecs.linuxfoundation.org/elf/gabi4+/ch5.dynamic.html#init_fini>

#![allow(unsafe_code, reason = "there is no other way to run before Rust's start-up code")]

#[cfg(not(target_os = "linux"))]
use std::mem::MaybeUninit;
use std::os::fd::{BorrowedFd, RawFd};
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};

/// The standard streams that were closed, one bit each.
static CLOSED: AtomicU8 = AtomicU8::new(0);
static IGNORES_PIPE: AtomicBool = AtomicBool::new(false);

/// The standard streams that this process was started without.
pub(crate) fn closed() -> impl Iterator<Item = RawFd> {
    let closed = CLOSED.load(Ordering::Relaxed);
    (0..3).filter(move |stream| closed & 1 << stream != 0)
}

/// Whether this process was started with SIGPIPE ignored.
pub(crate) fn ignores_pipe() -> bool {
    IGNORES_PIPE.load(Ordering::Relaxed)
}

// SAFETY: the loader calls each function of this section once, before `main`, on the only thread; the function
// uses nothing that Rust's start-up prepares.
#[used]
#[cfg_attr(target_vendor = "apple", unsafe(link_section = "__DATA,__mod_init_func"))]
#[cfg_attr(not(target_vendor = "apple"), unsafe(link_section = ".init_array"))]
static AT_START: extern "C" fn() = look;

extern "C" fn look() {
    let closed = (0..3).filter(|stream| is_closed(*stream)).map(|stream| 1 << stream).sum();
    CLOSED.store(closed, Ordering::Relaxed);
    IGNORES_PIPE.store(is_ignored(libc::SIGPIPE), Ordering::Relaxed);
}

fn is_closed(stream: RawFd) -> bool {
    // SAFETY: the number is used for one system call, which reports a descriptor that is not open.
    let stream = unsafe { BorrowedFd::borrow_raw(stream) };
    rustix::io::fcntl_getfd(stream).is_err()
}

/// Whether a signal is ignored.
#[cfg(target_os = "linux")]
pub(crate) fn is_ignored(signal: libc::c_int) -> bool {
    // The kernel's action begins with the handler, and is at most so long. musl's function tells nothing of signal 34.
    let mut action = [libc::SIG_DFL; 8];
    // SAFETY: the action is valid, and only written to; the set in it is of eight bytes.
    let known = unsafe {
        let to = action.as_mut_ptr();
        libc::syscall(libc::SYS_rt_sigaction, signal, ptr::null::<usize>(), to, size_of::<u64>())
    };
    known == 0 && action.first() == Some(&libc::SIG_IGN)
}

/// Whether a signal is ignored.
#[cfg(not(target_os = "linux"))]
pub(crate) fn is_ignored(signal: libc::c_int) -> bool {
    let mut action = MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: the action is valid, and only read.
    unsafe {
        libc::sigaction(signal, ptr::null(), action.as_mut_ptr()) == 0
            && action.assume_init().sa_sigaction == libc::SIG_IGN
    }
}
