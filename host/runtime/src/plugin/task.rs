//! A call that runs on a thread of the plugin, and the caller that waits for it.

use std::future::Future;
use std::time::Duration;

use tokio::time::error::Elapsed;

use crate::call::Cancel;
use crate::error::{Error, Kind};

use super::thread::CallThread;

/// A running call, which is aborted when this is dropped.
pub(super) struct Task<T> {
    running: tokio::task::JoinHandle<Result<Result<T, Error>, Elapsed>>,
    limit: Duration,
}

impl<T: Send + 'static> Task<T> {
    /// Starts a call that may take as long as `limit`.
    pub(super) fn start(
        thread: &CallThread,
        limit: Duration,
        call: impl Future<Output = Result<T, Error>> + Send + 'static,
    ) -> Self {
        Self {
            running: thread.spawn(async move { tokio::time::timeout(limit, call).await }),
            limit,
        }
    }

    /// Waits for the result. `help` is the remedy of the error when the time has run out.
    pub(super) async fn finish(
        mut self,
        doing: &str,
        cancel: Option<&Cancel>,
        help: &str,
    ) -> Result<T, Error> {
        let ended = match cancel {
            None => (&mut self.running).await,
            Some(cancel) => tokio::select! {
                biased;
                () = cancel.cancelled() => return Err(cancelled(doing)),
                ended = &mut self.running => ended,
            },
        };
        match ended {
            Ok(Ok(result)) => result,
            Ok(Err(_elapsed)) => {
                let limit = self.limit.as_secs_f64();
                let message = format!("{doing}: not done within {limit} s");
                Err(Error::new(Kind::Timeout, "timeout", message, help))
            }
            Err(_) => Err(Error::internal(format!("{doing}: the call panicked"))),
        }
    }
}

impl<T> Drop for Task<T> {
    fn drop(&mut self) {
        self.running.abort();
    }
}

/// An error if the caller cancelled the call before it began.
pub(super) fn fail_if_cancelled(doing: &str, cancel: Option<&Cancel>) -> Result<(), Error> {
    match cancel {
        Some(cancel) if cancel.is_cancelled() => Err(cancelled(doing)),
        _ => Ok(()),
    }
}

fn cancelled(doing: &str) -> Error {
    let message = format!("{doing}: the caller cancelled it");
    Error::new(Kind::Timeout, "cancelled", message, "")
}
