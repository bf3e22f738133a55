//! wasmtime's epoch, which ticks while guests run, so that a guest in an endless loop can be stopped.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, Thread};
use std::time::Duration;

use wasmtime::Engine;

use crate::error::Error;
use crate::exhausted;
use crate::limits;
use crate::system::timer;

/// What makes the epoch tick, until the last owner is dropped.
pub(crate) enum Ticker {
    /// A thread, which sleeps until something else is due while no guest runs.
    Thread { shared: Arc<Shared>, thread: Thread },
    /// The timer of a process that makes one call and ends.
    Process,
}

#[derive(Default)]
pub(crate) struct Shared {
    running: AtomicUsize,
    parked: AtomicBool,
    stopped: AtomicBool,
}

/// Keeps the epoch ticking for as long as it lives.
pub(crate) struct Running(Option<Arc<Shared>>);

impl Ticker {
    /// Starts a thread. `upkeep` runs at each tick, and returns when it is due while nothing ticks.
    pub(crate) fn start(
        engine: Engine,
        upkeep: impl Fn() -> Option<Duration> + Send + 'static,
    ) -> Result<Arc<Self>, Error> {
        let shared = Arc::new(Shared::default());
        let for_thread = Arc::clone(&shared);
        let thread = thread::Builder::new()
            .name("vaultlet-epoch".into())
            .spawn(move || tick(&engine, &for_thread, upkeep))
            .map_err(|e| exhausted::thread(&e))?
            .thread()
            .clone();
        Ok(Arc::new(Self::Thread { shared, thread }))
    }

    /// Uses the timer of the process, which no other handle may use.
    pub(crate) fn of_process(engine: &Engine) -> Result<Arc<Self>, Error> {
        let started = timer::start(engine);
        started.map_err(|e| {
            let doing = "starting a timer";
            exhausted(doing, &e).unwrap_or_else(|| Error::internal(format!("{doing}: {e}")))
        })?;
        Ok(Arc::new(Self::Process))
    }

    /// Counts in a guest that runs from now on.
    pub(crate) fn run(&self) -> Running {
        let Self::Thread { shared, thread } = self else { return Running(None) };
        shared.running.fetch_add(1, Ordering::SeqCst);
        if shared.parked.swap(false, Ordering::SeqCst) {
            thread.unpark();
        }
        Running(Some(Arc::clone(shared)))
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
        if let Some(shared) = &self.0 {
            shared.running.fetch_sub(1, Ordering::SeqCst);
        }
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        if let Self::Thread { shared, thread } = self {
            shared.stopped.store(true, Ordering::SeqCst);
            thread.unpark();
        }
    }
}
