//! How outcomes come back to the thread of JavaScript whose calls they are of.
//!
//! One function of that thread is woken for any number of outcomes. It keeps the process alive while
//! a call runs, and no longer. When the thread ends, as a worker that is terminated does, its calls
//! are cancelled, and values that nobody fetched are scrubbed.

use std::collections::HashMap;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use napi::bindgen_prelude::{External, Result};
use napi::threadsafe_function::{
    ThreadsafeFunction, ThreadsafeFunctionCallMode, UnknownReturnValue,
};
use napi::{Env, Status};
use napi_derive::napi;
use vaultlet_host::{Cancel, Error, Vaultlet};

use crate::Handle;
use crate::failure::Failure;
use crate::options::Call;
use crate::values::{Held, Plan, Properties};

/// Wakes the thread. By itself it does not keep the process alive.
pub(crate) type Wake = ThreadsafeFunction<(), UnknownReturnValue, (), Status, false, true>;

/// A port, as its thread holds it.
pub(crate) struct Owner(Arc<Port>);

struct Port {
    wake: Mutex<Wake>,
    arrived: Mutex<Vec<(u32, Outcome)>>,
    /// Those that have begun and are not drained.
    calls: Mutex<HashMap<u32, Cancel>>,
}

/// How a call ended.
pub(crate) enum Outcome {
    Failed(Failure),
    Done(Value),
}

/// What a call is answered with.
pub(crate) enum Value {
    Held(Held),
    Many(Vec<Held>),
    Listing(Vec<Properties>),
    Plan(Plan),
}

/// The outcome of one call; one of the others is there.
#[napi(object, object_from_js = false)]
pub(crate) struct Settled {
    pub id: u32,
    pub error: Option<Failure>,
    pub held: Option<External<Held>>,
    pub many: Option<Vec<External<Held>>>,
    pub listing: Option<Vec<Properties>>,
    pub plan: Option<Plan>,
}

impl Owner {
    pub(crate) fn new(wake: Wake) -> Self {
        let (arrived, calls) = (Mutex::default(), Mutex::default());
        Self(Arc::new(Port { wake: Mutex::new(wake), arrived, calls }))
    }

    /// Begins a call on one of the handle's threads.
    pub(crate) fn begin<F: Future<Output = Outcome> + Send + 'static>(
        &self,
        env: &Env,
        on: &Handle,
        id: u32,
        call: Call,
        work: impl FnOnce(Vaultlet) -> F,
    ) -> Result<()> {
        let Some(on) = &on.0 else {
            return Err(napi::Error::from_reason("the handle is closed"));
        };
        let cancel = Cancel::new();
        let on = call.apply(on.with_cancel(&cancel));
        let is_first = {
            let mut calls = lock(&self.0.calls);
            calls.insert(id, cancel);
            calls.len() == 1
        };
        if is_first {
            self.0.keep_alive(env, true)?;
        }
        let outlet = Outlet { port: Arc::clone(&self.0), id, outcome: None };
        let work = work(on.clone());
        let begun = on.spawn(async move {
            let mut outlet = outlet;
            outlet.outcome = Some(work.await);
        });
        if let Err(error) = begun {
            // The outlet was dropped and has said that the call was lost; this is why.
            self.0.replace(id, error.into());
        }
        Ok(())
    }

    pub(crate) fn cancel(&self, id: u32) {
        if let Some(cancel) = lock(&self.0.calls).get(&id) {
            cancel.cancel();
        }
    }

    pub(crate) fn drain(&self, env: &Env) -> Result<Vec<Settled>> {
        let arrived = mem::take(&mut *lock(&self.0.arrived));
        let is_idle = {
            let mut calls = lock(&self.0.calls);
            for (id, _) in &arrived {
                calls.remove(id);
            }
            calls.is_empty()
        };
        if is_idle {
            self.0.keep_alive(env, false)?;
        }
        Ok(arrived.into_iter().map(|(id, outcome)| outcome.settle(id)).collect())
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        for cancel in lock(&self.0.calls).values() {
            cancel.cancel();
        }
    }
}

impl Port {
    fn keep_alive(&self, env: &Env, alive: bool) -> Result<()> {
        let mut wake = lock(&self.wake);
        #[allow(deprecated, reason = "its clones would count calls; this is one for all of them")]
        if alive { wake.refer(env) } else { wake.unref(env) }
    }

    fn post(&self, id: u32, outcome: Outcome) {
        let is_first = {
            let mut arrived = lock(&self.arrived);
            arrived.push((id, outcome));
            arrived.len() == 1
        };
        if is_first
            && lock(&self.wake).call((), ThreadsafeFunctionCallMode::NonBlocking) != Status::Ok
        {
            // The thread has ended.
            lock(&self.arrived).clear();
        }
    }

    fn replace(&self, id: u32, failure: Failure) {
        if let Some((_, outcome)) = lock(&self.arrived).iter_mut().find(|(of, _)| *of == id) {
            *outcome = Outcome::Failed(failure);
        }
    }
}

/// Posts what became of a call, whatever becomes of it.
struct Outlet {
    port: Arc<Port>,
    id: u32,
    outcome: Option<Outcome>,
}

impl Drop for Outlet {
    fn drop(&mut self) {
        let lost = || Outcome::Failed(Failure::internal("running a call: it was lost"));
        self.port.post(self.id, self.outcome.take().unwrap_or_else(lost));
    }
}

impl Outcome {
    pub(crate) fn of<T>(
        result: std::result::Result<T, Error>,
        value: impl FnOnce(T) -> Value,
    ) -> Self {
        match result {
            Ok(done) => Self::Done(value(done)),
            Err(error) => Self::Failed(error.into()),
        }
    }

    fn settle(self, id: u32) -> Settled {
        let mut settled =
            Settled { id, error: None, held: None, many: None, listing: None, plan: None };
        match self {
            Self::Failed(failure) => settled.error = Some(failure),
            Self::Done(Value::Held(held)) => settled.held = Some(held.external()),
            Self::Done(Value::Many(many)) => {
                settled.many = Some(many.into_iter().map(Held::external).collect());
            }
            Self::Done(Value::Listing(listing)) => settled.listing = Some(listing),
            Self::Done(Value::Plan(plan)) => settled.plan = Some(plan),
        }
        settled
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
