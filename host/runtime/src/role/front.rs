//! The front role: serves the requests of programs that an identity is lent to.

use std::sync::Arc;

use crate::call::Call;
use crate::error::Error;
use crate::grant::Grant;
use crate::instance::{Incoming, Pool, Reply};

/// Hands lent requests to instances of the front role.
pub(crate) struct Front {
    pub(crate) pool: Arc<Pool>,
    pub(crate) grant: Arc<Grant>,
}

impl Front {
    /// Has the component respond to one request.
    pub(crate) fn request(&self, request: &Incoming, call: &Arc<Call>) -> Result<Reply, Error> {
        self.pool.call(&self.grant, call, |guest| guest.serve(call, request))
    }
}
