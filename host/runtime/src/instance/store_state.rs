//! Per-instance store state: the grant of the instance's role, the call that runs in the instance, and
//! nothing else of this machine.

use std::sync::Arc;
use std::time::Instant;

use wasmtime::{StoreLimits, StoreLimitsBuilder};
use zeroize::Zeroize as _;

use crate::call::Call;
use crate::error::{Cause, Error};
use crate::grant::Grant;
use crate::limits::MEMORY_MAX;
use crate::net::{Failure, Request, Response, SendError};

/// The data of one instance's store.
pub(super) struct StoreState {
    pub(super) grant: Arc<Grant>,
    call: Option<Arc<Call>>,
    /// The beginning of the instance's monotonic clock.
    pub(super) started: Instant,
    pub(super) limits: StoreLimits,
    /// The cause of the last transport failure.
    failure: Option<Cause>,
    /// What the instance was lent of files, to be scrubbed when the call ends.
    lent: Vec<Arc<[u8]>>,
}

impl StoreState {
    pub(super) fn new(grant: Arc<Grant>) -> Self {
        let (call, started, failure, lent) = (None, Instant::now(), None, Vec::new());
        Self { grant, call, started, limits: store_limits(), failure, lent }
    }

    /// Says which call runs in the instance from now on.
    pub(super) fn begin(&mut self, call: &Arc<Call>) {
        self.call = Some(Arc::clone(call));
    }

    pub(super) fn end(&mut self) {
        self.call = None;
        for mut content in self.lent.drain(..) {
            if let Some(content) = Arc::get_mut(&mut content) {
                content.zeroize();
            }
        }
    }

    /// Content for the instance, which is scrubbed when the call ends.
    pub(super) fn lend(&mut self, content: &[u8]) -> Arc<[u8]> {
        let content = Arc::<[u8]>::from(content);
        self.lent.push(Arc::clone(&content));
        content
    }

    /// The call that runs in the instance.
    pub(super) fn call(&self) -> Result<Arc<Call>, Error> {
        self.call.clone().ok_or_else(|| Error::internal("running the component: there is no call"))
    }

    /// Sends a request, as far as the grant allows. The outer error ends the call.
    pub(super) fn exchange(
        &mut self,
        request: &Request,
    ) -> Result<Result<Response, SendError>, Error> {
        let call = self.call()?;
        match self.grant.send(request, &call) {
            Ok(served) => {
                // The cause that the broker met, when the identity endpoint asked it.
                if let Some(cause) = served.cause {
                    self.failure = Some(Cause { relayed: true, ..cause });
                }
                Ok(Ok(served.response))
            }
            Err(Failure::CallEnded(error) | Failure::Exhausted(error)) => Err(*error),
            Err(failure) => {
                self.failure = failure.cause().map(|text| Cause {
                    host: request.host.clone(),
                    text: text.to_owned(),
                    help: failure.help(),
                    relayed: false,
                });
                Ok(Err(failure.class()))
            }
        }
    }

    pub(super) fn take_failure(&mut self) -> Option<Cause> {
        self.failure.take()
    }
}

/// The limits of one instance.
pub(super) fn store_limits() -> StoreLimits {
    StoreLimitsBuilder::new().memory_size(MEMORY_MAX).instances(16).tables(16).memories(4).build()
}
