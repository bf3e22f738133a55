//! Answers of the names that resolve only inside the host.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use wasmtime_wasi_http::WasiBody;
use zeroize::Zeroizing;

/// A body that is scrubbed when its last copy goes.
pub(crate) fn scrubbed(content: Zeroizing<Vec<u8>>) -> Bytes {
    Bytes::from_owner(content)
}

/// Bytes, whatever they are.
pub(crate) fn answer(status: StatusCode, body: Bytes) -> Response<WasiBody> {
    let body = Full::new(body).map_err(|never| match never {}).boxed_unsync();
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response
}

/// Text that says why not, for people, without secrets.
pub(crate) fn refusal(status: StatusCode, text: impl Into<Bytes>) -> Response<WasiBody> {
    let mut response = answer(status, text.into());
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, plain);
    response
}
