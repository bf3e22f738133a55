//! One request to the component's own HTTP handler, in an instance of the pool.

use std::sync::Arc;

use http::{Request, Response};
use http_body_util::{BodyExt as _, Limited};
use tokio::sync::oneshot;
use wasmtime_wasi_http::p2::bindings::http::types::{ErrorCode, Scheme};
use wasmtime_wasi_http::p2::body::HyperOutgoingBody;
use wasmtime_wasi_http::{WasiBody, WasiHttpView as _};
use zeroize::Zeroizing;

use crate::grant::Grant;
use crate::instance::Pool;
use crate::internal::{BufferedResponse, scrubbed};
use crate::limits;

use super::trap::log_trap;

/// Has an instance with this grant respond to a request. An error is text that follows `the
/// identity endpoint`. An instance that traps affects no other.
pub(super) async fn handle(
    pool: &Arc<Pool>,
    grant: &Arc<Grant>,
    request: Request<WasiBody>,
) -> Result<BufferedResponse, String> {
    let mut lease = pool.lease(grant).await.map_err(|error| error.message)?;
    let (store, provider) = lease.parts();
    let (sender, receiver) = oneshot::channel();
    let mut http = store.data_mut().http();
    let refused = |_| "could not take the request".to_owned();
    let request = http.new_incoming_request(Scheme::Http, request).map_err(refused)?;
    let out = http.new_response_outparam(sender).map_err(refused)?;
    let handler = provider.wasi_http_incoming_handler();
    let (called, response) =
        tokio::join!(handler.call_handle(&mut *store, request, out), collect(receiver));
    if let Err(trap) = called {
        log_trap(grant.role, &trap);
        return Err("failed; this is a defect".into());
    }
    let cause = store.data().take_failure();
    lease.keep();
    let response = response.ok_or("gave no response")?;
    Ok(BufferedResponse { cause: cause.filter(|_| !response.is_success()), ..response })
}

type HandlerResult = Result<Response<HyperOutgoingBody>, ErrorCode>;

async fn collect(receiver: oneshot::Receiver<HandlerResult>) -> Option<BufferedResponse> {
    let (parts, body) = receiver.await.ok()?.ok()?.into_parts();
    let body = Limited::new(body, limits::BODY_MAX).collect().await.ok()?.to_bytes();
    Some(BufferedResponse {
        status: parts.status,
        headers: parts.headers,
        body: scrubbed(Zeroizing::new(Vec::from(body))),
        cause: None,
    })
}
