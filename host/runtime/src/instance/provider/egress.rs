//! The requests of a component of the world `provider`: from `wasi:http` to the grant of its role, and
//! back.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{Method as HttpMethod, Request as HttpRequest, Response as HttpResponse};
use http_body_util::{BodyExt as _, Full, Limited};
use wasmtime_wasi_http::{Error as WasiError, RequestOptions, WasiBody, WasiHttpHooks};
use zeroize::Zeroizing;

use crate::call::Call;
use crate::error::Cause;
use crate::grant::Grant;
use crate::internal::Served;
use crate::limits;
use crate::net::{Failure, Method, Request, Response, SendError, Target};

/// Sends the guest's HTTP requests, as far as the grant allows.
pub(super) struct Egress {
    pub(super) grant: Arc<Grant>,
    /// The call that runs in the instance.
    pub(super) call: Option<Arc<Call>>,
    /// The cause of the last transport failure.
    failure: Arc<Mutex<Option<Cause>>>,
}

type BodySent = Box<dyn Future<Output = Result<(), WasiError>> + Send>;
type Sending =
    Box<dyn Future<Output = Result<(HttpResponse<WasiBody>, BodySent), WasiError>> + Send>;

impl Egress {
    pub(super) fn new(grant: Arc<Grant>) -> Self {
        Self { grant, call: None, failure: Arc::default() }
    }

    pub(super) fn take_failure(&self) -> Option<Cause> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl WasiHttpHooks for Egress {
    fn send_request(
        &mut self,
        request: HttpRequest<WasiBody>,
        options: Option<RequestOptions>,
        _: BodySent,
    ) -> Sending {
        let (grant, failure) = (Arc::clone(&self.grant), Arc::clone(&self.failure));
        let part = self.call.as_ref().map(|call| CancelOnDrop(Arc::new(call.part())));
        Box::new(async move {
            let keep = |cause: Option<Cause>| {
                *failure.lock().unwrap_or_else(PoisonError::into_inner) = cause;
            };
            let host = request.uri().host().unwrap_or_default().to_owned();
            let part = part.ok_or(WasiError::HttpRequestDenied)?;
            match send(&grant, request, options.unwrap_or_default(), &part.0).await {
                Ok(Served { response, cause }) => {
                    // The cause that the broker met, when the identity endpoint asked it.
                    if let Some(cause) = cause {
                        keep(Some(Cause { relayed: true, ..cause }));
                    }
                    let response = to_wasi(response)?;
                    Ok((response, Box::new(async { Ok(()) }) as BodySent))
                }
                Err(error) => {
                    let (text, help) = (error.cause().map(str::to_owned), error.help());
                    keep(text.map(|text| Cause { host, text, help, relayed: false }));
                    Err(wasi_error(&error))
                }
            }
        })
    }
}

/// A part of a call, which is cancelled when nobody waits for it any more.
struct CancelOnDrop(Arc<Call>);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.interrupt().cancel();
    }
}

async fn send(
    grant: &Arc<Grant>,
    request: HttpRequest<WasiBody>,
    options: RequestOptions,
    call: &Arc<Call>,
) -> Result<Served, Failure> {
    let request = from_wasi(grant, request, options).await?;
    let (grant, call) = (Arc::clone(grant), Arc::clone(call));
    // Requests block their thread.
    let sent = tokio::task::spawn_blocking(move || grant.send(&request, &call)).await;
    sent.unwrap_or_else(|_| Err(Failure::Protocol("the request failed".into())))
}

async fn from_wasi(
    grant: &Grant,
    request: HttpRequest<WasiBody>,
    options: RequestOptions,
) -> Result<Request, Failure> {
    let malformed = |what: &str| Failure::Protocol(what.into());
    let (parts, body) = request.into_parts();
    let target = Target::from_uri(&parts.uri);
    let Target { host, port, tls } =
        target.ok_or_else(|| grant.denied("a request without a server"))?;
    let method = match parts.method {
        HttpMethod::GET => Method::Get,
        HttpMethod::POST => Method::Post,
        _ => return Err(malformed("the method is not allowed")),
    };
    let body = Limited::new(body, limits::BODY_MAX).collect().await;
    let body = body.map_err(|_| malformed("the request's body is too large"))?.to_bytes();
    let mut headers = Vec::new();
    for (name, value) in &parts.headers {
        let value = value.to_str().map_err(|_| malformed("a header is not allowed"))?;
        if name != http::header::CONTENT_LENGTH {
            headers.push((name.as_str().to_owned(), value.to_owned()));
        }
    }
    let body = match (method, body) {
        (Method::Get, body) if body.is_empty() => None,
        (_, body) => {
            Some(String::from_utf8(body.into()).map_err(|_| malformed("the body is not text"))?)
        }
    };
    let first_byte = options.first_byte_timeout.unwrap_or(limits::FIRST_BYTE);
    let path = parts.uri.path_and_query().map_or("/", |target| target.as_str());
    Ok(Request {
        method,
        secure: tls,
        host,
        port,
        target: path.to_owned(),
        headers,
        body,
        connect_ms: ms(options.connect_timeout.unwrap_or(limits::CONNECT)),
        first_byte_ms: ms(first_byte),
        // The guest has a timer of its own for the whole.
        total_ms: u32::MAX,
        max_body: u32::MAX,
    })
}

fn to_wasi(mut response: Response) -> Result<HttpResponse<WasiBody>, WasiError> {
    // Scrubbed when the last copy is dropped.
    let body = Bytes::from_owner(Zeroizing::new(std::mem::take(&mut response.body)));
    let mut builder = HttpResponse::builder().status(response.status);
    for (name, value) in &response.headers {
        builder = builder.header(name.as_str(), value.as_slice());
    }
    let body = Full::new(body).map_err(|never| match never {}).boxed_unsync();
    builder.body(body).map_err(|_| WasiError::HttpProtocolError)
}

/// WASI's code for the class of a failure.
fn wasi_error(failure: &Failure) -> WasiError {
    match failure.class() {
        SendError::Denied => WasiError::HttpRequestDenied,
        SendError::Name => WasiError::DnsError { rcode: None, info_code: None },
        SendError::Refused => WasiError::ConnectionRefused,
        SendError::Unreachable => WasiError::DestinationUnavailable,
        SendError::Timeout => WasiError::ConnectionReadTimeout,
        SendError::TlsUntrusted => WasiError::TlsCertificateError,
        SendError::TlsProtocol => WasiError::TlsProtocolError,
        SendError::BodyTooLarge => WasiError::HttpResponseBodySize(Some(limits::BODY_MAX as u64)),
        SendError::Protocol(_) => WasiError::HttpProtocolError,
    }
}

fn ms(time: Duration) -> u32 {
    u32::try_from(time.as_millis()).unwrap_or(u32::MAX)
}
