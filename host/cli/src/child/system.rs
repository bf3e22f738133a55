//! What the system has and no library offers safely: signals with their senders, and the steps of a child
//! process before it is replaced by a program.

#![allow(unsafe_code, reason = "the calls have no safe form; each says why it is sound")]

use std::io;
use std::mem::MaybeUninit;
use std::os::unix::process::CommandExt as _;
use std::process::Command;
use std::ptr;
use std::time::Duration;

use libc::c_int;
use rustix::process::Pid;

use super::signal_set::SignalSet;
use super::signals::Received;
use crate::at_start;

/// How often a stopped program is looked at, in nanoseconds.
#[cfg(target_os = "linux")]
const WATCH: libc::c_long = 20_000_000;

/// How signals were handled before they were blocked.
#[derive(Clone, Copy)]
pub(super) struct Before {
    mask: SignalSet,
    ignores_children: bool,
}

/// Blocks all signals but those of faults, which cannot be waited for.
pub(super) fn block_signals() -> Before {
    #[cfg(target_env = "musl")]
    start_first_thread();
    let ignores_children = at_start::is_ignored(libc::SIGCHLD);
    if ignores_children {
        // With it ignored, the system throws away how a child ended.
        take_default(libc::SIGCHLD);
    }
    Before { mask: SignalSet::caught().block(), ignores_children }
}

/// Starts a thread, which ends at once: with the first one of a process, musl unblocks the signals that it keeps for itself.
#[cfg(target_env = "musl")]
fn start_first_thread() {
    const STACK: usize = 16 << 10;
    // Without it, a command does not get signal 34.
    let first = std::thread::Builder::new().stack_size(STACK).spawn(|| ());
    let _ = first.map(std::thread::JoinHandle::join);
}

impl Before {
    /// Restores it, in the child.
    pub(super) fn restore(self) -> io::Result<()> {
        if self.ignores_children {
            ignore(libc::SIGCHLD);
        }
        self.mask.block_only();
        Ok(())
    }

    /// Unblocks these signals, but for those that were blocked before.
    pub(super) fn unblock(&self, signals: &[c_int]) {
        let mut set = SignalSet::default();
        let freed = signals.iter().filter(|signal| !self.mask.contains(**signal));
        freed.for_each(|signal| set.add(*signal));
        set.unblock();
    }
}

/// Waits for a signal that is blocked.
#[cfg(target_os = "linux")]
pub(super) fn next_signal(within: Option<Duration>) -> Option<Received> {
    let info = SignalSet::caught().wait(within)?;
    let has_sender = matches!(info.si_code, libc::SI_USER | libc::SI_QUEUE | libc::SI_TKILL);
    // SAFETY: the sender and the value are read for signals that have them.
    unsafe {
        Some(Received {
            number: info.si_signo,
            sender: if has_sender { info.si_pid() } else { 0 },
            is_of_kernel: info.si_code == libc::SI_KERNEL,
            value: (info.si_code == libc::SI_QUEUE).then(|| info.si_value().sival_ptr.addr()),
        })
    }
}

/// Waits for a signal that is blocked. This system does not say who sent it: at a terminal what a terminal sends
/// is taken for the terminal's.
#[cfg(not(target_os = "linux"))]
pub(super) fn next_signal(_: Option<Duration>) -> Option<Received> {
    let is_of_kernel = rustix::stdio::stdin().is_terminal();
    let number = SignalSet::caught().wait()?;
    Some(Received { number, sender: 0, is_of_kernel, value: None })
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
    let mut set = SignalSet::default();
    set.add(signal);
    // While it is blocked: what a terminal has sent as well is pending then, too, and stops this process once.
    // SAFETY: the signal has no handler.
    unsafe { libc::raise(signal) };
    set.unblock();
    set.block();
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
    let set = SignalSet::pending();
    signals.iter().copied().find(|signal| set.contains(*signal))
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
