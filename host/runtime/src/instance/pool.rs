//! Instances of one level of roles: how many run at once, and which are kept.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use wasmtime::Store;

use crate::bindings::Provider;
use crate::component::Loaded;
use crate::epoch::{Epoch, Running};
use crate::error::Error;
use crate::grant::Grant;
use crate::limits;
use crate::state::State;

/// A level. Callers wait here, before the pooling allocator, which refuses at its limit.
pub(crate) struct Level {
    loaded: Arc<Loaded>,
    epoch: Arc<Epoch>,
    places: Arc<Semaphore>,
    size: usize,
    /// Oldest first; at most `size`, of all grants together.
    idle: Mutex<Vec<Instance>>,
}

struct Instance {
    store: Store<State>,
    provider: Provider,
    grant: Arc<Grant>,
    calls: u32,
}

impl Level {
    pub(crate) fn new(loaded: Arc<Loaded>, epoch: Arc<Epoch>, size: usize) -> Arc<Self> {
        let places = Arc::new(Semaphore::new(size));
        Arc::new(Self { loaded, epoch, places, size, idle: Mutex::default() })
    }

    /// An instance with exactly this grant, when there is a place.
    pub(crate) async fn lease(self: &Arc<Self>, grant: &Arc<Grant>) -> Result<Lease, Error> {
        let place = Arc::clone(&self.places)
            .acquire_owned()
            .await
            .map_err(|_| Error::internal("waiting for an instance: the engine has stopped"))?;
        let instance = match self.take_idle(grant) {
            Some(instance) => instance,
            None => self.instantiate(grant).await?,
        };
        let running = self.epoch.run();
        Ok(Lease { level: Arc::clone(self), instance, _running: running, _place: place })
    }

    fn take_idle(&self, grant: &Arc<Grant>) -> Option<Instance> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let at = idle.iter().rposition(|i| Arc::ptr_eq(&i.grant, grant))?;
        Some(idle.remove(at))
    }

    async fn instantiate(&self, grant: &Arc<Grant>) -> Result<Instance, Error> {
        let mut store = Store::new(&self.loaded.engine, State::new(Arc::clone(grant)));
        store.limiter(|state| &mut state.limits);
        store.set_epoch_deadline(1);
        // A guest that computes gives the thread back, so that its caller's deadline can end it.
        store.epoch_deadline_async_yield_and_update(1);
        let provider = self
            .loaded
            .pre
            .instantiate_async(&mut store)
            .await
            .map_err(|e| Error::internal(format!("starting the component: {e:#}")))?;
        Ok(Instance { store, provider, grant: Arc::clone(grant), calls: 0 })
    }
}

/// One instance for one call. Dropped without [`Lease::keep`], as when the call was cancelled or
/// the guest trapped, the instance is thrown away.
pub(crate) struct Lease {
    level: Arc<Level>,
    instance: Instance,
    _running: Running,
    _place: OwnedSemaphorePermit,
}

impl Lease {
    pub(crate) fn parts(&mut self) -> (&mut Store<State>, &Provider) {
        (&mut self.instance.store, &self.instance.provider)
    }

    /// Ends the call well: the instance serves again.
    pub(crate) fn keep(self) {
        let Self { level, mut instance, .. } = self;
        instance.calls += 1;
        // A failure that this call retried away is not the next one's cause.
        drop(instance.store.data().take_failure());
        if instance.calls >= limits::CALLS_PER_INSTANCE {
            return;
        }
        let mut idle = level.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.push(instance);
        if idle.len() > level.size {
            idle.remove(0);
        }
    }
}
