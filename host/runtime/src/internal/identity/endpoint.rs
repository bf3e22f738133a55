//! The in-process identity endpoint at `http://identity.vaultlet.internal/`.
//!
//! The endpoint does not know what a token is. It forwards a request to its source, at most one at
//! a time for each cache key, and callers with the same key share the response. The forwarded
//! request is a task of its own, so that a caller who is cancelled does not cancel it for the
//! others; different keys never wait for each other.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use http::{Request, request};
use tokio::runtime::Handle;
use tokio::sync::watch;
use wasmtime_wasi_http::WasiBody;

use crate::internal::response::BufferedResponse;
use crate::internal::service::{Service, ServiceFuture};
use crate::limits;
use crate::net::Failure;

use super::cache::{Cache, Lookup};

/// The endpoint's host name.
pub(crate) const HOST: &str = "identity.vaultlet.internal";

/// What gets tokens for the endpoint: the broker role.
pub(crate) trait TokenSource: Send + Sync {
    /// Responds to one request. An error is text that follows `the identity endpoint`.
    fn request(
        &self,
        parts: request::Parts,
    ) -> Pin<Box<dyn Future<Output = Result<BufferedResponse, String>> + Send + '_>>;
}

/// The identity endpoint of one handle.
pub(crate) struct IdentityEndpoint {
    source: Arc<dyn TokenSource>,
    runtime: Handle,
    /// The time that one forwarded request may take.
    timeout: Duration,
    shared: Arc<Mutex<Shared>>,
}

struct Shared {
    cache: Cache,
    /// Requests that wait for the source, by cache key.
    pending: HashMap<String, Pending>,
}

type Forwarded = Result<Arc<BufferedResponse>, Failure>;
type Pending = watch::Receiver<Option<Forwarded>>;

/// How one request is served.
enum Step {
    /// By this stored response.
    Serve(Arc<BufferedResponse>),
    /// By a forwarded request, or by an old response should that fail.
    Wait(Pending, Option<Arc<BufferedResponse>>),
}

impl IdentityEndpoint {
    pub(crate) fn new(source: Arc<dyn TokenSource>, runtime: Handle, timeout: Duration) -> Self {
        let cache = Cache::new(limits::RESPONSES_KEPT);
        let shared = Arc::new(Mutex::new(Shared { cache, pending: HashMap::new() }));
        Self { source, runtime, timeout, shared }
    }

    async fn handle(&self, request: Request<WasiBody>) -> Forwarded {
        let (parts, _) = request.into_parts();
        let key = format!("{} {}", parts.method, parts.uri);
        match self.next_step(&key, parts) {
            Step::Serve(response) => Ok(response),
            Step::Wait(pending, old) => match (wait_for(pending).await, old) {
                (Ok(response), _) if response.is_success() => Ok(response),
                (_, Some(old)) => Ok(old),
                (forwarded, None) => forwarded,
            },
        }
    }

    /// Looks up and joins under one lock: a request could end between the two.
    fn next_step(&self, key: &str, parts: request::Parts) -> Step {
        let mut shared = self.lock();
        if bypasses_cache(&parts.headers) {
            let name = format!("{key} {:?}", sorted(&parts.headers));
            return Step::Wait(self.join_or_forward(&mut shared, &name, key, parts), None);
        }
        match shared.cache.lookup(key, Instant::now()) {
            Lookup::Serve(response) => Step::Serve(response),
            Lookup::ServeAndRefresh(response) => {
                self.join_or_forward(&mut shared, key, key, parts);
                Step::Serve(response)
            }
            Lookup::Forward(old) => {
                Step::Wait(self.join_or_forward(&mut shared, key, key, parts), old)
            }
        }
    }

    /// Joins the pending request of that name, or forwards a new one.
    fn join_or_forward(
        &self,
        shared: &mut Shared,
        name: &str,
        key: &str,
        parts: request::Parts,
    ) -> Pending {
        if let Some(pending) = shared.pending.get(name) {
            return pending.clone();
        }
        let (sender, receiver) = watch::channel(None);
        shared.pending.insert(name.to_owned(), receiver.clone());
        let (name, key) = (name.to_owned(), key.to_owned());
        let (source, shared) = (Arc::clone(&self.source), Arc::clone(&self.shared));
        let limit = self.timeout;
        self.runtime.spawn(async move {
            // Ends the pending request even if the source panics.
            let ending = Ending { name, shared: Arc::clone(&shared) };
            let forwarded = match tokio::time::timeout(limit, source.request(parts)).await {
                Ok(Ok(response)) => Ok(Arc::new(response)),
                Ok(Err(what)) => Err(Failure::Protocol(format!("the identity endpoint {what}"))),
                Err(_) => Err(Failure::ResponseTimeout),
            };
            if let Ok(response) = &forwarded {
                let mut shared = shared.lock().unwrap_or_else(PoisonError::into_inner);
                shared.cache.store(&key, response, Instant::now());
            }
            drop(ending);
            sender.send_replace(Some(forwarded));
        });
        receiver
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Service for IdentityEndpoint {
    fn host(&self) -> &'static str {
        HOST
    }

    fn respond(&self, request: Request<WasiBody>) -> ServiceFuture<'_> {
        Box::pin(async move { Ok(self.handle(request).await?.to_response()) })
    }
}

/// Removes a pending request, after its response was stored.
struct Ending {
    name: String,
    shared: Arc<Mutex<Shared>>,
}

impl Drop for Ending {
    fn drop(&mut self) {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner).pending.remove(&self.name);
    }
}

async fn wait_for(mut pending: Pending) -> Forwarded {
    match pending.wait_for(Option::is_some).await {
        Ok(forwarded) => forwarded.clone().unwrap_or_else(|| Err(ended())),
        Err(_) => Err(ended()),
    }
}

fn ended() -> Failure {
    Failure::Protocol("the identity endpoint ended without a response".into())
}

fn bypasses_cache(headers: &http::HeaderMap) -> bool {
    let values = headers.get_all(http::header::CACHE_CONTROL);
    values.iter().any(|v| v.to_str().is_ok_and(|v| v.contains("no-cache")))
}

/// All headers in a fixed order, which tell one request that bypasses the cache from another.
fn sorted(headers: &http::HeaderMap) -> Vec<(&str, &[u8])> {
    let mut sorted: Vec<_> = headers.iter().map(|(n, v)| (n.as_str(), v.as_bytes())).collect();
    sorted.sort_unstable();
    sorted
}
