//! The in-process identity endpoint: an HTTP cache in front of the component's own handler.
//!
//! It does not know what a token is. One request flies per key; a flight is a task of its own, so
//! that cancelling an asker never cancels it; different keys never wait for each other.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use http::{Request, Response};
use http_body_util::{BodyExt as _, Empty, Full, Limited};
use tokio::runtime::Handle;
use tokio::sync::{oneshot, watch};
use wasmtime_wasi_http::p2::bindings::http::types::Scheme;
use wasmtime_wasi_http::{Error as WasiError, WasiBody, WasiHttpView as _};
use zeroize::Zeroizing;

use crate::cache::{Answer, Cache, Next};
use crate::http::Failure;
use crate::level::Level;
use crate::limits;
use crate::state::Grant;

/// The name at which a role with that grant finds the endpoint; it resolves nowhere else.
pub(crate) const HOST: &str = "identity.vaultlet.internal";
/// The variable that switches the handler on, and the header that must equal it.
pub(crate) const SECRET_VARIABLE: &str = "VAULTLET_ENDPOINT_SECRET";
const SECRET_HEADER: &str = "vaultlet-endpoint-secret";

/// Hands misses to broker instances.
pub(crate) struct Broker {
    pub(crate) level: Arc<Level>,
    pub(crate) grant: Arc<Grant>,
    pub(crate) secret: Zeroizing<String>,
}

/// The endpoint of one handle.
pub(crate) struct IdentityEndpoint {
    broker: Arc<Broker>,
    runtime: Handle,
    inner: Arc<Mutex<Inner>>,
}

struct Inner {
    cache: Cache,
    flights: HashMap<String, Flight>,
}

type Landed = Result<Arc<Answer>, Failure>;
type Flight = watch::Receiver<Option<Landed>>;

/// What one request does: takes an answer now, or waits for a flight, with an old answer to fall
/// back on.
enum Step {
    Now(Arc<Answer>),
    Wait(Flight, Option<Arc<Answer>>),
}
use Step::{Now, Wait};

impl IdentityEndpoint {
    pub(crate) fn new(broker: Broker, runtime: Handle) -> Self {
        let cache = Cache::new(limits::ANSWERS_KEPT);
        let inner = Arc::new(Mutex::new(Inner { cache, flights: HashMap::new() }));
        Self { broker: Arc::new(broker), runtime, inner }
    }

    pub(crate) fn is(&self, host: &str, port: u16, tls: bool) -> bool {
        host == HOST && port == 80 && !tls
    }

    pub(crate) async fn handle(
        &self,
        request: Request<WasiBody>,
    ) -> Result<Response<WasiBody>, Failure> {
        let (parts, _) = request.into_parts();
        let key = format!("{} {}", parts.method, parts.uri);
        let landed = match self.next(&key, parts) {
            Now(answer) => Ok(answer),
            Wait(flight, old) => match (landing(flight).await, old) {
                (Ok(answer), _) if answer.is_success() => Ok(answer),
                (_, Some(old)) => Ok(old),
                (landed, None) => landed,
            },
        };
        landed.map(|answer| respond(&answer))
    }

    /// Looks up and joins under one lock: between the two a flight could land.
    fn next(&self, key: &str, parts: http::request::Parts) -> Step {
        let mut inner = self.lock();
        if bypasses(&parts.headers) {
            let name = format!("{key} {:?}", told(&parts.headers));
            return Wait(self.flight(&mut inner, &name, key, parts), None);
        }
        match inner.cache.next(key, Instant::now()) {
            Next::Serve(answer) => Now(answer),
            Next::ServeAndRefresh(answer) => {
                self.flight(&mut inner, key, key, parts);
                Now(answer)
            }
            Next::Ask(old) => Wait(self.flight(&mut inner, key, key, parts), old),
        }
    }

