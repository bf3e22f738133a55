//! The thread that runs callbacks of Python. The host's own threads must not wait for the interpreter,
//! so they post callbacks to this one.

use std::mem;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::thread::JoinHandle;

use pyo3::prelude::*;

use crate::error;

enum Message {
    Run(Box<dyn FnOnce(Python<'_>) + Send>),
    Stop,
}

/// The sending half of the delivery thread's queue.
#[derive(Clone)]
pub(crate) struct Callbacks(Sender<Message>);

struct DeliveryThread {
    process: u32,
    callbacks: Callbacks,
    thread: JoinHandle<()>,
}

/// Locked only by threads that hold the interpreter and do not release it meanwhile. As `os.fork` holds
/// the interpreter, too, the lock is free in a child process.
static DELIVERY: Mutex<Option<DeliveryThread>> = Mutex::new(None);

impl Callbacks {
    /// The queue of this process, whose thread is started on first use.
    pub(crate) fn of_process(py: Python<'_>) -> PyResult<Self> {
        if let Some(callbacks) = Self::existing() {
            return Ok(callbacks);
        }
        // The thread must end before the interpreter does, which it would wait for forever.
        let stop = pyo3::wrap_pyfunction!(stop, py)?;
        py.import("atexit")?.call_method1("register", (stop,))?;
        let doing = "starting a thread";
        Self::start().map_err(|error| match vaultlet_host::not_started(doing, &error) {
            Some(missing) => error::exception(py, &missing),
            None => error::internal(py, &format!("{doing}: {error}")),
        })
    }

    /// Posts a callback. It is dropped when the interpreter is ending.
    pub(crate) fn post(&self, message: impl FnOnce(Python<'_>) + Send + 'static) {
        let _ = self.0.send(Message::Run(Box::new(message)));
    }

    fn existing() -> Option<Self> {
        let mut delivery = DELIVERY.lock().unwrap_or_else(PoisonError::into_inner);
        let found = delivery.take()?;
        if found.process != std::process::id() {
            // The thread is the parent process's, and its locks may have been held at the fork.
            mem::forget(found);
            return None;
        }
        Some(delivery.insert(found).callbacks.clone())
    }

    fn start() -> std::io::Result<Self> {
        let mut delivery = DELIVERY.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(DeliveryThread { callbacks, .. }) = delivery.as_ref() {
            return Ok(callbacks.clone());
        }
        let (sender, messages) = channel();
        let thread = std::thread::Builder::new().name("vaultlet-python".into());
        let thread = thread.spawn(move || deliver(&messages))?;
        let callbacks = Self(sender);
        let process = std::process::id();
        *delivery = Some(DeliveryThread { process, callbacks: callbacks.clone(), thread });
        Ok(callbacks)
    }
}

fn deliver(messages: &Receiver<Message>) {
    let mut more = true;
    while more {
        let Ok(first) = messages.recv() else { return };
        more = Python::try_attach(|py| {
            std::iter::once(first).chain(messages.try_iter()).all(|message| match message {
                Message::Run(callback) => {
                    callback(py);
                    true
                }
                Message::Stop => false,
            })
        })
        .unwrap_or(false);
    }
}

/// Ends the thread when the interpreter is about to end.
#[pyfunction]
#[pyo3(name = "_stop")]
fn stop(py: Python<'_>) {
    let delivery = DELIVERY.lock().unwrap_or_else(PoisonError::into_inner).take();
    let Some(delivery) = delivery else { return };
    if delivery.process != std::process::id() {
        mem::forget(delivery);
        return;
    }
    let _ = delivery.callbacks.0.send(Message::Stop);
    // The thread may be running a callback, which needs the interpreter. It does not panic.
    let _ = py.detach(|| delivery.thread.join());
}
