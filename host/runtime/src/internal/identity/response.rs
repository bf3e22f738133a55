//! A response of the identity endpoint, which can be given out more than once.

use crate::error::Cause;
use crate::internal::service::Served;
use crate::net::Response;

/// A whole response in memory; its body is scrubbed when it is dropped.
pub(crate) struct StoredResponse {
    pub(crate) response: Response,
    /// The cause of a failure, where the transport knows more than the response says.
    pub(crate) cause: Option<Cause>,
}

impl StoredResponse {
    pub(crate) fn is_success(&self) -> bool {
        (200..300).contains(&self.response.status)
    }

    /// The response for one caller.
    pub(super) fn served(&self) -> Served {
        let Response { status, headers, body } = &self.response;
        let response = Response { status: *status, headers: headers.clone(), body: body.clone() };
        Served { response, cause: self.cause.clone() }
    }
}
