//! A thread that runs calls of a plugin, and counts them.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::task::JoinHandle;

use crate::error::Error;
use crate::runtime_thread::RuntimeThread;

/// The thread and the calls on it end when this is dropped.
pub(super) struct CallThread {
    thread: RuntimeThread,
    calls: Arc<AtomicUsize>,
}

impl CallThread {
    pub(super) fn start() -> Result<Self, Error> {
        Ok(Self { thread: RuntimeThread::start()?, calls: Arc::default() })
    }

    /// How many calls run on this thread now.
    pub(super) fn calls(&self) -> usize {
        self.calls.load(Ordering::Relaxed)
    }

    pub(super) fn spawn<T: Send + 'static>(
        &self,
        call: impl Future<Output = T> + Send + 'static,
    ) -> JoinHandle<T> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        let ended = Ended(Arc::clone(&self.calls));
        self.thread.handle().spawn(async move {
            let _ended = ended;
            call.await
        })
    }
}

/// Counts a call out, however it ends.
struct Ended(Arc<AtomicUsize>);

impl Drop for Ended {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
