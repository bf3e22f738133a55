//! Keeping the memory and the environment of a process from others.
//! <https://man7.org/linux/man-pages/man2/pr_set_dumpable.2const.html>

use std::io;

use crate::system::process::protect;

/// Keeps secrets of this process from other processes of its user: it leaves no core dump, and on Linux only root
/// may read its memory and its `/proc/PID/environ`, or attach a debugger.
///
/// The whole process is affected, whatever else it does, so that a library does not do this by itself: call it
/// early in a program of your own. Programs that the process starts get the lowered limit of core dumps
/// (`RLIMIT_CORE`, the soft one) and are otherwise not affected. The `vaultlet` program does this.
pub fn protect_process() -> io::Result<()> {
    protect()
}
