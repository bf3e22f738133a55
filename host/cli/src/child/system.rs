//! What the system has and no library offers safely: signals with their senders, and the steps of a child
//! process before it is replaced by a program.

#![allow(unsafe_code, reason = "the calls have no safe form; each says why it is sound")]

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::BorrowedFd;
#[cfg(target_os = "linux")]
use std::os::fd::{FromRawFd as _, OwnedFd};
use std::os::unix::process::CommandExt as _;
use std::process::Command;
use std::ptr;
use std::time::Duration;

use libc::{c_int, sigset_t};
use rustix::process::Pid;

use super::signals::Received;
use crate::at_start;

/// How often a signal is looked for that cannot be waited for together with files.
#[cfg(target_os = "linux")]
const WITHOUT_SIGNALS: Duration = Duration::from_millis(20);
/// How often a stopped program is looked at, in nanoseconds.
#[cfg(target_os = "linux")]
const WATCH: libc::c_long = 20_000_000;

/// How signals were handled before they were blocked.
#[derive(Clone, Copy)]
pub(super) struct Before {
    mask: sigset_t,
    ignores_children: bool,
}

/// Blocks all signals but those of faults, which cannot be waited for.
pub(super) fn block_signals() -> Before {
    let ignores_children = at_start::is_ignored(libc::SIGCHLD);
    if ignores_children {
        // With it ignored, the system throws away how a child ended.
        take_default(libc::SIGCHLD);
    }
    let set = caught();
    let mut mask = empty();
    // SAFETY: both sets are valid.
    unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, &raw const set, &raw mut mask) };
    Before { mask, ignores_children }
}

impl Before {
    /// Restores it, in the child.
    pub(super) fn restore(self) -> io::Result<()> {
        if self.ignores_children {
            ignore(libc::SIGCHLD);
        }
        // SAFETY: the set is valid.
        unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &raw const self.mask, ptr::null_mut()) };
        Ok(())
    }

    /// Unblocks these signals, but for those that were blocked before.
    pub(super) fn unblock(&self, signals: &[c_int]) {
        let mut set = empty();
        // SAFETY: the sets are valid.
        unsafe {
            for signal in signals {
                if libc::sigismember(&raw const self.mask, *signal) == 0 {
                    libc::sigaddset(&raw mut set, *signal);
                }
            }
            libc::pthread_sigmask(libc::SIG_UNBLOCK, &raw const set, ptr::null_mut());
        }
    }
}

/// Waits for a signal that is blocked.
#[cfg(target_os = "linux")]
pub(super) fn next_signal(within: Option<Duration>) -> Option<Received> {
    let set = caught();
    let mut info = MaybeUninit::<libc::siginfo_t>::zeroed();
    let time = within.map(|time| libc::timespec {
        tv_sec: time.as_secs().try_into().unwrap_or(libc::time_t::MAX),
        tv_nsec: time.subsec_nanos().into(),
    });
    let time = time.as_ref().map_or(ptr::null(), ptr::from_ref);
    // SAFETY: all pointers are valid or null; the sender and the value are read for signals that have them.
    unsafe {
        let number = libc::sigtimedwait(&raw const set, info.as_mut_ptr(), time);
        let info = info.assume_init();
        let has_sender = matches!(info.si_code, libc::SI_USER | libc::SI_QUEUE | libc::SI_TKILL);
        (number > 0).then(|| Received {
            number,
            sender: if has_sender { info.si_pid() } else { 0 },
            is_of_kernel: info.si_code == libc::SI_KERNEL,
            value: (info.si_code == libc::SI_QUEUE).then(|| info.si_value().sival_ptr.addr()),
        })
    }
}

