//! The signals of this process. All that can be caught are blocked and fetched one by one: no handler is
//! installed, so that a signal which was ignored stays so for the command, and none can end this process.
//! <https://man7.org/linux/man-pages/man7/signal.7.html>

use std::process::ExitCode;
use std::time::Duration;

use rustix::process::{Pid, getpgid, getpgrp, getpid, getsid};

use super::{signal_code, system};

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
            let Some(Received { number, .. }) = self.next(None) else { continue };
            match number {
                // A pipe whose reader is gone is an error of writing, which is reported there.
                libc::SIGPIPE | libc::SIGCHLD | libc::SIGCONT | libc::SIGURG | libc::SIGWINCH => {}
                libc::SIGTSTP | libc::SIGTTIN | libc::SIGTTOU => system::take_by_default(number),
                _ if system::is_ignored(number) => {}
                _ => return ExitCode::from(signal_code(number)),
            }
        }
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
