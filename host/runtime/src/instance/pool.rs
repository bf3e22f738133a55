//! Instance pool: concurrency limit and reuse of idle instances.

use std::sync::{Arc, Mutex, PoisonError};

use crate::call::Call;
use crate::error::Error;
use crate::exhausted;
use crate::grant::{Grant, Role};
use crate::limits;

use super::component::Loaded;
use super::epoch::{Running, Ticker};
use super::guest::Guest;
use super::permits::{Permit, Permits};

const STARTING: &str = "starting the component";

/// An instance pool. When it is full, calls wait here; the pooling allocator below would refuse
/// them.
pub(crate) struct Pool {
    loaded: Arc<Loaded>,
    ticker: Arc<Ticker>,
    permits: Arc<Permits>,
    size: usize,
    /// Idle instances of all grants, the oldest first; at most `size`.
    idle: Mutex<Vec<Instance>>,
}

struct Instance {
    guest: Guest,
    grant: Arc<Grant>,
    calls: u32,
}

impl Pool {
    pub(crate) fn new(loaded: Arc<Loaded>, ticker: Arc<Ticker>, size: usize) -> Arc<Self> {
        Arc::new(Self { loaded, ticker, permits: Permits::new(size), size, idle: Mutex::default() })
    }

    /// Makes a call in an instance with exactly this grant; waits while the pool is full. An
    /// instance that trapped, or whose call has ended early, is not used again.
    pub(crate) fn call<T>(
        &self,
        grant: &Arc<Grant>,
        call: &Arc<Call>,
        work: impl FnOnce(&mut Guest) -> wasmtime::Result<T>,
    ) -> Result<T, Error> {
        let _permit: Permit = self.permits.acquire(call)?;
        let _running: Running = self.ticker.run();
        let mut instance = match self.take_idle(grant) {
            Some(instance) => instance,
            None => self.instantiate(grant, call)?,
        };
        let result = work(&mut instance.guest).map_err(|trap| trapped(grant.role, trap))?;
        self.keep(instance);
        Ok(result)
    }

    fn take_idle(&self, grant: &Arc<Grant>) -> Option<Instance> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let at = idle.iter().rposition(|i| Arc::ptr_eq(&i.grant, grant))?;
        Some(idle.remove(at))
    }

    fn instantiate(&self, grant: &Arc<Grant>, call: &Arc<Call>) -> Result<Instance, Error> {
        let guest = self.loaded.instantiate(grant, call).map_err(|error| {
            match error.downcast::<Error>() {
                Ok(ended) => ended,
                Err(error) => exhausted::of_wasmtime(STARTING, &error)
                    .unwrap_or_else(|| Error::internal(format!("{STARTING}: {error:#}"))),
            }
        })?;
        crate::phases::mark(format_args!("{} instance made", grant.role));
        Ok(Instance { guest, grant: Arc::clone(grant), calls: 0 })
    }

    /// Returns an instance to the pool after a call that ended normally.
    fn keep(&self, mut instance: Instance) {
        instance.calls += 1;
        // A transport failure that a retry made good must not become the cause of the next call's
        // error.
        drop(instance.guest.take_failure());
        if instance.calls >= limits::CALLS_PER_INSTANCE {
            return;
        }
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.push(instance);
        if idle.len() > self.size {
            idle.remove(0);
        }
    }
}

/// The error of a call whose instance trapped. A trap is a defect of the component, and the log has
/// its details; a call that was ended says so itself.
fn trapped(role: Role, trap: wasmtime::Error) -> Error {
    match trap.downcast::<Error>() {
        Ok(ended) => ended,
        Err(trap) => {
            if let Some(missing) = exhausted::of_wasmtime("running the component", &trap) {
                return missing;
            }
            tracing::error!(target: "vaultlet", "the component trapped in the {role} role: {trap:#}");
            Error::internal(format!("running the component: {}", trap.root_cause()))
        }
    }
}