/// Waits until a signal that is blocked waits to be fetched, which is said, until something has come from one of the
/// files, or until the time has passed.
#[cfg(target_os = "linux")]
pub(super) fn wait_for_signal_or(files: &[BorrowedFd<'_>], within: Option<Duration>) -> bool {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    let set = caught();
    // SAFETY: the set is valid, and the descriptor that is returned belongs to nobody else.
    let signals = unsafe {
        match libc::signalfd(-1, &raw const set, libc::SFD_CLOEXEC) {
            // Out of descriptors: the files are looked at again in a while.
            ..0 => None,
            signals => Some(OwnedFd::from_raw_fd(signals)),
        }
    };
    let files = files.iter().map(|file| PollFd::from_borrowed_fd(*file, PollFlags::IN));
    let signal = signals.as_ref().map(|it| PollFd::new(it, PollFlags::IN));
    let within = if signals.is_some() { within } else { Some(WITHOUT_SIGNALS) };
    let within = within.and_then(|time| Timespec::try_from(time).ok());
    let mut watched: Vec<_> = signal.into_iter().chain(files).collect();
    let came = poll(&mut watched, within.as_ref()).is_ok();
    signals.is_none() || (came && watched.first().is_some_and(|it| !it.revents().is_empty()))
}

/// Waits for nothing: files are not watched on this system.
#[cfg(not(target_os = "linux"))]
pub(super) fn wait_for_signal_or(_: &[BorrowedFd<'_>], _: Option<Duration>) -> bool {
    true
}

/// Waits for a signal that is blocked. This system does not say who sent it: at a terminal what a terminal sends
/// is taken for the terminal's.
#[cfg(not(target_os = "linux"))]
pub(super) fn next_signal(_: Option<Duration>) -> Option<Received> {
    let (set, mut number) = (caught(), 0);
    // SAFETY: both pointers are valid.
    let failed = unsafe { libc::sigwait(&raw const set, &raw mut number) };
    let is_of_kernel = rustix::stdio::stdin().is_terminal();
    (failed == 0).then_some(Received { number, sender: 0, is_of_kernel, value: None })
}

/// Sends a signal on. The program may have ended, or belong to another user by now.
pub(super) fn send(to: Pid, signal: &Received) {
    let pid = to.as_raw_pid();
    #[cfg(target_os = "linux")]
    if let Some(value) = signal.value {
        let value = libc::sigval { sival_ptr: ptr::without_provenance_mut(value) };
        // SAFETY: the process is a child that was not waited for, and the value is passed on only.
        unsafe { libc::sigqueue(pid, signal.number, value) };
        return;
    }
    // SAFETY: the process is a child that was not waited for.
    unsafe { libc::kill(pid, signal.number) };
}

/// Does what a blocked signal does by default, such as stopping this process.
pub(super) fn take_by_default(signal: c_int) {
    let mut set = empty();
    // SAFETY: the set is valid, and the signal has no handler.
    unsafe {
        libc::sigaddset(&raw mut set, signal);
        // While it is blocked: what a terminal has sent as well is pending then, too, and stops this process once.
        libc::raise(signal);
        libc::pthread_sigmask(libc::SIG_UNBLOCK, &raw const set, ptr::null_mut());
        libc::pthread_sigmask(libc::SIG_BLOCK, &raw const set, ptr::null_mut());
    }
}

/// Ignores a signal.
pub(super) fn ignore(signal: c_int) {
    set_handler(signal, libc::SIG_IGN);
}

/// Gives a signal its default action.
pub(super) fn take_default(signal: c_int) {
    set_handler(signal, libc::SIG_DFL);
}

fn set_handler(signal: c_int, handler: libc::sighandler_t) {
    // SAFETY: the handler is one of the system's two, which are no code of ours.
    unsafe { libc::signal(signal, handler) };
}

/// Closes a descriptor, in a child that is about to be replaced.
pub(super) fn close(descriptor: c_int) {
    // SAFETY: nothing of this program runs in the child any more.
    unsafe { libc::close(descriptor) };
}

/// Keeps a descriptor open for the program, in a child that is about to be replaced.
pub(super) fn keep(descriptor: c_int) -> io::Result<()> {
    // SAFETY: the number is used for one system call, which reports a descriptor that is not open.
    let done = unsafe { libc::fcntl(descriptor, libc::F_SETFD, 0) };
    if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// The first of these signals that waits to be fetched.
pub(super) fn pending(signals: &[c_int]) -> Option<c_int> {
    let mut set = empty();
    // SAFETY: the set is valid.
    unsafe {
        libc::sigpending(&raw mut set);
        signals.iter().copied().find(|signal| libc::sigismember(&raw const set, *signal) == 1)
    }
}

/// Adds a step to those of the child before the program replaces it.
pub(super) fn before_exec(
    command: &mut Command,
    step: impl Fn() -> io::Result<()> + Send + Sync + 'static,
) {
    // SAFETY: the steps of this folder make system calls alone, which is all that the child of a process with
    // threads may do.
    unsafe { command.pre_exec(step) };
}

/// Has the kernel send SIGTERM to this process, the child, when its parent ends.
#[cfg(target_os = "linux")]
pub(super) fn end_with(parent: Pid) -> io::Result<()> {
    use rustix::process::{Signal, getpid, getppid, kill_process, set_parent_process_death_signal};
    set_parent_process_death_signal(Some(Signal::TERM))?;
    if getppid() != Some(parent) {
        // The parent has ended already.
        kill_process(getpid(), Signal::TERM)?;
    }
    Ok(())
}

/// Does nothing: this system has no such thing.
#[cfg(not(target_os = "linux"))]
pub(super) fn end_with(_: Pid) -> io::Result<()> {
    Ok(())
}

/// A child that has ended and was not waited for.
pub(super) fn ended_child() -> Option<Pid> {
    let mut info = MaybeUninit::<libc::siginfo_t>::zeroed();
    let flags = libc::WEXITED | libc::WNOHANG | libc::WNOWAIT;
    // SAFETY: the information is valid, and zero when there is no such child.
    let pid = unsafe {
        if libc::waitid(libc::P_ALL, 0, info.as_mut_ptr(), flags) != 0 {
            return None;
        }
        info.assume_init().si_pid()
    };
    Pid::from_raw(pid)
}

/// Starts a process that continues this one as soon as a program does not stand still any more.
#[cfg(target_os = "linux")]
pub(super) fn watch_stopped(program: Pid) -> Option<Pid> {
    let path = std::ffi::CString::new(format!("/proc/{}/stat", program.as_raw_pid())).ok()?;
    // SAFETY: the child makes system calls alone, and ends without returning.
    unsafe {
        let parent = libc::getpid();
        match libc::fork() {
            0 => {
                libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
                let pause = libc::timespec { tv_sec: 0, tv_nsec: WATCH };
                while libc::getppid() == parent {
                    if !is_stopped(&path) {
                        // Again until the parent ends this process: it may not have stopped yet.
                        libc::kill(parent, libc::SIGCONT);
                    }
                    libc::nanosleep(&raw const pause, ptr::null_mut());
                }
                libc::_exit(0)
            }
            watcher => Pid::from_raw(watcher.max(0)),
        }
    }
}

/// Watches nothing: this system does not tell a process's state by a file.
#[cfg(not(target_os = "linux"))]
pub(super) fn watch_stopped(_: Pid) -> Option<Pid> {
    None
}

/// Whether a process is stopped: its state comes after its name, which is in parentheses.
#[cfg(target_os = "linux")]
unsafe fn is_stopped(path: &std::ffi::CStr) -> bool {
    let mut text = [0_u8; 512];
    // SAFETY: the path and the buffer are valid.
    let read = unsafe {
        let file = libc::open(path.as_ptr(), libc::O_RDONLY | libc::O_CLOEXEC);
        if file < 0 {
            return false;
        }
        let read = libc::read(file, text.as_mut_ptr().cast(), text.len());
        libc::close(file);
        read
    };
    let text = text.get(..usize::try_from(read).unwrap_or(0)).unwrap_or_default();
    let state = text.iter().rposition(|byte| *byte == b')').and_then(|at| text.get(at + 2));
    matches!(state, Some(b'T' | b't'))
}

/// The signals that are caught: all but those of faults, and those that cannot be.
fn caught() -> sigset_t {
    let faults = [
        libc::SIGSEGV,
        libc::SIGBUS,
        libc::SIGFPE,
        libc::SIGILL,
        libc::SIGABRT,
        libc::SIGTRAP,
        libc::SIGSYS,
    ];
    let mut set = empty();
    // SAFETY: the set is valid.
    unsafe {
        libc::sigfillset(&raw mut set);
        for fault in faults {
            libc::sigdelset(&raw mut set, fault);
        }
    }
    set
}

fn empty() -> sigset_t {
    let mut set = MaybeUninit::zeroed();
    // SAFETY: the call makes the set valid.
    unsafe {
        libc::sigemptyset(set.as_mut_ptr());
        set.assume_init()
    }
}
