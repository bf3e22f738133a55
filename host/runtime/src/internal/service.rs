//! The interface of the host's internal HTTP services.

use std::future::Future;
use std::pin::Pin;

use http::{Request, Response};
use wasmtime_wasi_http::WasiBody;

use crate::net::{Failure, Target};

/// Why a service has no response to a request.
pub(crate) enum ServiceError {
    /// Something in the request is not granted: `` the key `x` ``.
    NotGranted(String),
    /// The service failed.
    Failed(Failure),
}

impl From<Failure> for ServiceError {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

/// The response to one request.
pub(crate) type ServiceFuture<'a> =
    Pin<Box<dyn Future<Output = Result<Response<WasiBody>, ServiceError>> + Send + 'a>>;

/// An HTTP service inside this process, at `http://<host>/`, for roles that are granted it.
pub(crate) trait Service: Send + Sync {
    /// The service's host name, which resolves nowhere else.
    fn host(&self) -> &'static str;

    /// Responds to one request.
    fn respond(&self, request: Request<WasiBody>) -> ServiceFuture<'_>;

    /// Whether a request to `target` is for this service.
    fn serves(&self, target: &Target) -> bool {
        target.host == self.host() && target.port == 80 && !target.tls
    }
}
