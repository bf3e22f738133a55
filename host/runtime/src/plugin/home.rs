//! Where a plugin runs: on threads of its own, so that one that computes keeps no call of the handle
//! waiting. In a child of `fork` it is opened anew, as the handle is.

use std::mem::ManuallyDrop;
use std::sync::{Arc, OnceLock};

use tokio::sync::Semaphore;

use crate::epoch::Epoch;
use crate::error::Error;
use crate::process::Opening;
use crate::shard::Shard;

use super::DOING;
use super::builder::Terms;
use super::program::Program;
use super::text::Call;

/// A plugin in one process.
pub(super) struct Home {
    id: u32,
    running: ManuallyDrop<Arc<Running>>,
    /// The same in a child of this one.
    child: OnceLock<Box<Home>>,
}

/// Its code, and the threads that run it.
pub(super) struct Running {
    terms: Arc<Terms>,
    program: Program,
    epoch: Arc<Epoch>,
    places: Semaphore,
    shards: Vec<Shard>,
}

impl Home {
    pub(super) fn open(terms: Arc<Terms>) -> Result<Self, Error> {
        let _no_fork = Opening::begin();
        Self::open_alone(terms)
    }

    fn open_alone(terms: Arc<Terms>) -> Result<Self, Error> {
        let program = Program::new(&terms.code)?;
        let epoch = Epoch::start(program.engine().clone())?;
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let shards = (0..terms.concurrency.min(processors)).map(|_| Shard::start());
        let shards = shards.collect::<Result<_, _>>()?;
        let places = Semaphore::new(terms.concurrency);
        let running = Arc::new(Running { terms, program, epoch, places, shards });
        let running = ManuallyDrop::new(running);
        Ok(Self { id: std::process::id(), running, child: OnceLock::new() })
    }

    /// That of the process that asks.
    pub(super) fn here(&self) -> Result<&Self, Error> {
        if self.id == std::process::id() {
            return Ok(self);
        }
        if self.child.get().is_none() {
            let _no_fork = Opening::begin();
            if self.child.get().is_none() {
                let opened = Self::open_alone(Arc::clone(&self.running.terms))?;
                // Nobody else is opening.
                let _ = self.child.set(Box::new(opened));
            }
        }
        let Some(child) = self.child.get() else {
            return Err(Error::internal("opening a plugin after `fork`: it was not kept"));
        };
        child.here()
    }

    pub(super) fn terms(&self) -> &Terms {
        &self.running.terms
    }

    pub(super) fn running(&self) -> Arc<Running> {
        Arc::clone(&self.running)
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        if self.id == std::process::id() {
            // SAFETY: it is not used after this.
            #[allow(unsafe_code, reason = "in a child of `fork` it must not be dropped")]
            unsafe {
                ManuallyDrop::drop(&mut self.running);
            }
        }
    }
}

impl Running {
    pub(super) fn terms(&self) -> &Terms {
        &self.terms
    }

    pub(super) fn program(&self) -> &Program {
        &self.program
    }

    /// The thread with the fewest calls.
    pub(super) fn shard(&self) -> Result<&Shard, Error> {
        let least = self.shards.iter().min_by_key(|shard| shard.calls());
        least.ok_or_else(|| Error::internal(format!("{DOING}: there is no thread")))
    }

    /// Runs a call, in its turn.
    pub(super) async fn run(self: Arc<Self>, call: Call) -> Result<String, Error> {
        let place = self.places.acquire().await;
        let _place = place.map_err(|_| Error::internal(format!("{DOING}: it has been closed")))?;
        let _running = self.epoch.run();
        self.program.run(&self.terms, call).await
    }
}
