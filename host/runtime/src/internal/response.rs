//! Responses from the host's internal services.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use wasmtime_wasi_http::WasiBody;
use zeroize::Zeroizing;

use crate::error::Cause;

/// A whole response in memory, which can be given out more than once.
pub(crate) struct BufferedResponse {
    pub(crate) status: StatusCode,
    pub(crate) headers: http::HeaderMap,
    /// Scrubbed when the last copy is dropped.
    pub(crate) body: Bytes,
    /// The cause of a failure, where the transport knows more than the response says.
    pub(crate) cause: Option<Cause>,
}

impl BufferedResponse {
    pub(crate) fn is_success(&self) -> bool {
        self.status.is_success()
    }

    /// The response for one caller; the body is shared, not copied.
    pub(crate) fn to_response(&self) -> Response<WasiBody> {
        let mut response = response(self.status, self.body.clone());
        *response.headers_mut() = self.headers.clone();
        if let Some(cause) = &self.cause {
            response.extensions_mut().insert(cause.clone());
        }
        response
    }
}

/// Bytes that are scrubbed when their last copy is dropped.
pub(crate) fn scrubbed(content: Zeroizing<Vec<u8>>) -> Bytes {
    Bytes::from_owner(content)
}

/// A response with this body and no header.
pub(crate) fn response(status: StatusCode, body: Bytes) -> Response<WasiBody> {
    let body = Full::new(body).map_err(|never| match never {}).boxed_unsync();
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response
}

/// A response whose text tells people why the request failed. The text holds no secret.
pub(crate) fn refusal(status: StatusCode, text: impl Into<Bytes>) -> Response<WasiBody> {
    let mut response = response(status, text.into());
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, plain);
    response
}
