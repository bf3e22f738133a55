//! The in-process identity endpoint at `http://identity.vaultlet.internal/`.
//!
//! The endpoint does not know what a token is. It forwards a request to its source, at most one at
//! a time for each cache key, and callers with the same key share the response. A forwarded request
//! has a thread and a deadline of its own, so that a caller who is cancelled does not cancel it for
//! the others; different keys never wait for each other. An endpoint for one caller forwards on that
//! caller's thread.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::call::{Call, Slot};
use crate::error::Error;
use crate::exhausted;
use crate::internal::service::{Served, Service, ServiceError};
use crate::limits;
use crate::net::{Failure, Request};

use super::cache::{Cache, Lookup};
use super::response::StoredResponse;

/// The endpoint's host name.
pub(crate) const HOST: &str = "identity.vaultlet.internal";

/// What the source of tokens needs of a request.
#[derive(Clone)]
pub(crate) struct TokenQuery {
    pub(crate) is_get: bool,
    /// The path and the query.
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
}

/// What gets tokens for the endpoint: the broker role.
pub(crate) trait TokenSource: Send + Sync {
    /// Responds to one request.
    fn request(&self, query: &TokenQuery, call: &Call) -> Result<StoredResponse, Failure>;
}

/// The identity endpoint of one handle.
pub(crate) struct IdentityEndpoint(Arc<Endpoint>);

struct Endpoint {
    source: Arc<dyn TokenSource>,
    /// The time that one forwarded request may take.
    timeout: Duration,
    /// Whether requests are forwarded on the caller's thread.
    is_for_one: bool,
    shared: Mutex<Shared>,
}

struct Shared {
    cache: Cache,
    /// Requests that wait for the source, by cache key.
    pending: HashMap<String, Pending>,
}

type Forwarded = Result<Arc<StoredResponse>, Failure>;
type Pending = Slot<Forwarded>;

/// How one request is served.
enum Step {
    /// By this stored response.
    Serve(Arc<StoredResponse>),
    /// By a request that is forwarded already, or by an old response should that fail.
    Wait(Pending, Option<Arc<StoredResponse>>),
    /// By forwarding it, or by an old response should that fail.
    Forward(Flight, Option<Arc<StoredResponse>>),
}

/// A request that is to be forwarded. Its end is told to everyone who waits for it, however it ends.
struct Flight {
    endpoint: Arc<Endpoint>,
    /// What tells this request from others that wait for the source.
    name: String,
    /// The key under which the response is stored.
    key: String,
    query: TokenQuery,
    pending: Pending,
}

impl IdentityEndpoint {
    /// `is_for_one`: whether there is never more than one caller at a time.
    pub(crate) fn new(source: Arc<dyn TokenSource>, timeout: Duration, is_for_one: bool) -> Self {
        let cache = Cache::new(limits::RESPONSES_KEPT);
        let shared = Mutex::new(Shared { cache, pending: HashMap::new() });
        Self(Arc::new(Endpoint { source, timeout, is_for_one, shared }))
    }

    /// What the source says about the identity that it is told to use, as a parameter of a request;
    /// empty if it is told none.
    #[cfg(feature = "lend")]
    pub(crate) fn named(&self, call: &Call) -> Result<String, Error> {
        let query = TokenQuery { is_get: true, target: "/identity".into(), headers: Vec::new() };
        let unknown = |why: &str| Error::internal(format!("asking for the identity: {why}"));
        let asked = self.0.source.request(&query, call);
        let stored = asked.map_err(|failure| match failure {
            Failure::CallEnded(error) | Failure::Exhausted(error) => *error,
            _ => unknown("the source failed"),
        })?;
        let body = String::from_utf8_lossy(&stored.response.body).into_owned();
        if stored.is_success() { Ok(body) } else { Err(unknown("the source refused")) }
    }

    fn handle(&self, request: &Request, call: &Call) -> Forwarded {
        let endpoint = &self.0;
        let query = TokenQuery {
            is_get: request.method == crate::net::Method::Get,
            target: request.target.clone(),
            headers: request.headers.clone(),
        };
        loop {
            let (result, old) = match endpoint.next_step(&query)? {
                Step::Serve(response) => return Ok(response),
                Step::Forward(flight, old) if endpoint.is_for_one => (flight.run(call), old),
                Step::Forward(flight, old) => {
                    let pending = flight.pending.clone();
                    flight.start()?;
                    (wait_for(&pending, call)?, old)
                }
                Step::Wait(pending, old) => match wait_for(&pending, call)? {
                    // Whoever forwarded it gave up; this call has not.
                    Err(Failure::CallEnded(_)) if endpoint.is_for_one => continue,
                    result => (result, old),
                },
            };
            call.check()?;
            return match (result, old) {
                (Ok(response), _) if response.is_success() => Ok(response),
                (_, Some(old)) => Ok(old),
                (forwarded, None) => forwarded,
            };
        }
    }
}

