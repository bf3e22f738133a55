//! Instance pool: concurrency limit and reuse of idle instances.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use wasmtime::Store;

use crate::bindings::Provider;
use crate::error::Error;
use crate::grant::Grant;
use crate::limits;

use super::component::Loaded;
use super::epoch::{Epoch, Running};
use super::store_state::StoreState;

/// An instance pool. When it is full, calls wait here; the pooling allocator below would refuse
/// them.
pub(crate) struct Pool {
    loaded: Arc<Loaded>,
    epoch: Arc<Epoch>,
    permits: Arc<Semaphore>,
    size: usize,
    /// Idle instances of all grants, the oldest first; at most `size`.
    idle: Mutex<Vec<Instance>>,
}

struct Instance {
    store: Store<StoreState>,
    provider: Provider,
    grant: Arc<Grant>,
    calls: u32,
}

impl Pool {
    pub(crate) fn new(loaded: Arc<Loaded>, epoch: Arc<Epoch>, size: usize) -> Arc<Self> {
        let permits = Arc::new(Semaphore::new(size));
        Arc::new(Self { loaded, epoch, permits, size, idle: Mutex::default() })
    }

    /// Leases an instance with exactly this grant; waits while the pool is full.
    pub(crate) async fn lease(self: &Arc<Self>, grant: &Arc<Grant>) -> Result<Lease, Error> {
        let permit = Arc::clone(&self.permits)
            .acquire_owned()
            .await
            .map_err(|_| Error::internal("waiting for an instance: the pool is closed"))?;
        let instance = match self.take_idle(grant) {
            Some(instance) => instance,
            None => self.instantiate(grant).await?,
        };
        let running = self.epoch.run();
        Ok(Lease { pool: Arc::clone(self), instance, _running: running, _permit: permit })
    }

    fn take_idle(&self, grant: &Arc<Grant>) -> Option<Instance> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let at = idle.iter().rposition(|i| Arc::ptr_eq(&i.grant, grant))?;
        Some(idle.remove(at))
    }

    async fn instantiate(&self, grant: &Arc<Grant>) -> Result<Instance, Error> {
        let mut store = Store::new(&self.loaded.engine, StoreState::new(Arc::clone(grant)));
        store.limiter(|state| &mut state.limits);
        store.set_epoch_deadline(1);
        // A guest in a long computation yields the thread, so that the deadline of its call can
        // stop it.
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

/// One instance, leased for one call. Dropped without [`Lease::keep`], as when the call was
/// cancelled or the guest trapped, the instance is thrown away.
pub(crate) struct Lease {
    pool: Arc<Pool>,
    instance: Instance,
    _running: Running,
    _permit: OwnedSemaphorePermit,
}

impl Lease {
    pub(crate) fn parts(&mut self) -> (&mut Store<StoreState>, &Provider) {
        (&mut self.instance.store, &self.instance.provider)
    }

    /// Returns the instance to the pool after a call that ended normally.
    pub(crate) fn keep(self) {
        let Self { pool, mut instance, .. } = self;
        instance.calls += 1;
        // A transport failure that a retry made good must not become the cause of the next call's
        // error.
        drop(instance.store.data().take_failure());
        if instance.calls >= limits::CALLS_PER_INSTANCE {
            return;
        }
        let mut idle = pool.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.push(instance);
        if idle.len() > pool.size {
            idle.remove(0);
        }
    }
}
