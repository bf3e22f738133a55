//! Programs that are run to their end.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::ioctl_fionbio;
use rustix::process::{Pid, Signal, kill_process_group};

/// The program of this name in a folder.
pub(crate) fn find(folder: &Path, name: &str) -> Option<PathBuf> {
    let file = folder.join(name);
    let metadata = file.metadata().ok()?;
    (metadata.is_file() && metadata.permissions().mode() & 0o111 != 0).then_some(file)
}

/// Has a program run in a folder that is always there, and in a group with all that it starts.
pub(crate) fn set_apart(command: &mut Command) {
    command.current_dir("/").process_group(0);
}

/// A program and all that it started.
pub(crate) struct Group(Option<Pid>);

impl Group {
    /// The group of a program that was [set apart](set_apart).
    pub(crate) fn of(child: &Child) -> Self {
        Self(Pid::from_raw(child.id().cast_signed()))
    }

    /// Ends all of them. The program must not have been waited for, as its process id may be another's by then.
    pub(crate) fn kill(&self) {
        if let Some(group) = self.0 {
            // The group may have ended by now.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

/// The output of a program. Reading it never waits.
pub(crate) struct Output(File);

impl Output {
    pub(crate) fn new(pipe: impl Into<OwnedFd>) -> io::Result<Self> {
        let pipe = pipe.into();
        ioctl_fionbio(&pipe, true)?;
        Ok(Self(pipe.into()))
    }
}

impl Read for Output {
    fn read(&mut self, space: &mut [u8]) -> io::Result<usize> {
        self.0.read(space)
    }
}

/// Waits for output, but not for longer than `time`: nothing tells of the program's end.
pub(crate) fn wait<'a>(outputs: impl Iterator<Item = &'a Output>, time: Duration) {
    let mut polled: Vec<_> = outputs.map(|output| PollFd::new(&output.0, PollFlags::IN)).collect();
    let time = Timespec::try_from(time).ok();
    // Whatever it says, the caller looks at the pipes and the program next.
    let _ = poll(&mut polled, time.as_ref());
}

/// The exit status, as a shell reports it.
pub(crate) fn status(status: ExitStatus) -> i32 {
    status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or_default())
}
