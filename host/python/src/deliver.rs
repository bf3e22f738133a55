//! The thread that calls back. The engine's own threads must not wait for the interpreter, so they
//! leave here what is to be told.

use std::mem;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::thread::JoinHandle;

use pyo3::prelude::*;

use crate::error;

enum Message {
    Tell(Box<dyn FnOnce(Python<'_>) + Send>),
    Stop,
}

/// Where to leave messages.
#[derive(Clone)]
pub(crate) struct Mailbox(Sender<Message>);

struct Deliverer {
    process: u32,
    mailbox: Mailbox,
    thread: JoinHandle<()>,
}

/// Locked only by who holds the interpreter and does not let it go meanwhile, as `os.fork` holds it:
/// so that in a child nobody has it locked.
static DELIVERER: Mutex<Option<Deliverer>> = Mutex::new(None);

impl Mailbox {
    /// That of this process.
    pub(crate) fn here(py: Python<'_>) -> PyResult<Self> {
        if let Some(mailbox) = Self::of_deliverer() {
            return Ok(mailbox);
        }
        // An interpreter that ends must not be waited for: the thread ends before.
        let stop = pyo3::wrap_pyfunction!(stop, py)?;
        py.import("atexit")?.call_method1("register", (stop,))?;
        Self::start().map_err(|error| error::internal(py, &format!("starting a thread: {error}")))
    }

    /// Leaves a message; at the interpreter's end nobody reads it.
    pub(crate) fn leave(&self, message: impl FnOnce(Python<'_>) + Send + 'static) {
        let _ = self.0.send(Message::Tell(Box::new(message)));
    }

    fn of_deliverer() -> Option<Self> {
        let mut deliverer = DELIVERER.lock().unwrap_or_else(PoisonError::into_inner);
        let found = deliverer.take()?;
        if found.process != std::process::id() {
            // The thread is the parent's, and what it locks may have been locked.
            mem::forget(found);
            return None;
        }
        Some(deliverer.insert(found).mailbox.clone())
    }

    fn start() -> std::io::Result<Self> {
        let mut deliverer = DELIVERER.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(Deliverer { mailbox, .. }) = deliverer.as_ref() {
            return Ok(mailbox.clone());
        }
        let (sender, messages) = channel();
        let thread = std::thread::Builder::new().name("vaultlet-python".into());
        let thread = thread.spawn(move || deliver(&messages))?;
        let mailbox = Self(sender);
        let process = std::process::id();
        *deliverer = Some(Deliverer { process, mailbox: mailbox.clone(), thread });
        Ok(mailbox)
    }
}

fn deliver(messages: &Receiver<Message>) {
    let mut more = true;
    while more {
        let Ok(first) = messages.recv() else { return };
        more = Python::try_attach(|py| {
            std::iter::once(first).chain(messages.try_iter()).all(|message| match message {
                Message::Tell(tell) => {
                    tell(py);
                    true
                }
                Message::Stop => false,
            })
        })
        .unwrap_or(false);
    }
}

/// Ends the thread, when the interpreter is about to end.
#[pyfunction]
#[pyo3(name = "_stop")]
fn stop(py: Python<'_>) {
    let deliverer = DELIVERER.lock().unwrap_or_else(PoisonError::into_inner).take();
    let Some(deliverer) = deliverer else { return };
    if deliverer.process != std::process::id() {
        mem::forget(deliverer);
        return;
    }
    let _ = deliverer.mailbox.0.send(Message::Stop);
    // It may be telling something just now, which takes the interpreter. It does not panic.
    let _ = py.detach(|| deliverer.thread.join());
}
