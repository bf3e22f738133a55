//! Where a plugin runs: on threads of its own, so that one that computes keeps no call of the handle
//! waiting.

use std::sync::Arc;

use tokio::sync::Semaphore;

use crate::epoch::Epoch;
use crate::error::Error;
use crate::shard::Shard;

use super::DOING;
use super::builder::Terms;
use super::program::Program;
use super::text::Call;

/// Its code, and the threads that run it.
pub(super) struct Running {
    terms: Arc<Terms>,
    program: Program,
    epoch: Arc<Epoch>,
    places: Semaphore,
    shards: Vec<Shard>,
}

impl Running {
    pub(super) fn open(terms: Arc<Terms>) -> Result<Arc<Self>, Error> {
        let program = Program::new(&terms.code)?;
        let epoch = Epoch::start(program.engine().clone())?;
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let shards = (0..terms.concurrency.min(processors)).map(|_| Shard::start());
        let shards = shards.collect::<Result<_, _>>()?;
        let places = Semaphore::new(terms.concurrency);
        Ok(Arc::new(Self { terms, program, epoch, places, shards }))
    }

    /// Another one, on the same terms.
    pub(super) fn anew(self: &Arc<Self>) -> Result<Arc<Self>, Error> {
        Self::open(Arc::clone(&self.terms))
    }

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
