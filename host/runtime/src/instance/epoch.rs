//! wasmtime's epoch: a thread that ticks while guests run, so that a guest in an endless loop can
//! be stopped. While no guest runs, the thread sleeps until something else is due.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, Thread};
use std::time::Duration;

use wasmtime::Engine;

use crate::error::Error;
use crate::limits;

/// The ticking thread, which ends when the last owner is dropped.
pub(crate) struct Ticker {
    shared: Arc<Shared>,
    thread: Thread,
}

#[derive(Default)]
struct Shared {
    running: AtomicUsize,
    parked: AtomicBool,
    stopped: AtomicBool,
}

/// Keeps the epoch ticking for as long as it lives.
pub(crate) struct Running(Arc<Shared>);

impl Ticker {
    /// Starts the thread. `upkeep` runs at each tick, and returns when it is due while nothing
    /// ticks.
    pub(crate) fn start(
        engine: Engine,
        upkeep: impl Fn() -> Option<Duration> + Send + 'static,
    ) -> Result<Arc<Self>, Error> {
        let shared = Arc::new(Shared::default());
        let for_thread = Arc::clone(&shared);
        let thread = thread::Builder::new()
            .name("vaultlet-epoch".into())
            .spawn(move || tick(&engine, &for_thread, upkeep))
            .map_err(|e| Error::internal(format!("starting a thread: {e}")))?
            .thread()
            .clone();
        Ok(Arc::new(Self { shared, thread }))
    }

    /// Counts in a guest that runs from now on.
    pub(crate) fn run(&self) -> Running {
        self.shared.running.fetch_add(1, Ordering::SeqCst);
        if self.shared.parked.swap(false, Ordering::SeqCst) {
            self.thread.unpark();
        }
        Running(Arc::clone(&self.shared))
    }
}

fn tick(engine: &Engine, shared: &Shared, upkeep: impl Fn() -> Option<Duration>) {
    while !shared.stopped.load(Ordering::SeqCst) {
        let due = upkeep();
        shared.parked.store(true, Ordering::SeqCst);
        if shared.running.load(Ordering::SeqCst) == 0 {
            match due {
                Some(due) => thread::park_timeout(due),
                None => thread::park(),
            }
        }
        shared.parked.store(false, Ordering::SeqCst);
        thread::sleep(limits::EPOCH);
        engine.increment_epoch();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::SeqCst);
        self.thread.unpark();
    }
}
