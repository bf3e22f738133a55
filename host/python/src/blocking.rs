//! Makes a call on the caller's own thread, so that Ctrl-C and other signals are handled.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pyo3::prelude::*;
use vaultlet_host::Vaultlet;

/// What the handler of a signal has raised during a call.
type Raised = Mutex<Option<PyErr>>;

/// Makes a call detached from the interpreter. While it waits, the handlers of signals run; if one of
/// them raises, the call is cancelled.
pub(crate) fn run<T: Send>(
    py: Python<'_>,
    vaultlet: &Vaultlet,
    call: impl FnOnce(&Vaultlet) -> T + Send,
) -> PyResult<T> {
    let raised = Arc::new(Raised::default());
    let (caller, raise) = (std::thread::current().id(), Arc::clone(&raised));
    let watched = vaultlet.with_watch(move || {
        // A part of the call may wait on a thread of the host.
        std::thread::current().id() != caller || handle_signals(&raise)
    });
    let result = py.detach(|| call(&watched));
    let raised = lock(&raised).take();
    raised.map_or(Ok(result), Err)
}

/// Runs the handlers of the signals that have come. Returns whether none of them has raised.
fn handle_signals(raised: &Raised) -> bool {
    // When the interpreter ends, its daemon threads have nothing to return to.
    let handled = Python::try_attach(|py| py.check_signals()).unwrap_or_else(park_forever);
    handled.map_err(|exception| *lock(raised) = Some(exception)).is_ok()
}

/// Parks the thread until the process ends.
fn park_forever<T>() -> T {
    loop {
        std::thread::park();
    }
}

fn lock(raised: &Raised) -> MutexGuard<'_, Option<PyErr>> {
    raised.lock().unwrap_or_else(PoisonError::into_inner)
}
