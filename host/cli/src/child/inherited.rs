//! What this process was started with, for the command: Rust's start-up code opens standard streams that were
//! closed and ignores SIGPIPE, and this program allows itself no core dumps.

use std::io;
use std::os::fd::RawFd;
use std::process::Command;
use std::sync::OnceLock;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::system;
use crate::at_start;

static CORE: OnceLock<Rlimit> = OnceLock::new();
static DESCRIPTORS: OnceLock<Rlimit> = OnceLock::new();

/// Remembers the limit of core dumps. Call this before it is lowered.
pub(crate) fn keep_core_limit() {
    CORE.get_or_init(|| getrlimit(Resource::Core));
}

/// Allows this process as many descriptors as the system does. Most programs are given fewer, because `select` knows
/// no more than 1,024; the command gets what this process was started with.
pub(crate) fn raise_descriptor_limit() {
    let limit = DESCRIPTORS.get_or_init(|| getrlimit(Resource::Nofile));
    // Where that is refused, fewer programs are served at once.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..*limit });
}

/// Restores limits and ignored signals, in the child.
pub(super) fn restore() -> io::Result<()> {
    if let Some(core) = CORE.get() {
        setrlimit(Resource::Core, *core)?;
    }
    if let Some(descriptors) = DESCRIPTORS.get() {
        setrlimit(Resource::Nofile, *descriptors)?;
    }
    if at_start::ignores_pipe() {
        system::ignore(libc::SIGPIPE);
    }
    Ok(())
}

/// Gives SIGPIPE the action that this process was started with.
pub(crate) fn restore_pipe_signal() {
    if !at_start::ignores_pipe() {
        system::take_default(libc::SIGPIPE);
    }
}

/// Closes the standard streams that were closed, in the child.
pub(super) fn close_streams() -> io::Result<()> {
    at_start::closed().for_each(system::close);
    Ok(())
}

/// Has a command inherit these descriptors under their numbers. They must be open when it starts.
pub(crate) fn hand_down(command: &mut Command, descriptors: Vec<RawFd>) {
    if !descriptors.is_empty() {
        system::before_exec(command, move || {
            descriptors.iter().copied().try_for_each(system::keep)
        });
    }
}
