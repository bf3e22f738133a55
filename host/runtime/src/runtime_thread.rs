//! A thread with a tokio runtime of its own, for what is served or run asynchronously. It does not run
//! on the embedder's runtime, which may be short-lived.

use tokio::runtime::Handle;
use tokio::sync::oneshot;

use crate::error::Error;
use crate::exhausted;

/// The thread and the tasks on it end when this is dropped.
pub(crate) struct RuntimeThread {
    handle: Handle,
    _stop: oneshot::Sender<()>,
}

impl RuntimeThread {
    pub(crate) fn start() -> Result<Self, Error> {
        let failed = |e: std::io::Error| exhausted::thread(&e);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .enable_time()
            .build()
            .map_err(failed)?;
        let handle = runtime.handle().clone();
        let (stop, stopped) = oneshot::channel::<()>();
        std::thread::Builder::new()
            .name("vaultlet".into())
            .spawn(move || {
                // Ends when the sender is dropped.
                let _ = runtime.block_on(stopped);
                // A name lookup may still block a thread of its own; nothing waits for it.
                runtime.shutdown_background();
            })
            .map_err(failed)?;
        Ok(Self { handle, _stop: stop })
    }

    pub(crate) fn handle(&self) -> &Handle {
        &self.handle
    }
}
