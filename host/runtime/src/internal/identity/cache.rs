//! The identity endpoint's cache: the states of an HTTP cache (RFC 9111, RFC 5861), with the clock
//! as an argument. The cache does not know what a response means.
//!
//! | the stored success is | a stored failure is fresh | then |
//! |---|---|---|
//! | fresh (`max-age`) | – | serve the success |
//! | within `stale-while-revalidate` | no | serve the success, and forward a request in the background |
//! | within `stale-while-revalidate` | yes | serve the success |
//! | within `stale-if-error` | no | forward the request; if that fails, serve the success |
//! | within `stale-if-error` | yes | serve the success |
//! | older, or missing | no | forward the request |
//! | older, or missing | yes | serve the failure |

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::limits;

use super::response::StoredResponse;

/// How long a response may be served, from its `Cache-Control` header.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Lifetime {
    pub(super) fresh: Duration,
    pub(super) while_revalidate: Duration,
    pub(super) if_error: Duration,
}

impl Lifetime {
    /// Reads the directives that the table above uses; `no-store` and malformed values mean zero.
    pub(super) fn parse(headers: &[(String, Vec<u8>)]) -> Self {
        let mut lifetime = Self { fresh: limits::UNSTATED_LIFETIME, ..Self::default() };
        let values = headers.iter().filter(|(name, _)| name == "cache-control");
        let texts = values.filter_map(|(_, value)| str::from_utf8(value).ok());
        for directive in texts.flat_map(|text| text.split(',')) {
            let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
            let seconds = Duration::from_secs(value.trim().parse::<u32>().unwrap_or(0).into());
            match name.trim().to_ascii_lowercase().as_str() {
                "max-age" => lifetime.fresh = seconds,
                "stale-while-revalidate" => lifetime.while_revalidate = seconds,
                "stale-if-error" => lifetime.if_error = seconds,
                "no-store" => return Self::default(),
                _ => {}
            }
        }
        lifetime
    }
}

/// What to do with one request.
pub(super) enum Lookup {
    /// Serve this stored response.
    Serve(Arc<StoredResponse>),
    /// Serve this stored response, and forward the request without waiting for the result.
    ServeAndRefresh(Arc<StoredResponse>),
    /// Forward the request; if that fails, serve this stored response.
    Forward(Option<Arc<StoredResponse>>),
}

struct Stored {
    response: Arc<StoredResponse>,
    at: Instant,
    lifetime: Lifetime,
}

impl Stored {
    fn age_within(&self, now: Instant, limit: Duration) -> bool {
        now.saturating_duration_since(self.at) < limit
    }
}

#[derive(Default)]
struct Entry {
    success: Option<Stored>,
    failure: Option<Stored>,
}

/// Responses by key. The key is the whole request, so it holds everything that changes the
/// response.
pub(super) struct Cache {
    entries: HashMap<String, Entry>,
    kept: usize,
}

impl Cache {
    pub(super) fn new(kept: usize) -> Self {
        Self { entries: HashMap::new(), kept }
    }

    pub(super) fn lookup(&self, key: &str, now: Instant) -> Lookup {
        let Some(entry) = self.entries.get(key) else { return Lookup::Forward(None) };
        let failed = entry.failure.as_ref().filter(|f| f.age_within(now, f.lifetime.fresh));
        if let Some(success) = &entry.success {
            let Lifetime { fresh, while_revalidate, if_error } = success.lifetime;
            let response = Arc::clone(&success.response);
            if success.age_within(now, fresh) {
                return Lookup::Serve(response);
            }
            if success.age_within(now, fresh + while_revalidate) {
                return if failed.is_some() {
                    Lookup::Serve(response)
                } else {
                    Lookup::ServeAndRefresh(response)
                };
            }
            if success.age_within(now, fresh + if_error) {
                return if failed.is_some() {
                    Lookup::Serve(response)
                } else {
                    Lookup::Forward(Some(response))
                };
            }
        }
        match failed {
            Some(failure) => Lookup::Serve(Arc::clone(&failure.response)),
            None => Lookup::Forward(None),
        }
    }

    /// The newest response, if it is younger than `age` and may still be served.
    pub(super) fn younger(
        &self,
        key: &str,
        now: Instant,
        age: Duration,
    ) -> Option<Arc<StoredResponse>> {
        let entry = self.entries.get(key)?;
        let newest = entry.failure.as_ref().or(entry.success.as_ref())?;
        let may_be_served = newest.age_within(now, age.min(newest.lifetime.fresh));
        may_be_served.then(|| Arc::clone(&newest.response))
    }

    /// Stores a response for as long as it allows. A failure never replaces a success.
    pub(super) fn store(&mut self, key: &str, response: &Arc<StoredResponse>, now: Instant) {
        let lifetime = Lifetime::parse(&response.response.headers);
        if self.entries.len() >= self.kept && !self.entries.contains_key(key) {
            self.evict(now);
        }
        let entry = self.entries.entry(key.to_owned()).or_default();
        let stored = Some(Stored { response: Arc::clone(response), at: now, lifetime });
        if response.is_success() {
            *entry = Entry { success: stored, failure: None };
        } else {
            entry.failure = stored;
        }
    }

