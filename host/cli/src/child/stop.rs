//! Stopping when the command has stopped, so that a shell or a scheduler sees it, and continuing when either is
//! continued.

use rustix::process::{Pid, Signal, WaitOptions, getpid, kill_process, waitpid};

use super::system;

/// Stops this process until it is continued, or until the program is. A stopped process is not told of that, so
/// that a small process watches meanwhile, which is returned.
pub(super) fn follow(program: Pid) -> Option<Pid> {
    let watcher = system::watch_stopped(program);
    // Process 1 of a container cannot be stopped by itself, and goes on.
    let _ = kill_process(getpid(), Signal::STOP);
    if let Some(watcher) = watcher {
        let _ = kill_process(watcher, Signal::KILL);
        let _ = waitpid(Some(watcher), WaitOptions::empty());
    }
    watcher
}
