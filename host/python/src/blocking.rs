//! Waits for a call on the caller's own thread, so that Ctrl-C and other signals are handled.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake};
use std::thread::Thread;
use std::time::{Duration, Instant};

use pyo3::prelude::*;

/// The longest time until a signal's handler runs.
const SIGNAL_INTERVAL: Duration = Duration::from_millis(25);

/// Blocks until the call ends, detached from the interpreter. If a signal's handler raises, the call is
/// dropped, which cancels it.
pub(crate) fn block_on<T: Send>(
    py: Python<'_>,
    call: impl Future<Output = T> + Send,
) -> PyResult<T> {
    py.detach(|| {
        let waker = Arc::new(Unpark(std::thread::current())).into();
        let mut context = Context::from_waker(&waker);
        let mut call = pin!(call);
        let mut check_at = Instant::now() + SIGNAL_INTERVAL;
        loop {
            if let Poll::Ready(result) = call.as_mut().poll(&mut context) {
                return Ok(result);
            }
            std::thread::park_timeout(check_at.saturating_duration_since(Instant::now()));
            if Instant::now() >= check_at {
                // When the interpreter ends, its daemon threads have nothing to return to.
                let checked = Python::try_attach(|py| py.check_signals());
                checked.unwrap_or_else(park_forever)?;
                check_at = Instant::now() + SIGNAL_INTERVAL;
            }
        }
    })
}

/// Parks the thread until the process ends.
fn park_forever<T>() -> T {
    loop {
        std::thread::park();
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.unpark();
    }
}
