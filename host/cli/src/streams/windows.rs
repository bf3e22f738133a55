//! The standard streams on Windows: reading with a time limit, and writing without a copy that stays in memory.

use std::io::{self, IoSlice, IsTerminal as _, Write};
use std::os::windows::io::AsRawHandle as _;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use zeroize::{Zeroize as _, Zeroizing};

use crate::system::standard_stream;

/// Bytes that are read at once.
const PIECE: usize = 64 << 10;

/// Whether this process was started without a standard error.
pub(crate) fn is_stderr_closed() -> bool {
    io::stderr().as_raw_handle().is_null()
}

/// Fails if this process was started without a standard input.
pub(crate) fn check_stdin() -> io::Result<()> {
    match io::stdin().as_raw_handle().is_null() {
        true => Err(io::Error::other("standard input is closed")),
        false => Ok(()),
    }
}

/// Writes all of this to stdout, or fails.
pub(crate) fn write(text: &[u8]) -> io::Result<()> {
    let stdout = io::stdout();
    if stdout.as_raw_handle().is_null() {
        return Err(io::Error::other("standard output is closed"));
    }
    if stdout.is_terminal() {
        // Rust's own stdout shows any text, whatever the console's code page is.
        let mut stdout = stdout.lock();
        return stdout.write_all(text).and_then(|()| stdout.flush());
    }
    if text.is_empty() {
        return Ok(());
    }
    // Another one buffers, and leaves copies in memory.
    standard_stream(1)?.write_all(text)
}

/// Writes all parts to a stream.
pub(crate) fn write_all_to(mut out: impl Write, parts: &mut [IoSlice<'_>]) -> io::Result<()> {
    parts.iter().try_for_each(|part| out.write_all(part))?;
    out.flush()
}

/// What is read of standard input, and where the filtered text goes.
pub(crate) struct Filter {
    pieces: Receiver<io::Result<Zeroizing<Vec<u8>>>>,
}

impl Filter {
    /// Begins to read. A thread of its own does, as nothing on Windows waits for a stream and a time at once.
    pub(crate) fn open() -> Self {
        let (came, pieces) = mpsc::sync_channel(1);
        thread::spawn(move || {
            let mut stdin = io::stdin().lock();
            loop {
                let piece = read_piece(&mut stdin);
                let is_last = piece.as_ref().map_or(true, |piece| piece.is_empty());
                if came.send(piece).is_err() || is_last {
                    return;
                }
            }
        });
        Self { pieces }
    }

    /// Reads what comes next; `None` when nothing has come for so long.
    pub(crate) fn next(
        &mut self,
        patience: Option<Duration>,
        space: &mut [u8],
    ) -> io::Result<Option<usize>> {
        let received = match patience {
            Some(time) => self.pieces.recv_timeout(time),
            None => self.pieces.recv().map_err(|_| RecvTimeoutError::Disconnected),
        };
        let piece = match received {
            Ok(piece) => piece?,
            Err(RecvTimeoutError::Timeout) => return Ok(None),
            Err(RecvTimeoutError::Disconnected) => return Ok(Some(0)),
        };
        let room = space.get_mut(..piece.len()).ok_or(io::ErrorKind::InvalidInput)?;
        room.copy_from_slice(&piece);
        Ok(Some(piece.len()))
    }

    /// Writes to standard output.
    pub(crate) fn write(&mut self, parts: &mut [IoSlice<'_>]) -> io::Result<()> {
        parts.iter().try_for_each(|part| write(part))
    }
}

/// Reads what there is of a stream, at most [`PIECE`] bytes; none at the end.
pub(crate) fn read_piece(stream: &mut impl io::Read) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut piece = Zeroizing::new(vec![0; PIECE]);
    loop {
        match stream.by_ref().read(&mut piece) {
            Ok(count) => {
                if let Some(rest) = piece.get_mut(count..) {
                    rest.zeroize();
                }
                piece.truncate(count);
                return Ok(piece);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            // Who wrote to a pipe has closed it.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                piece.clear();
                return Ok(piece);
            }
            Err(error) => return Err(error),
        }
    }
}
