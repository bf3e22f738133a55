//! The output of a command, masked on its way to our own streams: pipes, or a pseudo-terminal where ours is a
//! terminal.

use std::io;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::process::{Command, ExitCode};
use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::fs::{FileType, fstat};
use rustix::termios::isatty;

use super::masks::Masks;
use super::pump::{Link, Look, Progress, Pump};
use super::terminal::Terminal;
use crate::child::{self, Attend, Descriptor, Running, Signals};
use crate::failure::Failure;
use crate::mask::Mask;
use crate::output;
use crate::streams::widen;

/// The time for what was written before the command stopped, in case nobody reads it.
const BEFORE_STOP: Duration = Duration::from_millis(500);
/// The time after which a thread is asked for again.
const AGAIN: Duration = Duration::from_millis(20);

/// The streams of a command, or of several that are run one after the other.
pub(super) struct Output {
    masks: Arc<Masks>,
    /// What a command gets in place of our standard output and standard error.
    theirs: Option<(OwnedFd, OwnedFd)>,
    terminals: Vec<Terminal>,
    /// Those of the streams that nothing has come of. Most commands write to few of their streams, and some to none:
    /// a thread that has nothing to carry would only make the command late.
    #[allow(
        clippy::vec_box,
        reason = "one is given to its thread, and back if there is none, by its address"
    )]
    waiting: Vec<Box<Pump>>,
    /// Whether the system has no thread for one of them.
    is_late: bool,
    pumps: Vec<JoinHandle<io::Result<()>>>,
    progress: Vec<Arc<Progress>>,
    /// A pipe whose closing says that the command has ended.
    running: OwnedFd,
}

impl Output {
    /// Opens streams that are masked on their way to our own, as soon as there is a mask.
    pub(super) fn open() -> Result<Self, Failure> {
        Self::connected(Arc::default(), true).map_err(|error| output::failed(&error))
    }

    /// Opens streams for one of several commands that run together: pipes also where ours is a terminal, which none
    /// of them has for itself.
    pub(super) fn piped(masks: &Arc<Masks>) -> Result<Self, Failure> {
        Self::connected(Arc::clone(masks), false).map_err(|error| output::failed(&error))
    }

    fn connected(masks: Arc<Masks>, is_alone: bool) -> io::Result<Self> {
        let (links, terminals, theirs) = connect(is_alone)?;
        let (ended, running) = pipe()?;
        let ended = Arc::new(ended);
        let (mut waiting, mut pumps, mut progress) = (Vec::new(), Vec::new(), Vec::new());
        for link in links {
            // What is typed is carried by a thread from the beginning.
            let can_wait = is_alone && link.terminal.is_none() && Signals::CAN_WATCH_FILES;
            let of_link = Arc::new(Progress::new(&link)?);
            progress.push(Arc::clone(&of_link));
            let pump = Pump::new(link, Arc::clone(&masks), Arc::clone(&ended), of_link);
            let pump = Box::new(pump);
            match can_wait {
                true => waiting.push(pump),
                false => pumps.push(started(pump).map_err(|(error, _)| error)?),
            }
        }
        let theirs = Some(theirs);
        Ok(Self { masks, theirs, terminals, waiting, is_late: false, pumps, progress, running })
    }

    /// Begins to carry the streams that something has come of.
    fn begin(&mut self) {
        self.is_late = false;
        for pump in std::mem::take(&mut self.waiting) {
            match pump.look() {
                Look::Nothing => self.waiting.push(pump),
                Look::Ended => {}
                Look::Came => match started(pump) {
                    Ok(thread) => self.pumps.push(thread),
                    Err((_, pump)) => {
                        self.is_late = true;
                        self.waiting.push(pump);
                    }
                },
            }
        }
    }

    /// Starts a command that writes to these streams. Without descriptors that it inherits besides, the command knows its
    /// own.
    pub(super) fn start(
        &self,
        command: &mut Command,
        kept: Option<Vec<Descriptor>>,
        signals: &Signals,
    ) -> Result<Running, Failure> {
        match (kept, &self.theirs) {
            (Some(kept), Some((stdout, stderr))) => {
                child::start_with(command, [stdout.as_fd(), stderr.as_fd()], &kept, signals)
            }
            _ => {
                self.give(command)?;
                child::start(command, signals)
            }
        }
    }

    /// Gives a command these streams.
    pub(super) fn give(&self, command: &mut Command) -> Result<(), Failure> {
        if let Some((stdout, stderr)) = &self.theirs {
            let again = |stream: &OwnedFd| stream.try_clone().map_err(|e| output::failed(&e));
            command.stdout(again(stdout)?).stderr(again(stderr)?);
        }
        Ok(())
    }

