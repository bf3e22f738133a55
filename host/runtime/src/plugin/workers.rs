//! A plugin's own threads, so that a plugin in a long computation does not delay calls of the
//! handle.

use std::sync::Arc;

use tokio::sync::Semaphore;

use crate::error::Error;
use crate::instance::Ticker;

use super::component::PluginComponent;
use super::options::{CALLING, PluginOptions};
use super::thread::CallThread;
use super::wave::FunctionCall;

/// A plugin's component, and the threads that run it.
pub(super) struct Workers {
    options: Arc<PluginOptions>,
    component: PluginComponent,
    ticker: Arc<Ticker>,
    permits: Semaphore,
    threads: Vec<CallThread>,
}

impl Workers {
    pub(super) fn open(options: Arc<PluginOptions>) -> Result<Arc<Self>, Error> {
        let component = PluginComponent::new(&options.code)?;
        let ticker = Ticker::start(component.engine().clone(), || None)?;
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let threads = (0..options.concurrency.min(processors)).map(|_| CallThread::start());
        let threads = threads.collect::<Result<_, _>>()?;
        let permits = Semaphore::new(options.concurrency);
        Ok(Arc::new(Self { options, component, ticker, permits, threads }))
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

    /// The thread with the fewest calls.
    pub(super) fn thread(&self) -> Result<&CallThread, Error> {
        let least = self.threads.iter().min_by_key(|thread| thread.calls());
        least.ok_or_else(|| Error::internal(format!("{CALLING}: there is no thread")))
    }

    /// Runs a call; waits while as many calls as are allowed run.
    pub(super) async fn run(self: Arc<Self>, call: FunctionCall) -> Result<String, Error> {
        let permit = self.permits.acquire().await;
        let _permit =
            permit.map_err(|_| Error::internal(format!("{CALLING}: it has been closed")))?;
        let _running = self.ticker.run();
        self.component.run(&self.options, call).await
    }
}
