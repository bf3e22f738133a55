//! A plugin's own threads, one for each call that runs, so that a plugin in a long computation delays
//! neither calls of the handle nor other calls of the plugin.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_lite::future::block_on;
use tokio::runtime::Runtime;
use zeroize::Zeroizing;

use crate::call::{Call, Slot};
use crate::error::Error;
use crate::handle::{Job, Pending, Threads};
use crate::instance::Ticker;

use super::component::PluginComponent;
use super::options::{CALLING, PluginOptions};
use super::wave::FunctionCall;

/// A plugin's component, and the threads that run it.
pub(super) struct Workers {
    options: Arc<PluginOptions>,
    component: PluginComponent,
    ticker: Arc<Ticker>,
    threads: Threads,
    watched: Arc<Watched>,
    /// Drives the timers of WASI while a call blocks its thread. Taken when this is dropped.
    runtime: Option<Runtime>,
}

type Outcome = Result<Zeroizing<String>, Error>;

/// The calls that run. Their callers are told of a deadline also where the plugin does not come to a
/// point at which it can be stopped.
#[derive(Default)]
struct Watched(Mutex<Vec<(Arc<Call>, Slot<Outcome>)>>);

impl Workers {
    pub(super) fn open(options: Arc<PluginOptions>) -> Result<Arc<Self>, Error> {
        let component = PluginComponent::new(&options.code)?;
        let threads = Threads::new(options.concurrency);
        let watched = Arc::<Watched>::default();
        let (expire, for_ticker) = (threads.expiry(), Arc::clone(&watched));
        let ticker = Ticker::start(component.engine().clone(), move || {
            expire();
            for_ticker.tell();
            None
        })?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("vaultlet-wasi")
            .enable_time()
            .build()
            .map_err(|e| Error::internal(format!("starting a thread: {e}")))?;
        let runtime = Some(runtime);
        Ok(Arc::new(Self { options, component, ticker, threads, watched, runtime }))
    }

    /// Opens the plugin again, with the same options.
    pub(super) fn reopen(self: &Arc<Self>) -> Result<Arc<Self>, Error> {
        Self::open(Arc::clone(&self.options))
    }

    pub(super) fn options(&self) -> &PluginOptions {
        &self.options
    }

    pub(super) fn component(&self) -> &PluginComponent {
        &self.component
    }

    /// Runs a function as this call, on a thread; waits while as many calls as are allowed run.
    pub(super) fn start(
        self: &Arc<Self>,
        function: FunctionCall,
        call: Call,
    ) -> Pending<Zeroizing<String>> {
        let (call, slot) = (Arc::new(call), Slot::default());
        self.watched.lock().push((Arc::clone(&call), slot.clone()));
        // The end of a call that waits for its turn is seen at a tick.
        let running = self.ticker.run();
        let (workers, for_job, result) = (Arc::clone(self), Arc::clone(&call), slot.clone());
        let run = move |ready: Result<(), Error>| {
            let work = || ready.and_then(|()| workers.run(function, &for_job));
            let panicked = |_| Err(Error::internal(format!("{CALLING}: it panicked")));
            let outcome = catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(panicked);
            workers.watched.forget(&for_job);
            result.set(outcome);
            drop(running);
        };
        self.threads.run(Job { call: Arc::clone(&call), run: Box::new(run) });
        Pending { slot, call }
    }

    fn run(&self, function: FunctionCall, call: &Arc<Call>) -> Outcome {
        let Some(runtime) = &self.runtime else {
            return Err(Error::internal(format!("{CALLING}: it has been closed")));
        };
        let _entered = runtime.enter();
        block_on(async {
            tokio::select! {
                biased;
                outcome = self.component.run(&self.options, function, call) => outcome,
                ended = call.ended() => Err(ended),
            }
        })
    }
}

impl Watched {
    /// Tells the callers of calls that have ended.
    fn tell(&self) {
        self.lock().retain(|(call, slot)| match call.check() {
            Ok(()) => true,
            Err(error) => {
                slot.set(Err(error));
                false
            }
        });
    }

    fn forget(&self, call: &Arc<Call>) {
        self.lock().retain(|(watched, _)| !Arc::ptr_eq(watched, call));
    }

    fn lock(&self) -> MutexGuard<'_, Vec<(Arc<Call>, Slot<Outcome>)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // The last owner may be a future of the embedder's runtime.
            runtime.shutdown_background();
        }
    }
}
