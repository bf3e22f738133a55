//! The output of a command, masked on its way to our own streams: pipes, or a pseudo-terminal where ours is a
//! terminal.

use std::io;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::process::{Command, ExitCode, Stdio};
use std::sync::Arc;
use std::thread;

use rustix::fs::{FileType, fstat};
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::termios::isatty;

use super::pump::{Link, Pump};
use super::terminal::Terminal;
use crate::child::{self, Signals};
use crate::failure::Failure;
use crate::mask::Mask;
use crate::output;

/// Bytes that a pipe shall hold, as far as the system allows it: fewer switches between the processes.
pub(super) const PIPE: usize = 1 << 20;

/// Runs a command with its output masked.
pub(super) fn run(
    mut command: Command,
    mask: Mask,
    signals: &Signals,
) -> Result<ExitCode, Failure> {
    if mask.is_empty() {
        return Ok(ExitCode::from(child::run(command, signals)?.code));
    }
    let failed = |error: &io::Error| output::failed(error);
    let (links, mut terminals) = connect(&mut command).map_err(|error| failed(&error))?;
    let mask = Arc::new(mask);
    // Its closing says that the command has ended.
    let (ended, has_ended) = pipe_with(PipeFlags::CLOEXEC).map_err(|e| failed(&e.into()))?;
    let ended = Arc::new(ended);
    let mut pumps = Vec::new();
    for link in links {
        let pump = Pump::new(link, Arc::clone(&mask), Arc::clone(&ended));
        let started = thread::Builder::new().name("vaultlet-mask".into()).spawn(move || pump.run());
        pumps.push(started.map_err(|error| failed(&error))?);
    }
    let running = child::start(&mut command, signals)?;
    // With the command, our ends of what it writes to are closed.
    drop(command);
    let end = running.wait_with(signals, || {
        terminals.iter_mut().for_each(Terminal::resize);
        !terminals.is_empty()
    });
    drop(has_ended);
    let mut failure = None;
    for pump in pumps {
        if let Ok(Err(error)) = pump.join() {
            failure = failure.or(Some(error));
        }
    }
    match failure {
        Some(error) if end.code == 0 => Err(output::failed(&error)),
        _ => Ok(ExitCode::from(end.code)),
    }
}

/// Gives the command streams of ours in place of those of this process. Returns where each is read and where it
/// goes, and the terminals among them.
fn connect(command: &mut Command) -> io::Result<(Vec<Link>, Vec<Terminal>)> {
    let (stdout, stderr) = (io::stdout(), io::stderr());
    let (stdout, stderr) = (stdout.as_fd(), stderr.as_fd());
    let mut terminals = Vec::new();
    let mut links = Vec::new();
    let mut open = |stream: BorrowedFd<'_>| -> io::Result<OwnedFd> {
        let writer = stream.try_clone_to_owned()?;
        if !isatty(stream) {
            let (reader, theirs) = pipe_with(PipeFlags::CLOEXEC)?;
            let _ = rustix::pipe::fcntl_setpipe_size(&theirs, PIPE);
            links.push(Link { reader, writer, terminal: None });
            return Ok(theirs);
        }
        let (terminal, theirs) = Terminal::open(stream.try_clone_to_owned()?)?;
        links.push(Link { reader: terminal.reader()?, writer, terminal: Some(terminal.again()?) });
        terminals.push(terminal);
        Ok(theirs)
    };
    let theirs = open(stdout)?;
    // What is written to one place through two pipes would be out of order.
    command.stderr(if is_same(stdout, stderr) {
        Stdio::from(theirs.try_clone()?)
    } else {
        Stdio::from(open(stderr)?)
    });
    command.stdout(Stdio::from(theirs));
    Ok((links, terminals))
}

/// Whether both lead to one terminal, pipe or file.
pub(super) fn is_same(one: BorrowedFd<'_>, other: BorrowedFd<'_>) -> bool {
    let (Ok(one), Ok(other)) = (fstat(one), fstat(other)) else { return false };
    let is_special = FileType::from_raw_mode(one.st_mode) == FileType::CharacterDevice;
    // A device such as `/dev/null` has no order to keep.
    (one.st_dev, one.st_ino) == (other.st_dev, other.st_ino)
        && (!is_special || one.st_rdev == other.st_rdev)
}
