//! The signals of this process. All that can be caught are blocked and fetched one by one: no handler is
//! installed, so that a signal which was ignored stays so for the command, and none can end this process.
//! <https://man7.org/linux/man-pages/man7/signal.7.html>

use std::os::fd::BorrowedFd;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, getpgid, getpgrp, getpid, getsid, kill_process};

use super::{signal_code, system};
use crate::{at_start, streams};

/// The signals that ask a program to end.
const ENDS: [i32; 4] = [libc::SIGTERM, libc::SIGINT, libc::SIGQUIT, libc::SIGHUP];

/// Signals by their names.
pub(crate) const SIGNALS: [(&str, i32); 28] = [
    ("HUP", libc::SIGHUP),
    ("INT", libc::SIGINT),
    ("QUIT", libc::SIGQUIT),
    ("ILL", libc::SIGILL),
    ("TRAP", libc::SIGTRAP),
    ("ABRT", libc::SIGABRT),
    ("BUS", libc::SIGBUS),
    ("FPE", libc::SIGFPE),
    ("KILL", libc::SIGKILL),
    ("USR1", libc::SIGUSR1),
    ("SEGV", libc::SIGSEGV),
    ("USR2", libc::SIGUSR2),
    ("PIPE", libc::SIGPIPE),
    ("ALRM", libc::SIGALRM),
    ("TERM", libc::SIGTERM),
    ("CONT", libc::SIGCONT),
    ("STOP", libc::SIGSTOP),
    ("TSTP", libc::SIGTSTP),
    ("TTIN", libc::SIGTTIN),
    ("TTOU", libc::SIGTTOU),
    ("URG", libc::SIGURG),
    ("XCPU", libc::SIGXCPU),
    ("XFSZ", libc::SIGXFSZ),
    ("VTALRM", libc::SIGVTALRM),
    ("PROF", libc::SIGPROF),
    ("WINCH", libc::SIGWINCH),
    ("IO", libc::SIGIO),
    ("SYS", libc::SIGSYS),
];

/// The highest number of a signal.
#[cfg(target_os = "linux")]
pub(crate) fn last_signal() -> i32 {
    libc::SIGRTMAX()
}

/// The highest number of a signal.
#[cfg(not(target_os = "linux"))]
pub(crate) fn last_signal() -> i32 {
    31
}

/// Blocked signals of this process and its threads.
pub(crate) struct Signals(system::Before);

/// A signal that came.
#[derive(Clone, Copy, Debug)]
pub(super) struct Received {
    pub(super) number: i32,
    /// The process that sent it; zero when the kernel did.
    pub(super) sender: i32,
    /// Whether the kernel sent it: a terminal, or a limit.
    pub(super) is_of_kernel: bool,
    /// The value that was sent with it, by `sigqueue`.
    pub(super) value: Option<usize>,
}

impl Signals {
    /// Blocks the signals. Call this before there is another thread, which would get them still.
    pub(crate) fn block() -> Self {
        Self(system::block_signals())
    }

    /// How signals were handled before.
    pub(super) fn before(&self) -> system::Before {
        self.0
    }

    /// Waits for the next signal, or until the time has passed.
    pub(super) fn next(&self, within: Option<Duration>) -> Option<Received> {
        system::next_signal(within)
    }

    /// Whether files can be waited for together with signals.
    pub(crate) const CAN_WATCH_FILES: bool = cfg!(target_os = "linux");

