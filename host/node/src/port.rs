//! The port of a thread of JavaScript, through which the results of its calls come back.
//!
//! The port wakes one function of that thread for any number of results. It keeps the process alive
//! while a call is running, and no longer. When the thread ends, such as a worker that is terminated, its
//! calls are cancelled, and values that nobody fetched are scrubbed.

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
use crate::options::CallOptions;
use crate::values::{Held, Plan, Properties};

/// Wakes the thread. It does not keep the process alive by itself.
pub(crate) type Wake = ThreadsafeFunction<(), UnknownReturnValue, (), Status, false, true>;

/// A port, as its thread holds it. Dropping it cancels the thread's calls.
pub(crate) struct Owner(Arc<Port>);

struct Port {
    wake: Mutex<Wake>,
    arrived: Mutex<Vec<(u32, Ended)>>,
    /// Calls that have begun and whose results are not drained.
    calls: Mutex<HashMap<u32, Cancel>>,
}

/// The end of a call.
enum Ended {
    Failed(Failure),
    Done(Value),
}

/// The return value of a call.
pub(crate) enum Value {
    Held(Held),
    Many(Vec<Held>),
    /// Secrets, with the names of the variables that they are for.
    Environment(Vec<String>, Vec<Held>),
    Listing(Vec<Properties>),
    Plan(Plan),
}

/// The end of one call, for JavaScript. One field besides `id` is set, or `names` and `many`.
#[napi(object, object_from_js = false)]
pub(crate) struct Settled {
    pub id: u32,
    pub error: Option<Failure>,
    pub held: Option<External<Held>>,
    pub many: Option<Vec<External<Held>>>,
    pub names: Option<Vec<String>>,
    pub listing: Option<Vec<Properties>>,
    pub plan: Option<Plan>,
}

impl Owner {
    pub(crate) fn new(wake: Wake) -> Self {
        let (arrived, calls) = (Mutex::default(), Mutex::default());
        Self(Arc::new(Port { wake: Mutex::new(wake), arrived, calls }))
    }

    /// Begins a call on one of the handle's threads.
    pub(crate) fn begin(
        &self,
        env: &Env,
        handle: &Handle,
        id: u32,
        options: CallOptions,
        start: impl FnOnce(&Vaultlet, Delivery),
    ) -> Result<()> {
        let Some(handle) = &handle.0 else {
            return Err(napi::Error::from_reason("the handle is closed"));
        };
        let cancel = Cancel::new();
        let handle = options.apply(handle.with_cancel(&cancel));
        let is_first = {
            let mut calls = lock(&self.0.calls);
            calls.insert(id, cancel);
            calls.len() == 1
        };
        if is_first {
            self.0.keep_alive(env, true)?;
        }
        start(&handle, Delivery { port: Arc::clone(&self.0), id, ended: None });
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
        Ok(arrived.into_iter().map(|(id, ended)| ended.settle(id)).collect())
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
        #[allow(
            deprecated,
            reason = "clones of the function would count calls; this is one for all of them"
        )]
        if alive { wake.refer(env) } else { wake.unref(env) }
    }

    fn post(&self, id: u32, ended: Ended) {
        let is_first = {
            let mut arrived = lock(&self.arrived);
            arrived.push((id, ended));
            arrived.len() == 1
        };
        if is_first
            && lock(&self.wake).call((), ThreadsafeFunctionCallMode::NonBlocking) != Status::Ok
        {
            // The thread has ended.
            lock(&self.arrived).clear();
        }
    }
}

/// Posts the end of a call when it is dropped, even if the call never ran to its end.
pub(crate) struct Delivery {
    port: Arc<Port>,
    id: u32,
    ended: Option<Ended>,
}

impl Delivery {
    /// A function that posts the result of the call.
    pub(crate) fn result<T>(
        mut self,
        value: impl FnOnce(T) -> Value + Send,
    ) -> impl FnOnce(std::result::Result<T, Error>) + Send {
        move |result| match result {
            Ok(done) => self.end(Ended::Done(value(done))),
            Err(error) => self.end(Ended::Failed(error.into())),
        }
    }

    fn end(&mut self, ended: Ended) {
        self.ended = Some(ended);
    }
}

impl Drop for Delivery {
    fn drop(&mut self) {
        let lost = || Ended::Failed(Failure::internal("running a call: it was lost"));
        self.port.post(self.id, self.ended.take().unwrap_or_else(lost));
    }
}

impl Ended {
    fn settle(self, id: u32) -> Settled {
        let mut settled = Settled {
            id,
            error: None,
            held: None,
            many: None,
            names: None,
            listing: None,
            plan: None,
        };
        match self {
            Self::Failed(failure) => settled.error = Some(failure),
            Self::Done(Value::Held(held)) => settled.held = Some(held.external()),
            Self::Done(Value::Many(many)) => {
                settled.many = Some(many.into_iter().map(Held::external).collect());
            }
            Self::Done(Value::Environment(names, many)) => {
                settled.names = Some(names);
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
