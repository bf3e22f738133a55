//! The front role: serves the requests of programs that an identity is lent to.

use std::sync::Arc;

use http::Request;
use wasmtime_wasi_http::WasiBody;

use crate::grant::Grant;
use crate::instance::Pool;
use crate::internal::BufferedResponse;

use super::handler::handle;

/// Hands lent requests to instances of the front role.
pub(crate) struct Front {
    pub(crate) pool: Arc<Pool>,
    pub(crate) grant: Arc<Grant>,
}

impl Front {
    /// Has the component respond to one request. An error is text that follows `the identity
    /// endpoint`.
    pub(crate) async fn request(
        &self,
        request: Request<WasiBody>,
    ) -> Result<BufferedResponse, String> {
        handle(&self.pool, &self.grant, request).await
    }
}
