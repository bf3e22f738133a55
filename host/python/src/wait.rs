//! Waiting for a call on the caller's own thread, so that Ctrl-C and other signals are heard.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake};
use std::thread::Thread;
use std::time::{Duration, Instant};

use pyo3::prelude::*;

/// How soon a signal's handler is run.
const HEARD_WITHIN: Duration = Duration::from_millis(25);

/// Waits without the interpreter. Where a signal's handler raises, the call is dropped, which
/// cancels it.
pub(crate) fn wait<T: Send>(py: Python<'_>, call: impl Future<Output = T> + Send) -> PyResult<T> {
    py.detach(|| {
        let waker = Arc::new(Unpark(std::thread::current())).into();
        let mut context = Context::from_waker(&waker);
        let mut call = pin!(call);
        let mut listen_at = Instant::now() + HEARD_WITHIN;
        loop {
            if let Poll::Ready(result) = call.as_mut().poll(&mut context) {
                return Ok(result);
            }
            std::thread::park_timeout(listen_at.saturating_duration_since(Instant::now()));
            if Instant::now() >= listen_at {
                // The interpreter ends without its daemon threads: there is nothing to return to.
                let heard = Python::try_attach(|py| py.check_signals());
                heard.unwrap_or_else(stay)?;
                listen_at = Instant::now() + HEARD_WITHIN;
            }
        }
    })
}

/// For as long as the process still is there.
fn stay<T>() -> T {
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
