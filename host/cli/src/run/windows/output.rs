//! The output of a command, masked on its way to our own streams by pipes: there is no pseudo-terminal, so that a
//! command sees that it writes to none.

use std::io::{self, IsTerminal as _, PipeReader, PipeWriter, Write as _, pipe};
use std::os::windows::io::AsRawHandle as _;
use std::process::{Command, ExitCode};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use super::masks::Masks;
use crate::child::{self, Attend, Descriptor, Running, Signals};
use crate::failure::Failure;
use crate::mask::{Mask, Output as Masked, Stream};
use crate::output;
use crate::streams::{read_piece, write_all_to};
use crate::system::{is_same_file, standard_stream};

/// The time after the command's end in which others may still write to its output.
const AFTERWARDS: Duration = Duration::from_millis(900);

/// The streams of a command, or of several that are run one after the other.
pub(super) struct Output {
    masks: Arc<Masks>,
    /// What a command gets in place of our standard output and standard error.
    theirs: Option<(PipeWriter, PipeWriter)>,
    pumps: Vec<JoinHandle<io::Result<()>>>,
    /// Dropped when the command has ended.
    running: Vec<mpsc::SyncSender<Came>>,
}

/// What comes to a thread that carries a stream.
enum Came {
    Piece(io::Result<Zeroizing<Vec<u8>>>),
    /// The command has ended.
    Ended,
}

/// Where a stream of the command's goes.
#[derive(Clone, Copy)]
enum To {
    Stdout,
    Stderr,
}

impl Output {
    /// Opens streams that are masked on their way to our own, as soon as there is a mask.
    pub(super) fn open() -> Result<Self, Failure> {
        Self::connected().map_err(|error| output::failed(&error))
    }

    fn connected() -> io::Result<Self> {
        let (stdout, stderr) = (io::stdout(), io::stderr());
        // What is written to one place through two pipes would be out of order.
        let is_one = (stdout.is_terminal() && stderr.is_terminal())
            || is_same_file(stdout.as_raw_handle(), stderr.as_raw_handle());
        let masks = Arc::<Masks>::default();
        let (mut pumps, mut running) = (Vec::new(), Vec::new());
        let mut open = |to: To| -> io::Result<PipeWriter> {
            let (reader, writer) = pipe()?;
            let (sender, came) = mpsc::sync_channel(1);
            running.push(sender.clone());
            thread::Builder::new()
                .name("vaultlet-read".into())
                .spawn(move || read(reader, &sender))?;
            let masks = Arc::clone(&masks);
            let pump = thread::Builder::new().name("vaultlet-mask".into());
            pumps.push(pump.spawn(move || carry(&came, to, &masks))?);
            Ok(writer)
        };
        let theirs = open(To::Stdout)?;
        let theirs_too = if is_one { theirs.try_clone()? } else { open(To::Stderr)? };
        Ok(Self { masks, theirs: Some((theirs, theirs_too)), pumps, running })
    }

    /// Gives a command these streams.
    pub(super) fn give(&self, command: &mut Command) -> Result<(), Failure> {
        if let Some((stdout, stderr)) = &self.theirs {
            let again = |stream: &PipeWriter| stream.try_clone().map_err(|e| output::failed(&e));
            command.stdout(again(stdout)?).stderr(again(stderr)?);
        }
        Ok(())
    }

    /// Starts a command that writes to these streams.
    pub(super) fn start(
        &self,
        command: &mut Command,
        _: Option<Vec<Descriptor>>,
        signals: &Signals,
    ) -> Result<Running, Failure> {
        self.give(command)?;
        child::start(command, signals)
    }

    /// Does nothing: there are no terminals of ours.
    #[allow(clippy::unused_self, reason = "as on other systems")]
    pub(super) fn reset(&self) {}

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
        let Self { theirs, pumps, running, .. } = self;
        signals.heed();
        drop(theirs);
        for sender in running {
            // One that has ended does not hear it.
            let _ = sender.send(Came::Ended);
        }
        let mut failure = None;
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

impl Attend for Output {}

/// Reads until the end. A thread of its own does, as nothing on Windows waits for a pipe and a time at once.
fn read(mut reader: PipeReader, to: &mpsc::SyncSender<Came>) {
    loop {
        let piece = read_piece(&mut reader);
        let is_last = piece.as_ref().map_or(true, |piece| piece.is_empty());
        // When it cannot be carried any more our end is closed, so that the command cannot write either.
        if to.send(Came::Piece(piece)).is_err() || is_last {
            return;
        }
    }
}

/// Carries one stream to ours, masked.
fn carry(came: &Receiver<Came>, to: To, masks: &Masks) -> io::Result<()> {
    let mut held = None;
    let mut until = None;
    let mut next = None;
    // Once for each mask.
    loop {
        let mask = masks.current();
        let mut stream = match held.take() {
            Some(held) => Stream::resumed(&mask, held),
            None => Stream::new(&mask),
        };
        loop {
            let patience = stream.patience();
            let got = match next.take() {
                Some(got) => got,
                None => receive(came, patience, until),
            };
            if !Arc::ptr_eq(&mask, &masks.current()) {
                next = Some(got);
                break;
            }
            let mut out = Masked::default();
            let is_end = match &got {
                Ok(Came::Ended) => {
                    until = Some(Instant::now() + AFTERWARDS);
                    continue;
                }
                Ok(Came::Piece(Ok(piece))) if !piece.is_empty() => {
                    stream.push(piece, &mut out);
                    false
                }
                Err(RecvTimeoutError::Timeout) if until.is_none_or(|it| Instant::now() < it) => {
                    stream.flush(&mut out);
                    false
                }
                Ok(Came::Piece(_)) | Err(_) => {
                    stream.flush(&mut out);
                    true
                }
            };
            write(to, &out)?;
            if is_end {
                return Ok(());
            }
        }
        held = Some(stream.into_held());
    }
}

fn receive(
    came: &Receiver<Came>,
    patience: Option<Duration>,
    until: Option<Instant>,
) -> Result<Came, RecvTimeoutError> {
    let left = until.map(|until| until.saturating_duration_since(Instant::now()));
    match patience.into_iter().chain(left).min() {
        Some(time) => came.recv_timeout(time),
        None => came.recv().map_err(|_| RecvTimeoutError::Disconnected),
    }
}

fn write(to: To, out: &Masked<'_>) -> io::Result<()> {
    let mut parts = out.parts();
    // Rust's own streams show any text on a console, whatever its code page is.
    match to {
        To::Stdout if io::stdout().is_terminal() => write_all_to(io::stdout().lock(), &mut parts),
        To::Stderr if io::stderr().is_terminal() => write_all_to(io::stderr().lock(), &mut parts),
        To::Stdout => write_all_to(standard_stream(1)?, &mut parts),
        To::Stderr => write_all_to(standard_stream(2)?, &mut parts),
    }
    .and_then(|()| io::stderr().flush())
}
