//! The signals of this process. All that can be caught are blocked and fetched one by one: no handler is
//! installed, so that a signal which was ignored stays so for the command, and none can end this process.
//! <https://man7.org/linux/man-pages/man7/signal.7.html>

use std::process::ExitCode;
use std::sync::mpsc::{self, TryRecvError};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, getpgid, getpgrp, getpid, getsid, kill_process};

use super::{signal_code, system};
use crate::at_start;

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

    /// Waits for a signal that ends a process without a command. Returns 128 + signal.
    pub(crate) fn wait_for_end(&self) -> ExitCode {
        loop {
            if let Some(end) = self.next(None).and_then(end_of) {
                return end;
            }
        }
    }

    /// Works on another thread, until it is done or a signal ends this process, which has no command yet. Then
    /// the work goes on until the process ends. Returns 128 + signal in that case.
    pub(crate) fn unless_interrupted<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, ExitCode> {
        let (done, result) = mpsc::channel();
        let work = move || {
            // Also when the work panics.
            let _wake = Wake;
            let _ = done.send(work());
        };
        let started = thread::Builder::new().name("vaultlet-read".into()).spawn(work);
        if started.is_err() {
            return Err(ExitCode::from(70));
        }
        loop {
            let received = self.next(None);
            match result.try_recv() {
                Ok(result) => return Ok(result),
                Err(TryRecvError::Disconnected) => return Err(ExitCode::from(70)),
                Err(TryRecvError::Empty) => {}
            }
            if let Some(end) = received.and_then(end_of) {
                return Err(end);
            }
        }
    }
}

/// Sends a signal to this process, which waits for one.
struct Wake;

impl Drop for Wake {
    fn drop(&mut self) {
        let _ = kill_process(getpid(), Signal::URG);
    }
}

/// The exit code 128 + signal, if the signal ends a process without a command.
fn end_of(received: Received) -> Option<ExitCode> {
    match received.number {
        // A pipe whose reader is gone is an error of writing, which is reported there.
        libc::SIGPIPE | libc::SIGCHLD | libc::SIGCONT | libc::SIGURG | libc::SIGWINCH => None,
        number @ (libc::SIGTSTP | libc::SIGTTIN | libc::SIGTTOU) => {
            system::take_by_default(number);
            None
        }
        number if at_start::is_ignored(number) => None,
        number => Some(ExitCode::from(signal_code(number))),
    }
}

impl Received {
    /// Whether it says that a program shall end.
    pub(super) fn asks_to_end(self) -> bool {
        matches!(self.number, libc::SIGHUP | libc::SIGINT | libc::SIGQUIT | libc::SIGTERM)
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
