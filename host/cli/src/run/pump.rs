//! Carries one stream of the command's output to ours, masked.

use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::{Errno, ioctl_fionread, read};
use zeroize::Zeroizing;

use super::terminal::Terminal;
use crate::mask::{Mask, PIECE, Stream};
use crate::streams;

/// The time after the command's end in which others may still write to its output.
const AFTERWARDS: Duration = Duration::from_millis(900);

/// Where a stream of the command's is read, and where it goes.
pub(super) struct Link {
    pub(super) reader: OwnedFd,
    pub(super) writer: OwnedFd,
    /// The terminal that it goes to.
    pub(super) terminal: Option<Terminal>,
}

/// Carries one stream.
pub(super) struct Pump {
    link: Link,
    mask: Arc<Mask>,
    /// A pipe that is closed when the command has ended.
    ended: Arc<OwnedFd>,
}

impl Pump {
    pub(super) fn new(link: Link, mask: Arc<Mask>, ended: Arc<OwnedFd>) -> Self {
        Self { link, mask, ended }
    }

    /// Carries until the end. On failure the command's end is closed, so that it gets SIGPIPE as it would from
    /// our own stream.
    pub(super) fn run(mut self) -> io::Result<()> {
        let mask = Arc::clone(&self.mask);
        let mut stream = Stream::new(&mask);
        let mut piece = Zeroizing::new(vec![0; PIECE]);
        let mut out = Vec::with_capacity(PIECE);
        let mut end = None;
        loop {
            let more = self.wait(&stream, &mut end)?;
            out.clear();
            let is_end = match more {
                More::Came => match self.read(&mut piece)? {
                    0 => true,
                    count => {
                        stream.push(piece.get(..count).unwrap_or_default(), &mut out);
                        if let Some(terminal) = &mut self.link.terminal {
                            terminal.follow();
                        }
                        false
                    }
                },
                More::None => {
                    stream.flush(&mut out);
                    false
                }
                More::Late => {
                    // What is there already is the command's own, perhaps.
                    let mut left = ioctl_fionread(&self.link.reader).unwrap_or(0);
                    while left > 0 {
                        let count = self.read(&mut piece)?;
                        stream.push(piece.get(..count).unwrap_or_default(), &mut out);
                        left = if count == 0 { 0 } else { left.saturating_sub(count as u64) };
                    }
                    true
                }
            };
            if is_end {
                stream.flush(&mut out);
            }
            streams::write_to(self.link.writer.as_fd(), &out)?;
            if is_end {
                return Ok(());
            }
        }
    }

    /// Waits until there is more to read.
    fn wait(&mut self, stream: &Stream<'_>, end: &mut Option<Instant>) -> io::Result<More> {
        loop {
            let held = stream.patience();
            let left = end.map(|end| end.saturating_duration_since(Instant::now()));
            if left == Some(Duration::ZERO) {
                return Ok(More::Late);
            }
            let timeout = held.into_iter().chain(left).min();
            let timeout = timeout.and_then(|time| Timespec::try_from(time).ok());
            let keyboard = self.link.terminal.as_ref().and_then(Terminal::keyboard);
            let watched = [
                Some(self.link.reader.as_fd()),
                keyboard,
                end.is_none().then(|| self.ended.as_fd()),
            ];
            let mut watched: Vec<_> = watched
                .iter()
                .flatten()
                .map(|fd| PollFd::from_borrowed_fd(*fd, PollFlags::IN))
                .collect();
            match poll(&mut watched, timeout.as_ref()) {
                Ok(0) if held.is_some_and(|held| left.is_none_or(|left| left > held)) => {
                    return Ok(More::None);
                }
                Ok(0) | Err(Errno::INTR) => continue,
                Ok(_) => {}
                Err(error) => return Err(error.into()),
            }
            let mut ready = watched.iter().map(|it| !it.revents().is_empty());
            if ready.next() == Some(true) {
                return Ok(More::Came);
            }
            let is_typed = keyboard.is_some() && ready.next() == Some(true);
            if end.is_none() && ready.next() == Some(true) {
                *end = Some(Instant::now() + AFTERWARDS);
            }
            if is_typed && let Some(terminal) = &mut self.link.terminal {
                terminal.carry();
            }
        }
    }

    fn read(&self, piece: &mut [u8]) -> io::Result<usize> {
        loop {
            match read(&self.link.reader, &mut *piece) {
                Ok(count) => return Ok(count),
                Err(Errno::INTR) => {}
                // The last who had the pseudo-terminal open has closed it.
                Err(Errno::IO) => return Ok(0),
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// What there is to do.
enum More {
    /// More has come, or the end.
    Came,
    /// Nothing has come for a while.
    None,
    /// The command has ended a while ago.
    Late,
}
