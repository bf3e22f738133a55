//! A pseudo-terminal that stands for one of our terminals: of the same size, and with the settings that the command
//! gives it, so that a full-screen program works through it. The keyboard stays that of the real terminal, but for
//! a program that opens the terminal by the name of its output's, as pagers do: it gets what is typed through the
//! pseudo-terminal.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;

use rustix::io::{dup, read};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{
    LocalModes, OptionalActions, OutputModes, SpecialCodeIndex, Termios, tcgetattr, tcgetwinsize,
    tcsetattr, tcsetwinsize,
};
use zeroize::Zeroizing;

use crate::streams;

/// Our end of a pseudo-terminal, and the terminal that it stands for.
pub(super) struct Terminal {
    real: OwnedFd,
    ours: OwnedFd,
    /// The settings of the real one, and of the pseudo-terminal, as they began.
    began: (Termios, Termios),
    /// The settings of the pseudo-terminal that the real one has taken over.
    last: Termios,
    /// Whether a program reads what is typed from the pseudo-terminal.
    is_read: bool,
}

impl Terminal {
    /// Opens a pseudo-terminal for a terminal; returns the end for a command, too.
    pub(super) fn open(real: OwnedFd) -> io::Result<(Self, OwnedFd)> {
        let (ours, theirs) = pair()?;
        let settings = tcgetattr(&real)?;
        let mut raw = settings.clone();
        // The real terminal turns line ends into its own; done twice, they would be others.
        raw.output_modes.remove(OutputModes::OPOST);
        tcsetattr(&theirs, OptionalActions::Now, &raw)?;
        let last = tcgetattr(&theirs)?;
        let mut terminal =
            Self { real, ours, began: (settings, last.clone()), last, is_read: false };
        terminal.resize();
        Ok((terminal, theirs))
    }

    /// Our end, and the terminal, once more.
    pub(super) fn again(&self) -> io::Result<Self> {
        Ok(Self {
            real: dup(&self.real)?,
            ours: dup(&self.ours)?,
            began: self.began.clone(),
            last: self.last.clone(),
            is_read: self.is_read,
        })
    }

    /// Our end.
    pub(super) fn reader(&self) -> io::Result<OwnedFd> {
        Ok(dup(&self.ours)?)
    }

    /// Gives the pseudo-terminal the size of the terminal.
    pub(super) fn resize(&mut self) {
        if let Ok(size) = tcgetwinsize(&self.real) {
            let _ = tcsetwinsize(&self.ours, size);
        }
    }

    /// Gives both terminals the settings that they began with, after a command that did not.
    pub(super) fn reset(&self) {
        let (real, pseudo) = &self.began;
        let _ = tcsetattr(&self.ours, OptionalActions::Now, pseudo);
        let _ = tcsetattr(&self.real, OptionalActions::Now, real);
    }

    /// Gives the terminal the settings that the command has given the pseudo-terminal since.
    pub(super) fn follow(&mut self) {
        let Ok(now) = tcgetattr(self.ours.as_fd()) else { return };
        if is_same(&now, &self.last) {
            return;
        }
        let (real, pseudo) = &self.began;
        let wanted = if is_same(&now, pseudo) { real } else { &now };
        let _ = tcsetattr(&self.real, OptionalActions::Now, wanted);
        self.is_read = !now.local_modes.contains(LocalModes::ICANON) && self.is_open_by_name();
        self.last = now;
    }

    /// The keyboard, if what is typed is to be carried to the pseudo-terminal.
    pub(super) fn keyboard(&self) -> Option<BorrowedFd<'_>> {
        self.is_read.then(|| self.real.as_fd())
    }

    /// Carries what is typed to the pseudo-terminal.
    pub(super) fn carry(&mut self) {
        let mut typed = Zeroizing::new([0; 1024]);
        let count = read(&self.real, &mut *typed).unwrap_or(0);
        let typed = typed.get(..count).unwrap_or_default();
        // Without an end it would be asked again and again.
        self.is_read = count > 0 && streams::write_to(self.ours.as_fd(), typed).is_ok();
    }

    /// Whether a process has the pseudo-terminal open besides as a standard stream.
    fn is_open_by_name(&self) -> bool {
        let Ok(name) = ptsname(&self.ours, Vec::new()) else { return false };
        let name = OsStr::from_bytes(name.as_bytes());
        let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
        let descriptors = processes
            .filter(|it| it.file_name().as_bytes().first().is_some_and(u8::is_ascii_digit))
            .filter_map(|process| fs::read_dir(process.path().join("fd")).ok())
            .flat_map(|descriptors| descriptors.flatten());
        let is_stream = |number: &OsStr| matches!(number.as_bytes(), b"0" | b"1" | b"2");
        descriptors
            .filter(|it| !is_stream(&it.file_name()))
            .any(|it| fs::read_link(it.path()).is_ok_and(|path| path == name))
    }
}

/// The ends of a pseudo-terminal: ours, and that of a command, which is opened without its name: this process may not
/// see it.
#[cfg(target_os = "linux")]
fn pair() -> io::Result<(OwnedFd, OwnedFd)> {
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
    let ours = openpt(flags)?;
    grantpt(&ours)?;
    unlockpt(&ours)?;
    let theirs = rustix::pty::ioctl_tiocgptpeer(&ours, flags)?;
    Ok((ours, theirs))
}

/// The ends of a pseudo-terminal: ours, and that of a command.
#[cfg(not(target_os = "linux"))]
fn pair() -> io::Result<(OwnedFd, OwnedFd)> {
    use rustix::fs::{Mode, OFlags, open};
    use rustix::io::{FdFlags, fcntl_setfd};

    let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY)?;
    fcntl_setfd(&ours, FdFlags::CLOEXEC)?;
    grantpt(&ours)?;
    unlockpt(&ours)?;
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
    let theirs = open(ptsname(&ours, Vec::new())?, flags, Mode::empty())?;
    Ok((ours, theirs))
}

fn is_same(one: &Termios, other: &Termios) -> bool {
    let codes = [SpecialCodeIndex::VMIN, SpecialCodeIndex::VTIME, SpecialCodeIndex::VINTR];
    one.input_modes == other.input_modes
        && one.output_modes == other.output_modes
        && one.control_modes == other.control_modes
        && one.local_modes == other.local_modes
        && codes.into_iter().all(|code| one.special_codes[code] == other.special_codes[code])
}
