//! The interface of the host's internal HTTP services.

use crate::call::Call;
use crate::error::Cause;
use crate::net::{Failure, Request, Response};

/// The response of a service.
pub(crate) struct Served {
    pub(crate) response: Response,
    /// The cause of a failure, where the service knows more than its response says.
    pub(crate) cause: Option<Cause>,
}

impl From<Response> for Served {
    fn from(response: Response) -> Self {
        Self { response, cause: None }
    }
}

/// Why a service has no response to a request.
pub(crate) enum ServiceError {
    /// Something in the request is not granted: `` the key `x` ``.
    NotGranted(String),
    /// The service failed.
    Failed(Failure),
}

impl<F: Into<Failure>> From<F> for ServiceError {
    fn from(failure: F) -> Self {
        Self::Failed(failure.into())
    }
}

/// An HTTP service inside this process, at `http://<host>/`, for roles that are granted it.
pub(crate) trait Service: Send + Sync {
    /// The service's host name, which resolves nowhere else.
    fn host(&self) -> &'static str;

    /// Responds to one request.
    fn respond(&self, request: &Request, call: &Call) -> Result<Served, ServiceError>;

    /// Whether a request is for this service.
    fn serves(&self, request: &Request) -> bool {
        request.host == self.host() && request.port == 80 && !request.secure
    }
}
