//! What the in-process identity endpoint remembers: an HTTP cache's states (RFC 9111, RFC 5861)
//! with the clock as an argument. It does not know what an answer means.
//!
//! | the stored success is | a failure is stored and young | then |
//! |---|---|---|
//! | fresh (`max-age`) | – | serve it |
//! | within `stale-while-revalidate` | no | serve it, and ask for a new one behind |
//! | within `stale-while-revalidate` | yes | serve it |
//! | within `stale-if-error` | no | ask; should that fail, serve it |
//! | within `stale-if-error` | yes | serve it |
//! | older, or there is none | no | ask |
//! | older, or there is none | yes | serve the failure |

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::error::Cause;

/// An answer as it was, to be given out again.
pub(crate) struct Answer {
    pub(crate) status: http::StatusCode,
    pub(crate) headers: http::HeaderMap,
    /// Scrubbed when the last copy goes.
    pub(crate) body: Bytes,
    /// What a failure comes of, where the transport knows more than the answer says.
    pub(crate) cause: Option<Cause>,
}

impl Answer {
    pub(crate) fn is_success(&self) -> bool {
        self.status.is_success()
    }
}

/// How long an answer said that it serves, from `Cache-Control`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Lifetime {
    pub(crate) fresh: Duration,
    pub(crate) while_revalidate: Duration,
    pub(crate) if_error: Duration,
}

impl Lifetime {
    /// Reads the directives that these states know; `no-store` and nonsense mean none.
    pub(crate) fn parse(headers: &http::HeaderMap) -> Self {
        let mut lifetime = Self { fresh: crate::limits::UNSTATED, ..Self::default() };
        let values = headers.get_all(http::header::CACHE_CONTROL);
        for directive in values.iter().filter_map(|v| v.to_str().ok()).flat_map(|v| v.split(',')) {
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

/// What to do for one request.
pub(crate) enum Next {
    /// Give this out.
    Serve(Arc<Answer>),
    /// Give this out, and ask for a new one without waiting.
    ServeAndRefresh(Arc<Answer>),
    /// Ask; the stored one serves if that fails.
    Ask(Option<Arc<Answer>>),
}

struct Stored {
    answer: Arc<Answer>,
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

/// Answers by key. The key is the whole request, so it holds all that changes the answer.
pub(crate) struct Cache {
    entries: HashMap<String, Entry>,
    kept: usize,
}

impl Cache {
    pub(crate) fn new(kept: usize) -> Self {
        Self { entries: HashMap::new(), kept }
    }

    pub(crate) fn next(&self, key: &str, now: Instant) -> Next {
        let Some(entry) = self.entries.get(key) else { return Next::Ask(None) };
        let failed = entry.failure.as_ref().filter(|f| f.age_within(now, f.lifetime.fresh));
        if let Some(success) = &entry.success {
            let Lifetime { fresh, while_revalidate, if_error } = success.lifetime;
            let answer = Arc::clone(&success.answer);
            if success.age_within(now, fresh) {
                return Next::Serve(answer);
            }
            if success.age_within(now, fresh + while_revalidate) {
                return if failed.is_some() {
                    Next::Serve(answer)
                } else {
                    Next::ServeAndRefresh(answer)
                };
            }
            if success.age_within(now, fresh + if_error) {
                return if failed.is_some() {
                    Next::Serve(answer)
                } else {
                    Next::Ask(Some(answer))
                };
            }
        }
        match failed {
            Some(failure) => Next::Serve(Arc::clone(&failure.answer)),
            None => Next::Ask(None),
        }
    }

    /// Remembers an answer as long as it says. A failure never replaces a success.
    pub(crate) fn store(&mut self, key: &str, answer: &Arc<Answer>, now: Instant) {
        let lifetime = Lifetime::parse(&answer.headers);
        if self.entries.len() >= self.kept && !self.entries.contains_key(key) {
            self.evict(now);
        }
        let entry = self.entries.entry(key.to_owned()).or_default();
        let stored = Some(Stored { answer: Arc::clone(answer), at: now, lifetime });
        if answer.is_success() {
            *entry = Entry { success: stored, failure: None };
        } else {
            entry.failure = stored;
        }
    }

    /// Makes room: all that serves no more, else the oldest.
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
        let age = |e: &Entry| e.success.as_ref().or(e.failure.as_ref()).map(|s| s.at);
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

    const ERROR: u16 = 502;

    fn answer(status: u16, control: &str) -> Arc<Answer> {
        let mut headers = http::HeaderMap::new();
        headers.insert(http::header::CACHE_CONTROL, control.parse().unwrap());
        let status = http::StatusCode::from_u16(status).unwrap();
        Arc::new(Answer { status, headers, body: Bytes::new(), cause: None })
    }

    fn said(next: &Next) -> &'static str {
        match next {
            Next::Serve(a) if a.is_success() => "serve",
            Next::Serve(_) => "serve failure",
            Next::ServeAndRefresh(_) => "serve and refresh",
            Next::Ask(Some(_)) => "ask, else serve",
            Next::Ask(None) => "ask",
        }
    }

    #[test]
    fn each_state_has_one_answer() {
        let success = "max-age=100, stale-while-revalidate=100, stale-if-error=300";
        for (failed_at, at, expected) in [
            (None, 0, "serve"),
            (None, 99, "serve"),
            (None, 100, "serve and refresh"),
            (Some(100), 101, "serve"),
            (Some(100), 130, "serve and refresh"),
            (None, 200, "ask, else serve"),
            (Some(200), 229, "serve"),
            (Some(200), 230, "ask, else serve"),
            (Some(399), 400, "serve failure"),
            (None, 400, "ask"),
            (Some(300), 400, "ask"),
        ] {
            let start = Instant::now();
            let after = |s| start + Duration::from_secs(s);
            let mut cache = Cache::new(4);
            cache.store("k", &answer(200, success), start);
            if let Some(failed_at) = failed_at {
                cache.store("k", &answer(ERROR, "max-age=30"), after(failed_at));
            }
            assert_eq!(said(&cache.next("k", after(at))), expected, "at {at} s, {failed_at:?}");
        }
    }

    #[test]
    fn a_failure_alone_is_remembered_for_its_time() {
        let start = Instant::now();
        let mut cache = Cache::new(4);
        cache.store("k", &answer(ERROR, "max-age=30"), start);
        assert_eq!(said(&cache.next("k", start + Duration::from_secs(29))), "serve failure");
        assert_eq!(said(&cache.next("k", start + Duration::from_secs(30))), "ask");
        assert_eq!(said(&cache.next("other", start)), "ask");
    }

    #[test]
    fn what_states_no_lifetime_is_not_kept() {
        let start = Instant::now();
        let mut cache = Cache::new(4);
        for control in ["", "no-store, max-age=60", "max-age=-1", "max-age=99999999999999999999"] {
            cache.store("k", &answer(200, control), start);
            assert_eq!(said(&cache.next("k", start)), "ask", "{control:?}");
        }
    }

    #[test]
    fn room_is_made_by_age() {
        let start = Instant::now();
        let mut cache = Cache::new(2);
        for (i, key) in ["a", "b", "c"].into_iter().enumerate() {
            let at = start + Duration::from_secs(i as u64);
            cache.store(key, &answer(200, "max-age=60"), at);
        }
        let now = start + Duration::from_secs(3);
        assert_eq!(said(&cache.next("a", now)), "ask");
        assert_eq!(said(&cache.next("b", now)), "serve");
        assert_eq!(said(&cache.next("c", now)), "serve");
    }
}
