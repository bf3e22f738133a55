//! Carries one stream of the command's output to ours, masked.

use std::io;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::{Errno, ioctl_fionread, read};
use zeroize::Zeroize as _;

use super::masks::Masks;
use super::terminal::Terminal;
use crate::mask::{Output, PIECE, Stream};
use crate::streams;

/// Bytes that are read at once until so many have come.
const PIECE_FIRST: usize = 8 << 10;
/// The time after the command's end in which others may still write to its output.
const AFTERWARDS: Duration = Duration::from_millis(900);

/// Where a stream of the command's is read, and where it goes.
pub(super) struct Link {
    pub(super) reader: OwnedFd,
    pub(super) writer: OwnedFd,
    /// The terminal that it goes to.
    pub(super) terminal: Option<Terminal>,
}

/// Whether what has come of a stream has been carried.
pub(super) struct Progress {
    /// Our end of a pseudo-terminal. That of a pipe must be closed when it cannot be carried any more.
    reader: Option<OwnedFd>,
    /// Whether something is held back that will be written in a while.
    is_holding: Mutex<bool>,
    has_changed: Condvar,
}

impl Progress {
    pub(super) fn new(link: &Link) -> io::Result<Self> {
        let terminal = link.terminal.as_ref().map(|_| link.reader.try_clone());
        let reader = terminal.transpose()?;
        Ok(Self { reader, is_holding: Mutex::new(false), has_changed: Condvar::new() })
    }

    /// Waits until everything has been carried that has come, or until this moment.
    pub(super) fn wait(&self, end: Instant) {
        let mut is_holding = self.is_holding.lock().unwrap_or_else(PoisonError::into_inner);
        while *is_holding || self.has_more() {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            let waited = self.has_changed.wait_timeout(is_holding, left);
            is_holding = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Something has come that a thread is about to carry.
    fn expect(&self) {
        *self.is_holding.lock().unwrap_or_else(PoisonError::into_inner) = true;
    }

    fn has_more(&self) -> bool {
        let Some(reader) = &self.reader else { return false };
        let mut reader = [PollFd::new(reader, PollFlags::IN)];
        poll(&mut reader, Some(&Timespec::default())).is_ok()
            && reader.iter().any(|it| it.revents().contains(PollFlags::IN))
    }
}

/// What has come of a stream before it was carried.
pub(super) enum Look {
    Nothing,
    /// Nothing has come, and nothing will.
    Ended,
    Came,
}

/// Carries one stream.
pub(super) struct Pump {
    link: Link,
    masks: Arc<Masks>,
    /// A pipe that is closed when the command has ended.
    ended: Arc<OwnedFd>,
    progress: Arc<Progress>,
}

impl Pump {
    pub(super) fn new(
        link: Link,
        masks: Arc<Masks>,
        ended: Arc<OwnedFd>,
        progress: Arc<Progress>,
    ) -> Self {
        Self { link, masks, ended, progress }
    }

    /// Where the stream is read.
    pub(super) fn reader(&self) -> BorrowedFd<'_> {
        self.link.reader.as_fd()
    }

    /// Whether something has come of the stream.
    pub(super) fn look(&self) -> Look {
        let mut reader = [PollFd::new(&self.link.reader, PollFlags::IN)];
        match poll(&mut reader, Some(&Timespec::default())) {
            Ok(0) | Err(Errno::INTR) => Look::Nothing,
            _ if reader.iter().all(|it| it.revents() == PollFlags::HUP) => Look::Ended,
            _ => {
                self.progress.expect();
                Look::Came
            }
        }
    }

    /// Carries until the end. On failure the command's end is closed, so that it gets SIGPIPE as it would from
    /// our own stream.
    pub(super) fn run(mut self) -> io::Result<()> {
        let mut piece = Piece::default();
        let progress = Arc::clone(&self.progress);
        let (mut held, mut came, mut end) = (None, None, None);
        // Once for each mask.
        loop {
            let mask = self.masks.current();
            let mut stream = match held {
                Some(held) => Stream::resumed(&mask, held),
                None => Stream::new(&mask),
            };
            loop {
                let more = match came.take() {
                    Some(more) => more,
                    None => self.wait(&stream, &mut end)?,
                };
                if !Arc::ptr_eq(&mask, &self.masks.current()) {
                    came = Some(more);
                    break;
                }
                let carrying = progress.is_holding.lock();
                let is_end = self.carry(more, &mut stream, &mut piece)?;
                *carrying.unwrap_or_else(PoisonError::into_inner) = stream.patience().is_some();
                progress.has_changed.notify_all();
                if is_end {
                    return Ok(());
                }
            }
            held = Some(stream.into_held());
        }
    }

    /// Reads, masks and writes what has come. Returns whether it was the last.
    fn carry(
        &mut self,
        more: More,
        stream: &mut Stream<'_>,
        piece: &mut Piece,
    ) -> io::Result<bool> {
        let is_end = match more {
            More::Came => {
                let is_end = self.carry_piece(stream, piece)? == 0;
                if let Some(terminal) = self.link.terminal.as_mut().filter(|_| !is_end) {
                    terminal.follow();
                }
                is_end
            }
            More::None => false,
            More::Late => {
                // What is there already is the command's own, perhaps.
                let mut left = ioctl_fionread(&self.link.reader).unwrap_or(0);
                while left > 0 {
                    let count = self.carry_piece(stream, piece)?;
                    left = if count == 0 { 0 } else { left.saturating_sub(count as u64) };
                }
                true
            }
        };
        if is_end || matches!(more, More::None) {
            let mut out = Output::default();
            stream.flush(&mut out);
            self.write(&out)?;
        }
        Ok(is_end)
    }

    /// Returns how many bytes have come; none at the end.
    fn carry_piece(&mut self, stream: &mut Stream<'_>, piece: &mut Piece) -> io::Result<usize> {
        let count = self.read(piece.room())?;
        let mut out = Output::default();
        stream.push(piece.take(count), &mut out);
        self.write(&out)?;
        Ok(count)
    }

    fn write(&self, out: &Output<'_>) -> io::Result<()> {
        streams::write_all_to(self.link.writer.as_fd(), &mut out.parts())
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

/// The room for what is read, which grows with what comes: a program that prints little costs little memory.
#[derive(Default)]
struct Piece {
    bytes: Vec<u8>,
    /// How many bytes of it may hold output, which may hold secrets.
    used: usize,
}

impl Piece {
    fn room(&mut self) -> &mut [u8] {
        if self.bytes.len() <= self.used && self.bytes.len() < PIECE {
            self.scrub();
            self.bytes = vec![0; if self.bytes.is_empty() { PIECE_FIRST } else { PIECE }];
        }
        &mut self.bytes
    }

    /// What was read into it.
    fn take(&mut self, count: usize) -> &[u8] {
        self.used = self.used.max(count);
        self.bytes.get(..count).unwrap_or_default()
    }

    fn scrub(&mut self) {
        if let Some(used) = self.bytes.get_mut(..self.used) {
            used.zeroize();
        }
        self.used = 0;
    }
}

impl Drop for Piece {
    fn drop(&mut self) {
        self.scrub();
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