    /// Undoes what a command that has ended did to terminals, for the next one.
    pub(super) fn reset(&self) {
        self.terminals.iter().for_each(Terminal::reset);
    }

    /// Closes our own ends of what a command writes to: no other one will be started.
    pub(super) fn let_go(&mut self) {
        self.theirs = None;
    }

    /// Masks by this from now on.
    pub(super) fn mask(&self, mask: Mask) {
        self.masks.set(mask);
    }

    /// Carries what is left, after the command's end. Returns its exit code, or the failure to write.
    pub(super) fn end(self, code: u8, signals: &Signals) -> Result<ExitCode, Failure> {
        let Self { theirs, waiting, mut pumps, running, .. } = self;
        signals.heed();
        drop((theirs, running));
        let mut failure = None;
        let mut left: Vec<_> =
            waiting.into_iter().filter(|pump| !matches!(pump.look(), Look::Ended)).collect();
        // Nothing else is left to do for this thread.
        let last = left.pop();
        let mut here: Vec<_> = last.into_iter().collect();
        for pump in left {
            match started(pump) {
                Ok(thread) => pumps.push(thread),
                Err((_, pump)) => here.push(pump),
            }
        }
        for pump in here {
            failure = failure.or(pump.run().err());
        }
        for pump in pumps {
            if let Ok(Err(error)) = pump.join() {
                failure = failure.or(Some(error));
            }
        }
        match failure {
            Some(error) if code == 0 => Err(output::failed(&error)),
            _ => Ok(ExitCode::from(code)),
        }
    }
}

impl Attend for Output {
    fn resize(&mut self) -> bool {
        self.terminals.iter_mut().for_each(Terminal::resize);
        !self.terminals.is_empty()
    }

    fn watched(&self) -> Vec<BorrowedFd<'_>> {
        match self.is_late {
            true => Vec::new(),
            false => self.waiting.iter().map(|pump| pump.reader()).collect(),
        }
    }

    fn again(&self) -> Option<Duration> {
        self.is_late.then_some(AGAIN)
    }

    fn attend(&mut self, _: &Running) {
        self.begin();
    }

    fn before_stop(&mut self) {
        self.begin();
        let end = Instant::now() + BEFORE_STOP;
        self.progress.iter().for_each(|it| it.wait(end));
    }
}

/// Starts a thread that carries a stream.
fn started(pump: Box<Pump>) -> Result<JoinHandle<io::Result<()>>, (io::Error, Box<Pump>)> {
    let (give, take) = mpsc::sync_channel::<Box<Pump>>(1);
    let run = move || take.recv().map_or(Ok(()), |pump| pump.run());
    match thread::Builder::new().name("vaultlet-mask".into()).spawn(run) {
        Ok(thread) => {
            let _ = give.send(pump);
            Ok(thread)
        }
        Err(error) => Err((error, pump)),
    }
}

/// Opens a stream of ours for each of our own, a terminal for a terminal if the command is alone. Returns where each is read and where it goes, the terminals among
/// them, and what a command writes to.
#[allow(clippy::type_complexity, reason = "three things that are used in one place")]
fn connect(is_alone: bool) -> io::Result<(Vec<Link>, Vec<Terminal>, (OwnedFd, OwnedFd))> {
    let (stdout, stderr) = (io::stdout(), io::stderr());
    let (stdout, stderr) = (stdout.as_fd(), stderr.as_fd());
    let mut terminals = Vec::new();
    let mut links = Vec::new();
    let mut open = |stream: BorrowedFd<'_>| -> io::Result<OwnedFd> {
        let writer = stream.try_clone_to_owned()?;
        if !is_alone || !isatty(stream) {
            let (reader, theirs) = pipe()?;
            widen(theirs.as_fd());
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
    let theirs_too = if is_same(stdout, stderr) { theirs.try_clone()? } else { open(stderr)? };
    Ok((links, terminals, (theirs, theirs_too)))
}

/// Whether both lead to one terminal, pipe or file.
fn is_same(one: BorrowedFd<'_>, other: BorrowedFd<'_>) -> bool {
    let (Ok(one), Ok(other)) = (fstat(one), fstat(other)) else { return false };
    let is_special = FileType::from_raw_mode(one.st_mode) == FileType::CharacterDevice;
    // A device such as `/dev/null` has no order to keep.
    (one.st_dev, one.st_ino) == (other.st_dev, other.st_ino)
        && (!is_special || one.st_rdev == other.st_rdev)
}

/// The ends of a pipe, to read and to write.
fn pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    let (reader, writer) = io::pipe()?;
    Ok((reader.into(), writer.into()))
}
