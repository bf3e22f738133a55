//! One request to the component's own HTTP handler, in an instance of a level.

use std::sync::Arc;

use http::{Request, Response};
use http_body_util::{BodyExt as _, Limited};
use tokio::sync::oneshot;
use wasmtime_wasi_http::p2::bindings::http::types::{ErrorCode, Scheme};
use wasmtime_wasi_http::p2::body::HyperOutgoingBody;
use wasmtime_wasi_http::{WasiBody, WasiHttpView as _};
use zeroize::Zeroizing;

use crate::cache::Answer;
use crate::grant::Grant;
use crate::inside::scrubbed;
use crate::level::Level;
use crate::limits;

/// Why there is no answer, in words that follow `the identity endpoint`.
pub(crate) type Broken = String;

/// Has an instance with that grant answer. One that traps loses nothing but itself.
pub(crate) async fn handle(
    level: &Arc<Level>,
    grant: &Arc<Grant>,
    request: Request<WasiBody>,
) -> Result<Answer, Broken> {
    let mut lease = level.lease(grant).await.map_err(|error| error.message)?;
    let (store, provider) = lease.parts();
    let (sender, receiver) = oneshot::channel();
    let mut http = store.data_mut().http();
    let refused = |_| Broken::from("could not take the request");
    let request = http.new_incoming_request(Scheme::Http, request).map_err(refused)?;
    let out = http.new_response_outparam(sender).map_err(refused)?;
    let handler = provider.wasi_http_incoming_handler();
    let (called, answer) =
        tokio::join!(handler.call_handle(&mut *store, request, out), collect(receiver));
    if let Err(trap) = called {
        tracing::error!(target: "vaultlet", "the component trapped: {trap:#}");
        return Err("failed; this is a defect".into());
    }
    let cause = store.data().take_failure();
    lease.keep();
    let answer = answer.ok_or("gave no answer")?;
    Ok(Answer { cause: cause.filter(|_| !answer.is_success()), ..answer })
}

type Handled = Result<Response<HyperOutgoingBody>, ErrorCode>;

async fn collect(receiver: oneshot::Receiver<Handled>) -> Option<Answer> {
    let (parts, body) = receiver.await.ok()?.ok()?.into_parts();
    let body = Limited::new(body, limits::BODY_MAX).collect().await.ok()?.to_bytes();
    Some(Answer {
        status: parts.status,
        headers: parts.headers,
        body: scrubbed(Zeroizing::new(Vec::from(body))),
        cause: None,
    })
}
