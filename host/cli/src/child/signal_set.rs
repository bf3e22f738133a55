//! Sets of signals.
//!
//! A C library keeps some real-time signals for itself, and its functions leave these out of each set: glibc 32 and 33,
//! musl 34 as well. A command may be sent 34 all the same, so on Linux a set is the kernel's, and the system calls
//! are made directly. <https://man7.org/linux/man-pages/man7/nptl.7.html>

#![allow(unsafe_code, reason = "the calls have no safe form; each says why it is sound")]

use libc::c_int;

pub(super) use set::SignalSet;

/// Signals of faults, which cannot be waited for.
const FAULTS: [c_int; 7] = [
    libc::SIGSEGV,
    libc::SIGBUS,
    libc::SIGFPE,
    libc::SIGILL,
    libc::SIGABRT,
    libc::SIGTRAP,
    libc::SIGSYS,
];

#[cfg(target_os = "linux")]
mod set {
    use std::mem::MaybeUninit;
    use std::os::fd::{FromRawFd as _, OwnedFd, RawFd};
    use std::ptr;
    use std::time::Duration;

    use libc::{c_int, c_long, siginfo_t};

    /// Signals that both C libraries use to manage threads.
    const OF_THREADS: [c_int; 2] = [32, 33];

    const SIZE: usize = size_of::<u64>();

    /// Signals, each by the bit of its number less one.
    #[derive(Clone, Copy, Default)]
    pub(crate) struct SignalSet(u64);

    impl SignalSet {
        /// The signals that are caught: all but those of faults and of threads.
        pub(crate) fn caught() -> Self {
            let mut not = Self::default();
            super::FAULTS.into_iter().chain(OF_THREADS).for_each(|signal| not.add(signal));
            Self(!not.0)
        }

        /// Signals that wait to be fetched.
        pub(crate) fn pending() -> Self {
            let mut set = 0;
            // SAFETY: the set is valid, and of this size.
            unsafe { libc::syscall(libc::SYS_rt_sigpending, &raw mut set, SIZE) };
            Self(set)
        }

        pub(crate) fn add(&mut self, signal: c_int) {
            self.0 |= bit(signal);
        }

        pub(crate) fn contains(self, signal: c_int) -> bool {
            self.0 & bit(signal) != 0
        }

        /// Blocks these, too. Returns those that were blocked before.
        pub(crate) fn block(self) -> Self {
            self.change_mask(libc::SIG_BLOCK)
        }

        pub(crate) fn unblock(self) {
            self.change_mask(libc::SIG_UNBLOCK);
        }

        /// Blocks these, and no others.
        pub(crate) fn block_only(self) {
            self.change_mask(libc::SIG_SETMASK);
        }

        fn change_mask(self, how: c_int) -> Self {
            let mut before = 0;
            let sets = (&raw const self.0, &raw mut before);
            // SAFETY: both sets are valid, and of this size.
            unsafe { libc::syscall(libc::SYS_rt_sigprocmask, how, sets.0, sets.1, SIZE) };
            Self(before)
        }

        /// Waits for one of these, which are blocked, and fetches it.
        pub(crate) fn wait(self, within: Option<Duration>) -> Option<siginfo_t> {
            // The kernel's `timespec`, which some C libraries define anew.
            let time: Option<[c_long; 2]> = within.map(|time| {
                let seconds = time.as_secs().try_into().unwrap_or(i32::MAX.into());
                [seconds, c_long::from(time.subsec_nanos().cast_signed())]
            });
            let time = time.as_ref().map_or(ptr::null(), ptr::from_ref);
            let mut info = MaybeUninit::<siginfo_t>::zeroed();
            let (set, to) = (&raw const self.0, info.as_mut_ptr());
            // SAFETY: all pointers are valid or null, and information that is all zero is valid, too.
            unsafe {
                let number = libc::syscall(libc::SYS_rt_sigtimedwait, set, to, time, SIZE);
                (number > 0).then(|| info.assume_init())
            }
        }

        /// A file that can be read when one of these, which are blocked, waits to be fetched; `None` without a descriptor.
        pub(crate) fn file(&self) -> Option<OwnedFd> {
            let set = &raw const self.0;
            // SAFETY: the set is valid, and of this size; the descriptor that is returned belongs to nobody else.
            unsafe {
                let file = libc::syscall(libc::SYS_signalfd4, -1, set, SIZE, libc::SFD_CLOEXEC);
                RawFd::try_from(file).ok().filter(|it| *it >= 0).map(|it| OwnedFd::from_raw_fd(it))
            }
        }
    }

    fn bit(signal: c_int) -> u64 {
        u32::try_from(signal - 1).ok().and_then(|at| 1_u64.checked_shl(at)).unwrap_or_default()
    }
}

#[cfg(not(target_os = "linux"))]
mod set {
    use std::mem::MaybeUninit;

    use libc::{c_int, sigset_t};

    #[derive(Clone, Copy)]
    pub(crate) struct SignalSet(sigset_t);

    impl Default for SignalSet {
        fn default() -> Self {
            Self::made(|set| {
                // SAFETY: the set is valid.
                unsafe { libc::sigemptyset(set) };
            })
        }
    }

    impl SignalSet {
        /// The signals that are caught: all but those of faults.
        pub(crate) fn caught() -> Self {
            Self::made(|set| {
                // SAFETY: the set is valid.
                unsafe {
                    libc::sigfillset(set);
                    for fault in super::FAULTS {
                        libc::sigdelset(set, fault);
                    }
                }
            })
        }

        /// Signals that wait to be fetched.
        pub(crate) fn pending() -> Self {
            Self::made(|set| {
                // SAFETY: the set is valid.
                unsafe { libc::sigpending(set) };
            })
        }

        fn made(make: impl FnOnce(*mut sigset_t)) -> Self {
            let mut set = MaybeUninit::zeroed();
            make(set.as_mut_ptr());
            // SAFETY: a set is a number, or an array of numbers.
            Self(unsafe { set.assume_init() })
        }

        pub(crate) fn add(&mut self, signal: c_int) {
            // SAFETY: the set is valid.
            unsafe { libc::sigaddset(&raw mut self.0, signal) };
        }

        pub(crate) fn contains(self, signal: c_int) -> bool {
            // SAFETY: the set is valid.
            unsafe { libc::sigismember(&raw const self.0, signal) == 1 }
        }

        /// Blocks these, too. Returns those that were blocked before.
        pub(crate) fn block(self) -> Self {
            self.change_mask(libc::SIG_BLOCK)
        }

        pub(crate) fn unblock(self) {
            self.change_mask(libc::SIG_UNBLOCK);
        }

        /// Blocks these, and no others.
        pub(crate) fn block_only(self) {
            self.change_mask(libc::SIG_SETMASK);
        }

        fn change_mask(self, how: c_int) -> Self {
            Self::made(|before| {
                // SAFETY: both sets are valid.
                unsafe { libc::pthread_sigmask(how, &raw const self.0, before) };
            })
        }

        /// Whether a signal is in both sets.
        pub(crate) fn has_any_of(&self, other: Self) -> bool {
            (1..32).any(|signal| self.contains(signal) && other.contains(signal))
        }

        /// Waits for one of these, which are blocked, and fetches it.
        pub(crate) fn wait(self) -> Option<c_int> {
            let mut number = 0;
            // SAFETY: both pointers are valid.
            let failed = unsafe { libc::sigwait(&raw const self.0, &raw mut number) };
            (failed == 0).then_some(number)
        }
    }
}