    /// Makes room: removes all entries that can no longer be served or, if there are none, the
    /// oldest failure, or else the oldest success.
    fn evict(&mut self, now: Instant) {
        self.entries.retain(|_, entry| {
            [&entry.success, &entry.failure].into_iter().flatten().any(|stored| {
                let l = stored.lifetime;
                stored.age_within(now, l.fresh + l.if_error.max(l.while_revalidate))
            })
        });
        if self.entries.len() < self.kept {
            return;
        }
        // A failure goes before a success, so that requests that fail do not drive out tokens.
        let age = |e: &Entry| match &e.success {
            Some(success) => (true, success.at),
            None => (false, e.failure.as_ref().map_or(now, |failure| failure.at)),
        };
        if let Some(oldest) =
            self.entries.iter().min_by_key(|(_, e)| age(e)).map(|(key, _)| key.clone())
        {
            self.entries.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::Response;

    const ERROR: u16 = 502;

    fn response(status: u16, control: &str) -> Arc<StoredResponse> {
        let headers = vec![("cache-control".to_owned(), control.as_bytes().to_vec())];
        let response = Response { status, headers, body: Vec::new() };
        Arc::new(StoredResponse { response, cause: None })
    }

    fn described(lookup: &Lookup) -> &'static str {
        match lookup {
            Lookup::Serve(a) if a.is_success() => "serve",
            Lookup::Serve(_) => "serve failure",
            Lookup::ServeAndRefresh(_) => "serve and refresh",
            Lookup::Forward(Some(_)) => "forward, else serve",
            Lookup::Forward(None) => "forward",
        }
    }

    #[test]
    fn each_state_has_one_result() {
        let success = "max-age=100, stale-while-revalidate=100, stale-if-error=300";
        for (failed_at, at, expected) in [
            (None, 0, "serve"),
            (None, 99, "serve"),
            (None, 100, "serve and refresh"),
            (Some(100), 101, "serve"),
            (Some(100), 130, "serve and refresh"),
            (None, 200, "forward, else serve"),
            (Some(200), 229, "serve"),
            (Some(200), 230, "forward, else serve"),
            (Some(399), 400, "serve failure"),
            (None, 400, "forward"),
            (Some(300), 400, "forward"),
        ] {
            let start = Instant::now();
            let after = |s| start + Duration::from_secs(s);
            let mut cache = Cache::new(4);
            cache.store("k", &response(200, success), start);
            if let Some(failed_at) = failed_at {
                cache.store("k", &response(ERROR, "max-age=30"), after(failed_at));
            }
            assert_eq!(
                described(&cache.lookup("k", after(at))),
                expected,
                "at {at} s, {failed_at:?}"
            );
        }
    }

    #[test]
    fn a_failure_without_a_success_is_served_while_fresh() {
        let start = Instant::now();
        let mut cache = Cache::new(4);
        cache.store("k", &response(ERROR, "max-age=30"), start);
        assert_eq!(described(&cache.lookup("k", start + Duration::from_secs(29))), "serve failure");
        assert_eq!(described(&cache.lookup("k", start + Duration::from_secs(30))), "forward");
        assert_eq!(described(&cache.lookup("other", start)), "forward");
    }

    #[test]
    fn a_response_without_a_lifetime_is_not_served_again() {
        let start = Instant::now();
        let mut cache = Cache::new(4);
        for control in ["", "no-store, max-age=60", "max-age=-1", "max-age=99999999999999999999"] {
            cache.store("k", &response(200, control), start);
            assert_eq!(described(&cache.lookup("k", start)), "forward", "{control:?}");
        }
    }

    #[test]
    fn a_request_for_a_new_response_is_served_by_a_young_one() {
        let start = Instant::now();
        let after = |s| start + Duration::from_secs(s);
        let mut cache = Cache::new(4);
        let younger = |cache: &Cache, at, age| {
            let found = cache.younger("k", after(at), Duration::from_secs(age));
            found.map(|response| response.is_success())
        };
        assert_eq!(younger(&cache, 0, 5), None);
        cache.store("k", &response(200, "max-age=100"), start);
        for (at, age, expected) in
            [(0, 5, Some(true)), (4, 5, Some(true)), (5, 5, None), (0, 0, None), (4, 3, None)]
        {
            assert_eq!(younger(&cache, at, age), expected, "{at} {age}");
        }
        cache.store("k", &response(ERROR, "max-age=3"), after(10));
        assert_eq!(younger(&cache, 12, 5), Some(false));
        assert_eq!(younger(&cache, 13, 5), None, "it may not be served that long");
    }

    #[test]
    fn failures_do_not_drive_out_successes() {
        let start = Instant::now();
        let mut cache = Cache::new(3);
        cache.store("token", &response(200, "max-age=600"), start);
        for i in 0..10 {
            let at = start + Duration::from_secs(1 + i);
            cache.store(&format!("wrong-{i}"), &response(ERROR, "max-age=60"), at);
        }
        let now = start + Duration::from_secs(20);
        assert_eq!(described(&cache.lookup("token", now)), "serve");
        assert_eq!(described(&cache.lookup("wrong-9", now)), "serve failure");
    }

    #[test]
    fn the_oldest_entry_is_evicted() {
        let start = Instant::now();
        let mut cache = Cache::new(2);
        for (i, key) in ["a", "b", "c"].into_iter().enumerate() {
            let at = start + Duration::from_secs(i as u64);
            cache.store(key, &response(200, "max-age=60"), at);
        }
        let now = start + Duration::from_secs(3);
        assert_eq!(described(&cache.lookup("a", now)), "forward");
        assert_eq!(described(&cache.lookup("b", now)), "serve");
        assert_eq!(described(&cache.lookup("c", now)), "serve");
    }
}
