//! Stopping when the command has stopped, so that a shell or a scheduler sees it, and continuing when either is
//! continued.

use std::fs;

use rustix::process::{Pid, Signal, WaitOptions, getpid, kill_process, waitpid};

use super::system;
use crate::at_start;

/// Stops this process by the program's signal until it is continued, or until the program is. A stopped process is
/// not told of that, so that a small process watches meanwhile, which is returned.
pub(super) fn follow(program: Pid, signal: i32) -> Option<Pid> {
    let watcher = system::watch_stopped(program);
    let is_of_terminal = matches!(signal, libc::SIGTSTP | libc::SIGTTIN | libc::SIGTTOU);
    if is_of_terminal && !at_start::is_ignored(signal) {
        system::take_by_default(signal);
    }
    // Whoever was stopped has been continued. In a process group without a shell these signals stop nobody.
    if system::pending(&[libc::SIGCONT]).is_none() {
        // Process 1 of a container cannot be stopped by itself, and goes on.
        let _ = kill_process(getpid(), Signal::STOP);
    }
    if let Some(watcher) = watcher {
        let _ = kill_process(watcher, Signal::KILL);
        let _ = waitpid(Some(watcher), WaitOptions::empty());
    }
    watcher
}

/// Generations between a program and a process that it has started, at most.
const GENERATIONS_MAX: usize = 64;

/// Whether a process is the program, or was started by it, at any distance.
pub(super) fn is_or_descends_from(process: i32, program: Pid) -> bool {
    let parent = |process: i32| {
        let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
        // The parent comes second after the name, which is in parentheses.
        stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
    };
    let line = std::iter::successors(Some(process), |process| parent(*process));
    line.take(GENERATIONS_MAX).any(|process| process == program.as_raw_pid())
}