    /// Joins the flight of that name, or starts it.
    fn flight(
        &self,
        inner: &mut Inner,
        name: &str,
        key: &str,
        parts: http::request::Parts,
    ) -> Flight {
        if let Some(flight) = inner.flights.get(name) {
            return flight.clone();
        }
        let (sender, receiver) = watch::channel(None);
        inner.flights.insert(name.to_owned(), receiver.clone());
        let (name, key) = (name.to_owned(), key.to_owned());
        let (broker, shared) = (Arc::clone(&self.broker), Arc::clone(&self.inner));
        self.runtime.spawn(async move {
            // Lands even when the broker panics.
            let landing = Landing { name, shared: Arc::clone(&shared) };
            let landed = tokio::time::timeout(limits::FLIGHT, broker.ask(parts))
                .await
                .unwrap_or(Err(Failure::AnswerTimeout));
            if let Ok(answer) = &landed {
                let mut inner = shared.lock().unwrap_or_else(PoisonError::into_inner);
                inner.cache.store(&key, answer, Instant::now());
            }
            drop(landing);
            sender.send_replace(Some(landed));
        });
        receiver
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ends a flight in the table, after its answer was stored.
struct Landing {
    name: String,
    shared: Arc<Mutex<Inner>>,
}

impl Drop for Landing {
    fn drop(&mut self) {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner).flights.remove(&self.name);
    }
}

async fn landing(mut flight: Flight) -> Landed {
    match flight.wait_for(Option::is_some).await {
        Ok(landed) => landed.clone().unwrap_or_else(|| Err(broken())),
        Err(_) => Err(broken()),
    }
}

fn broken() -> Failure {
    Failure::Protocol("the identity endpoint ended without an answer".into())
}

fn bypasses(headers: &http::HeaderMap) -> bool {
    let values = headers.get_all(http::header::CACHE_CONTROL);
    values.iter().any(|v| v.to_str().is_ok_and(|v| v.contains("no-cache")))
}

/// The headers that tell one bypassing request from another, in order.
fn told(headers: &http::HeaderMap) -> Vec<(&str, &[u8])> {
    let mut told: Vec<_> = headers.iter().map(|(n, v)| (n.as_str(), v.as_bytes())).collect();
    told.sort_unstable();
    told
}

fn respond(answer: &Answer) -> Response<WasiBody> {
    let body = Full::new(answer.body.clone()).map_err(|never| match never {}).boxed_unsync();
    let mut response = Response::new(body);
    *response.status_mut() = answer.status;
    *response.headers_mut() = answer.headers.clone();
    response
}

impl Broker {
    /// One request to the component's handler. A broker that traps loses nothing but itself.
    async fn ask(&self, mut parts: http::request::Parts) -> Landed {
        let failed = |what: &str| Failure::Protocol(format!("the identity endpoint {what}"));
        let mut secret = http::HeaderValue::from_str(&self.secret)
            .map_err(|_| failed("has a malformed secret"))?;
        secret.set_sensitive(true);
        parts.headers.insert(SECRET_HEADER, secret);
        let request = Request::from_parts(
            parts,
            Empty::new().map_err(|never: std::convert::Infallible| WasiError::from(never)),
        );
        let mut lease = self.level.lease(&self.grant).await.map_err(|e| failed(&e.message))?;
        let (store, provider) = lease.parts();
        let (sender, receiver) = oneshot::channel();
        let mut http = store.data_mut().http();
        let request = http
            .new_incoming_request(Scheme::Http, request)
            .map_err(|_| failed("could not take the request"))?;
        let out =
            http.new_response_outparam(sender).map_err(|_| failed("could not take the request"))?;
        let handler = provider.wasi_http_incoming_handler();
        let (called, answer) =
            tokio::join!(handler.call_handle(&mut *store, request, out), collect(receiver));
        if let Err(trap) = called {
            tracing::error!(target: "vaultlet", "the broker trapped: {trap:#}");
            return Err(failed("failed; this is a defect"));
        }
        lease.keep();
        answer.ok_or_else(|| failed("gave no answer"))
    }
}

type Handled = Result<
    Response<wasmtime_wasi_http::p2::body::HyperOutgoingBody>,
    wasmtime_wasi_http::p2::bindings::http::types::ErrorCode,
>;

async fn collect(receiver: oneshot::Receiver<Handled>) -> Option<Arc<Answer>> {
    let (parts, body) = receiver.await.ok()?.ok()?.into_parts();
    let body = Limited::new(body, limits::BODY_MAX).collect().await.ok()?.to_bytes();
    Some(Arc::new(Answer {
        status: parts.status,
        headers: parts.headers,
        body: bytes::Bytes::from_owner(Zeroizing::new(Vec::from(body))),
    }))
}