    /// Waits for the next signal, until something has come from one of the files, or until the time has passed.
    pub(super) fn next_unless_readable(
        &self,
        within: Option<Duration>,
        files: &[BorrowedFd<'_>],
    ) -> Option<Received> {
        match files {
            [] => self.next(within),
            _ if system::wait_for_signal_or(files, within) => self.next(Some(Duration::ZERO)),
            _ => None,
        }
    }

    /// Waits for a signal that ends a process without a command. Returns 128 + signal.
    pub(crate) fn wait_for_end(&self) -> ExitCode {
        loop {
            if let Some(end) = self.next(None).and_then(end_of) {
                return ExitCode::from(end);
            }
        }
    }

    /// Waits for a signal that says what a process without a command, which serves others, shall do.
    pub(crate) fn wait_as_server(&self) -> ToServer {
        loop {
            let Some(received) = self.next(None) else { continue };
            match (received.number, end_of(received)) {
                (libc::SIGHUP, Some(_)) => return ToServer::Reload,
                (libc::SIGTERM | libc::SIGINT, Some(_)) => return ToServer::End,
                (_, Some(code)) => return ToServer::Abort(code),
                (_, None) => {}
            }
        }
    }

    /// Lets a person end this process at once while it answers what it was asked: by SIGQUIT, or Ctrl-C again. A
    /// program that sends a signal a second time means the first one: `timeout` sends each twice.
    pub(crate) fn let_abort(&self) {
        let watch = || loop {
            let Some(received) = system::next_signal(None) else { continue };
            let is_again = received.number == libc::SIGINT && received.is_of_kernel;
            if let Some(code) = end_of(received)
                && (is_again || received.number == libc::SIGQUIT)
            {
                std::process::exit(code.into());
            }
        };
        // Without it, the process ends when it is done.
        let _ = thread::Builder::new().name("vaultlet-wait".into()).spawn(watch);
    }

    /// Lets signals end this process again, once the command has ended: whoever reads its output may never go on. What
    /// has come by now was for the command, too.
    pub(crate) fn heed(&self) {
        while self.next(Some(Duration::ZERO)).is_some() {}
        self.0.unblock(&ENDS);
    }

    /// The end that a signal which nobody has fetched yet means for a process without a command: 128 + signal.
    pub(crate) fn pending_end(&self) -> Option<u8> {
        let heeded: Vec<_> = ENDS.into_iter().filter(|it| !at_start::is_ignored(*it)).collect();
        system::pending(&heeded).map(signal_code)
    }

    /// Works, and meanwhile watches for a signal that ends this process, which has no command yet. Returns
    /// 128 + signal if one came at the last moment; before, the process ends at once.
    ///
    /// The work stays on this thread: memory that another one allocates costs a system call a page.
    pub(crate) fn unless_interrupted<T>(&self, work: impl FnOnce() -> T) -> Result<T, ExitCode> {
        self.unless_interrupted_telling(|_| (), work)
    }

    /// As [`Self::unless_interrupted`], and says the exit code where a shell reads it.
    pub(crate) fn unless_interrupted_in_shell<T>(
        &self,
        work: impl FnOnce() -> T,
    ) -> Result<T, ExitCode> {
        let tell = |code| {
            // There is nobody left to tell when this fails.
            let _ = streams::write(format!("(exit {code})\n").as_bytes());
        };
        self.unless_interrupted_telling(tell, work)
    }

    fn unless_interrupted_telling<T>(
        &self,
        tell: fn(u8),
        work: impl FnOnce() -> T,
    ) -> Result<T, ExitCode> {
        let is_done = Arc::new(AtomicBool::new(false));
        let watched = Arc::clone(&is_done);
        let (told, last) = mpsc::sync_channel(1);
        let watch = move || loop {
            let end = system::next_signal(None).and_then(end_of);
            if watched.load(Ordering::SeqCst) {
                let _ = told.send(end);
                return;
            }
            if let Some(code) = end {
                tell(code);
                std::process::exit(code.into());
            }
        };
        // Without a watcher, the signals wait for the command.
        let watcher = thread::Builder::new().name("vaultlet-wait".into()).spawn(watch);
        let result = work();
        is_done.store(true, Ordering::SeqCst);
        Waker::wake();
        // What is left of its life the thread spends by itself.
        match watcher.ok().and_then(|_| last.recv().ok().flatten()) {
            Some(end) => {
                tell(end);
                Err(ExitCode::from(end))
            }
            None => Ok(result),
        }
    }
}

/// What a signal says to a process that serves others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ToServer {
    /// It shall read its settings anew.
    Reload,
    /// It shall end when all requests are answered.
    End,
    /// It shall end at once, with this exit code.
    Abort(u8),
}

/// Wakes a thread of this process that waits for a signal.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Waker;

impl Waker {
    pub(crate) fn wake() {
        // A signal that the kernel sends, too, and that is never passed on.
        let _ = kill_process(getpid(), Signal::CHILD);
    }
}

/// The exit code 128 + signal, if the signal ends a process without a command.
fn end_of(received: Received) -> Option<u8> {
    match received.number {
        // A pipe whose reader is gone is an error of writing, which is reported there.
        libc::SIGPIPE | libc::SIGCHLD | libc::SIGCONT | libc::SIGURG | libc::SIGWINCH => None,
        number @ (libc::SIGTSTP | libc::SIGTTIN | libc::SIGTTOU) => {
            system::take_by_default(number);
            None
        }
        number if at_start::is_ignored(number) => None,
        number => Some(signal_code(number)),
    }
}

impl Received {
    /// Whether it says that a program shall end.
    pub(super) fn asks_to_end(self) -> bool {
        matches!(self.number, libc::SIGHUP | libc::SIGINT | libc::SIGQUIT | libc::SIGTERM)
    }

    /// Whether a terminal stops programs by it, or they themselves.
    pub(super) fn stops(self) -> bool {
        matches!(self.number, libc::SIGTSTP | libc::SIGTTIN | libc::SIGTTOU)
    }

    /// Whether it is about this process: the end of a child, or what it has sent itself, as the kernel says of
    /// a pipe that it writes to.
    pub(super) fn is_meant_for_us(self) -> bool {
        self.number == libc::SIGCHLD || self.sender == getpid().as_raw_pid()
    }

    /// Whether a program has the signal already, because a terminal sent it to the whole process group.
    pub(super) fn has_reached(self, program: Pid) -> bool {
        let is_of_terminal = match self.number {
            libc::SIGINT
            | libc::SIGQUIT
            | libc::SIGTSTP
            | libc::SIGTTIN
            | libc::SIGTTOU
            | libc::SIGWINCH => self.is_of_kernel,
            // When a terminal is closed, its session's leader gets these alone.
            libc::SIGHUP | libc::SIGCONT => {
                self.is_of_kernel && getsid(None).is_ok_and(|session| session != getpid())
            }
            _ => false,
        };
        is_of_terminal && getpgid(Some(program)).is_ok_and(|group| group == getpgrp())
    }
}
