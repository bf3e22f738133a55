//! The in-process identity endpoint: an HTTP cache in front of the component's own handler.
//!
//! It does not know what a token is. One request flies per key; a flight is a task of its own, so
//! that cancelling an asker never cancels it; different keys never wait for each other.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use http::{Request, Response};
use tokio::runtime::Handle;
use tokio::sync::watch;
use wasmtime_wasi_http::WasiBody;

use crate::broker::Broker;
use crate::cache::{Answer, Cache, Next};
use crate::http::Failure;
use crate::{inside, limits};

/// The name at which a role with that grant finds the endpoint; it resolves nowhere else.
pub(crate) const HOST: &str = "identity.vaultlet.internal";

/// The endpoint of one handle.
pub(crate) struct IdentityEndpoint {
    broker: Arc<Broker>,
    runtime: Handle,
    /// The time that a flight may take.
    flight: Duration,
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
    pub(crate) fn new(broker: Broker, runtime: Handle, flight: Duration) -> Self {
        let cache = Cache::new(limits::ANSWERS_KEPT);
        let inner = Arc::new(Mutex::new(Inner { cache, flights: HashMap::new() }));
        Self { broker: Arc::new(broker), runtime, flight, inner }
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
        let limit = self.flight;
        self.runtime.spawn(async move {
            // Lands even when the broker panics.
            let landing = Landing { name, shared: Arc::clone(&shared) };
            let landed = match tokio::time::timeout(limit, broker.ask(parts)).await {
                Ok(Ok(answer)) => Ok(Arc::new(answer)),
                Ok(Err(what)) => Err(Failure::Protocol(format!("the identity endpoint {what}"))),
                Err(_) => Err(Failure::AnswerTimeout),
            };
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
    let mut response = inside::answer(answer.status, answer.body.clone());
    *response.headers_mut() = answer.headers.clone();
    if let Some(cause) = &answer.cause {
        response.extensions_mut().insert(cause.clone());
    }
    response
}