impl Endpoint {
    /// Looks up and joins under one lock: a request could end between the two.
    fn next_step(self: &Arc<Self>, query: &TokenQuery) -> Result<Step, Failure> {
        let method = if query.is_get { "GET" } else { "POST" };
        let key = format!("{method} {}", query.target);
        let mut shared = self.lock();
        if let Some(newest) = newest_only(query) {
            if let Some(response) = shared.cache.younger(&key, Instant::now(), newest) {
                return Ok(Step::Serve(response));
            }
            let name = format!("{key} {:?}", sorted(query));
            return Ok(self.join_or_forward(&mut shared, name, key, query, None));
        }
        match shared.cache.lookup(&key, Instant::now()) {
            Lookup::Serve(response) => Ok(Step::Serve(response)),
            Lookup::ServeAndRefresh(response) => {
                let name = key.clone();
                if let Step::Forward(flight, _) =
                    self.join_or_forward(&mut shared, name, key, query, None)
                {
                    // It ends the pending request, which takes the lock, if it cannot be started.
                    drop(shared);
                    // A later request tries again.
                    let _ = flight.start();
                }
                Ok(Step::Serve(response))
            }
            Lookup::Forward(old) => {
                Ok(self.join_or_forward(&mut shared, key.clone(), key, query, old))
            }
        }
    }

    /// Joins the pending request of that name, or makes a new one.
    fn join_or_forward(
        self: &Arc<Self>,
        shared: &mut Shared,
        name: String,
        key: String,
        query: &TokenQuery,
        old: Option<Arc<StoredResponse>>,
    ) -> Step {
        if let Some(pending) = shared.pending.get(&name) {
            return Step::Wait(pending.clone(), old);
        }
        let pending = Pending::default();
        shared.pending.insert(name.clone(), pending.clone());
        let endpoint = Arc::clone(self);
        Step::Forward(Flight { endpoint, name, key, query: query.clone(), pending }, old)
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Flight {
    /// Forwards the request on a thread of its own.
    fn start(self) -> Result<(), Error> {
        let call = Call::new("getting a token", self.endpoint.timeout, None);
        std::thread::Builder::new()
            .name("vaultlet-token".into())
            .spawn(move || {
                // To those who wait, the call that ended is a server that did not respond.
                self.end(self.forward(&call).map_err(|failure| match failure {
                    Failure::CallEnded(_) => Failure::ResponseTimeout,
                    other => other,
                }));
            })
            .map(drop)
            .map_err(|e| exhausted::thread(&e))
    }

    /// Forwards the request on this thread.
    fn run(self, call: &Call) -> Forwarded {
        let forwarded = self.forward(call);
        self.end(forwarded.clone());
        forwarded
    }

    fn forward(&self, call: &Call) -> Forwarded {
        let response = Arc::new(self.endpoint.source.request(&self.query, call)?);
        self.endpoint.lock().cache.store(&self.key, &response, Instant::now());
        Ok(response)
    }

    /// Ends the pending request. Only the first end counts.
    fn end(&self, forwarded: Forwarded) {
        self.endpoint.lock().pending.remove(&self.name);
        self.pending.set(forwarded);
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        if !self.pending.is_set() {
            let what = "the identity endpoint ended without a response";
            self.end(Err(Failure::Protocol(what.into())));
        }
    }
}

impl Service for IdentityEndpoint {
    fn host(&self) -> &'static str {
        HOST
    }

    fn respond(&self, request: &Request, call: &Call) -> Result<Served, ServiceError> {
        Ok(self.handle(request, call)?.served())
    }
}

fn wait_for(pending: &Pending, call: &Call) -> Result<Forwarded, Failure> {
    match pending.get(call, call.deadline())? {
        Some(forwarded) => Ok(forwarded),
        None => Err(call.timed_out().into()),
    }
}

/// The age that a stored response may have for a request that bypasses the cache: none for
/// `no-cache`, the stated one for `max-age=<seconds>`.
fn newest_only(query: &TokenQuery) -> Option<Duration> {
    let (_, control) = query.headers.iter().find(|(name, _)| name == "cache-control")?;
    if control.contains("no-cache") {
        return Some(Duration::ZERO);
    }
    let (_, seconds) = control.split_once("max-age=")?;
    Some(Duration::from_secs(seconds.parse::<u32>().unwrap_or(0).into()))
}

/// All headers in a fixed order, which tell one request that bypasses the cache from another.
fn sorted(query: &TokenQuery) -> Vec<&(String, String)> {
    let mut sorted: Vec<_> = query.headers.iter().collect();
    sorted.sort_unstable();
    sorted
}
