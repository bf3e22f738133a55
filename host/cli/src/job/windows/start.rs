//! Running a command job, which is not on Windows: its command is one for bash.

use std::io::{self, Write as _};
use std::process::ExitCode;

use super::definition::Identity;
use super::file::JobFile;
use crate::child::Signals;
use crate::failure::Failure;
use crate::not_here::not_here;
use crate::options::Options;

/// Fails.
pub(super) fn check_system() -> Result<(), Failure> {
    Err(not_here(
        "running a job: `job run` is",
        "the command of a job is for bash: run it in WSL or in a container; `vaultlet job check` is here, and `vaultlet run -- COMMAND` for a command of Windows",
    ))
}

/// Fails as [`check_system`] does, which is asked before.
pub(super) fn start(
    _: JobFile,
    _: &Identity,
    _: Options,
    _: &Signals,
) -> Result<ExitCode, Failure> {
    check_system().map(|()| ExitCode::SUCCESS)
}

/// Tells a person something that is no error.
pub(super) fn say(text: &str) {
    let _ = writeln!(io::stderr(), "vaultlet job: {text}");
}
