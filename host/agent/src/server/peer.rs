//! Who asks: the user and the program at the other end of a unix socket, as the kernel has them.

use std::io;
#[cfg(target_os = "linux")]
use std::os::fd::OwnedFd;
use std::path::PathBuf;

use tokio::net::UnixStream;

/// The process at the other end.
#[derive(Debug)]
pub(super) struct Peer {
    /// The user who has connected.
    pub(super) user: u32,
    /// The process that has connected.
    pub(super) pid: Option<u32>,
    /// The process's folder in `/proc`, which never stands for another process.
    #[cfg(target_os = "linux")]
    folder: Option<OwnedFd>,
}

impl Peer {
    /// The process that has connected to a socket, whose program is looked at only if need be.
    #[cfg_attr(not(target_os = "linux"), allow(unused_variables, reason = "no program is told"))]
    pub(super) fn new(socket: &UnixStream, needs_program: bool) -> io::Result<Self> {
        let credentials = socket.peer_cred()?;
        let pid = credentials.pid().and_then(|pid| u32::try_from(pid).ok());
        Ok(Self {
            user: credentials.uid(),
            pid,
            #[cfg(target_os = "linux")]
            folder: pid
                .filter(|_| needs_program)
                .and_then(|pid| proc::folder(pid, credentials.uid(), socket)),
        })
    }

    /// The program that asks, without symbolic links: what the process runs now. `None` when that cannot be seen:
    /// the process has ended, belongs to another user (and we are not root), keeps itself from being looked at, or
    /// runs a file that is none of ours; and where nobody needs it.
    pub(super) fn program(&self) -> Option<PathBuf> {
        #[cfg(target_os = "linux")]
        return self.folder.as_ref().and_then(proc::program);
        #[cfg(not(target_os = "linux"))]
        None
    }
}

#[cfg(target_os = "linux")]
mod proc {
    use std::ffi::OsString;
    use std::os::fd::{AsFd, OwnedFd};
    use std::os::unix::ffi::OsStringExt as _;
    use std::path::PathBuf;

    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    use rustix::fs::{self, AtFlags, Mode, OFlags};
    use tokio::net::UnixStream;

    use crate::server::system::{self, PeerProcess};

    /// Opens the folder of a process that has connected. Another process may have its number by now: then the
    /// descriptor of the process says that it has ended. Where the system has no such descriptor, the folder's user
    /// must be the one who has connected.
    pub(super) fn folder(pid: u32, user: u32, socket: &UnixStream) -> Option<OwnedFd> {
        let process = system::peer_process(socket);
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let folder = fs::open(format!("/proc/{pid}"), flags, Mode::empty()).ok()?;
        let is_same = match process {
            PeerProcess::Open(process) => !has_ended(&process),
            PeerProcess::Ended => false,
            // A process that keeps itself from being looked at has root's folder.
            PeerProcess::Unsupported => {
                fs::fstat(&folder).is_ok_and(|it| it.st_uid == user || it.st_uid == 0)
            }
        };
        is_same.then_some(folder)
    }

    fn has_ended(process: &OwnedFd) -> bool {
        let process = &mut [PollFd::new(process, PollFlags::IN)];
        let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
        poll(process, Some(&at_once)).is_ok_and(|ready| ready > 0)
    }

    /// The file that the process runs. Its path is the one in the process's own file system, which may be another
    /// than ours: the file must be the one that we have there.
    pub(super) fn program(folder: &OwnedFd) -> Option<PathBuf> {
        let path = fs::readlinkat(folder.as_fd(), "exe", Vec::new()).ok()?;
        let path = PathBuf::from(OsString::from_vec(path.into_bytes()));
        let runs = fs::statat(folder.as_fd(), "exe", AtFlags::empty()).ok()?;
        let ours = fs::stat(&path).ok()?;
        let is_same = (runs.st_dev, runs.st_ino) == (ours.st_dev, ours.st_ino);
        is_same.then_some(path)
    }
}
