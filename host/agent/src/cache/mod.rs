//! The cache of secrets: one question upstream for each secret and version however many ask, kept for a time, asked
//! anew before its end, and old values while nothing can be reached.
//!
//! `state` decides, with the clock as an argument; this file asks and waits.

mod answer;
mod key;
mod settings;
mod state;
mod store;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep, sleep_until, timeout_at};
use vaultlet_host::{Error, Kind, Secret};

use crate::limits;
use crate::trace;
use crate::upstream::Upstream;

pub use answer::{Answer, Counts};
pub use key::Key;
pub use settings::CacheSettings;
use state::{Landed, Launch, State, Step, is_final, pause};

/// Secrets for everyone who asks. Clones share one cache.
///
/// Questions upstream run on tasks of their own, so that a caller who gives up ends none of them. Times are those of
/// a clock that nobody sets.
pub struct Cache<U> {
    shared: Arc<Shared<U>>,
}

struct Shared<U> {
    upstream: U,
    settings: CacheSettings,
    runtime: Handle,
    state: Mutex<State>,
    /// Wakes the task that asks in the background.
    due: Arc<Notify>,
    /// Those who wait for another version.
    watchers: Mutex<HashMap<Key, Watched>>,
}

/// A secret that is waited for, by how many.
#[derive(Default)]
struct Watched {
    news: Arc<Notify>,
    watchers: usize,
}

impl<U> Clone for Cache<U> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<U: Upstream> Cache<U> {
    /// An empty cache.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime with a timer; the cache asks on it.
    pub fn new(upstream: U, settings: CacheSettings) -> Self {
        let settings = settings.bounded();
        let shared = Arc::new(Shared {
            upstream,
            settings: settings.clone(),
            runtime: Handle::current(),
            state: Mutex::new(State::new(settings)),
            due: Arc::new(Notify::new()),
            watchers: Mutex::default(),
        });
        shared.runtime.spawn(ask_what_is_due(Arc::downgrade(&shared)));
        Self { shared }
    }

    /// Gets a secret: the one that is kept, or a new one.
    pub async fn get(&self, key: &Key) -> Result<Answer, Error> {
        let (step, launch) = self.shared.lock().ask(key, Instant::now());
        self.shared.launch(launch);
        let (flight, old) = match step {
            Step::Serve(answer) => return Ok(answer),
            Step::Refuse(error) => return Err(error),
            Step::Wait(flight, old) => (flight, old),
        };
        let Some(old) = old else {
            let secret = self.landed_in_time(key, flight).await?;
            return Ok(Answer { secret, is_stale: false });
        };
        match timeout_at(old.patience, landed(flight)).await {
            Ok(Ok(secret)) => Ok(Answer { secret, is_stale: false }),
            Ok(Err(error)) if is_final(&error) => Err(error),
            Ok(Err(error)) => old.answer(Instant::now()).ok_or(error),
            Err(_) => old.answer(Instant::now()).ok_or_else(|| took_too_long(limits::SLOW)),
        }
    }

    /// Waits for the end of a flight, which has no longer than a question may take. One that waits for its turn goes on
    /// behind a caller who has waited for that long.
    async fn landed_in_time(
        &self,
        key: &Key,
        flight: watch::Receiver<Landed>,
    ) -> Result<Arc<Secret>, Error> {
        let (now, limit) = (Instant::now(), self.shared.settings.timeout);
        if self.shared.lock().has_begun(key, now) {
            return landed(flight).await;
        }
        match timeout_at(now + limit, landed(flight)).await {
            Ok(landed) => landed,
            Err(_) if self.shared.lock().has_begun(key, Instant::now()) => {
                Err(took_too_long(limit))
            }
            Err(_) => Err(waits_its_turn(limit)),
        }
    }

    /// Gets a secret as soon as its version is not this one; `None` when that did not happen within the time. A caller
    /// who waits counts as one who asks.
    pub async fn changed(
        &self,
        key: &Key,
        version: &str,
        within: Duration,
    ) -> Result<Option<Answer>, Error> {
        let end = Instant::now() + within.min(limits::LONGEST);
        let watcher = Watcher::new(&self.shared, key);
        loop {
            let mut news = std::pin::pin!(watcher.news.notified());
            // From now on, so that what happens before the wait is not missed.
            news.as_mut().enable();
            let Ok(answer) = timeout_at(end, self.get(key)).await else { return Ok(None) };
            let answer = answer?;
            if answer.version() != version {
                return Ok(Some(answer));
            }
            // Asked again often enough to be remembered as asked for.
            let again = Instant::now() + self.shared.settings.ttl.max(limits::PAUSE);
            let _ = timeout_at(again.min(end), news).await;
            if Instant::now() >= end {
                return Ok(None);
            }
        }
    }

    /// Asks for every secret that is kept anew. Until it has come, whoever asks waits for it as for one whose time is
    /// over.
    pub fn refresh_all(&self) {
        self.shared.lock().outdate(Instant::now());
        self.shared.due.notify_one();
    }

    /// What is kept.
    pub fn counts(&self) -> Counts {
        self.shared.lock().counts(Instant::now())
    }
}

impl<U: Upstream> Shared<U> {
    /// Asks upstream, on a task of its own.
    fn launch(self: &Arc<Self>, launches: impl IntoIterator<Item = Launch>) {
        for launch in launches {
            let Launch { key, landed, at, is_first } = launch;
            let mut flight =
                InFlight { shared: Arc::clone(self), key, landed, result: Err(panicked()) };
            self.runtime.spawn(trace::inherited(async move {
                // The timer would take a millisecond for nothing.
                if at > Instant::now() {
                    sleep_until(at).await;
                }
                flight.result = flight.shared.ask(&flight.key, is_first).await.map(Arc::new);
                drop(flight);
            }));
        }
    }

    async fn ask(&self, key: &Key, is_first: bool) -> Result<Secret, Error> {
        let mut secret = self.ask_patiently(key.reference(), is_first).await?;
        secret.lock_in_memory();
        Ok(secret)
    }

    /// Asks again when the vault throttles for longer than the handle's own retries, and there is nothing else to
    /// give.
    async fn ask_patiently(&self, reference: &str, is_first: bool) -> Result<Secret, Error> {
        let began = Instant::now();
        let end = began + self.settings.timeout;
        let patience = end.min(began + limits::PATIENCE);
        let mut rounds = 0;
        let mut throttled = None;
        loop {
            let Ok(result) = timeout_at(end, self.upstream.get(reference)).await else {
                let why = throttled.unwrap_or_else(|| took_too_long(self.settings.timeout));
                return Err(why);
            };
            match result {
                Err(error) if error.kind == Kind::Throttled && is_first => {
                    let pause = pause(rounds).mul_f64(self.lock().random());
                    let pause = pause.max(error.retry_after.unwrap_or_default());
                    if pause >= patience.saturating_duration_since(Instant::now()) {
                        return Err(error);
                    }
                    rounds += 1;
                    throttled = Some(error);
                    sleep(pause).await;
                }
                result => return result,
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<U> Shared<U> {
    fn lock_watchers(&self) -> MutexGuard<'_, HashMap<Key, Watched>> {
        self.watchers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<U> Drop for Shared<U> {
    fn drop(&mut self) {
        // The task ends.
        self.due.notify_one();
    }
}

/// A question upstream. Everyone who waits for it is told how it ended when this is dropped, however that comes about.
struct InFlight<U: Upstream> {
    shared: Arc<Shared<U>>,
    key: Key,
    landed: watch::Sender<Landed>,
    result: Result<Arc<Secret>, Error>,
}

impl<U: Upstream> Drop for InFlight<U> {
    fn drop(&mut self) {
        let landing = self.shared.lock().land(&self.key, &self.result, Instant::now());
        let result = std::mem::replace(&mut self.result, Err(panicked()));
        self.landed.send_replace(Some(result));
        if landing.is_news
            && let Some(watched) = self.shared.lock_watchers().get(&self.key)
        {
            watched.news.notify_waiters();
        }
        self.shared.due.notify_one();
    }
}

/// One who waits for another version.
struct Watcher<'a, U> {
    shared: &'a Shared<U>,
    key: &'a Key,
    news: Arc<Notify>,
}

impl<'a, U> Watcher<'a, U> {
    fn new(shared: &'a Shared<U>, key: &'a Key) -> Self {
        let mut watchers = shared.lock_watchers();
        let watched = watchers.entry(key.clone()).or_default();
        watched.watchers += 1;
        Self { shared, key, news: Arc::clone(&watched.news) }
    }
}

impl<U> Drop for Watcher<'_, U> {
    fn drop(&mut self) {
        let mut watchers = self.shared.lock_watchers();
        if let Some(watched) = watchers.get_mut(self.key) {
            watched.watchers -= 1;
            if watched.watchers == 0 {
                watchers.remove(self.key);
            }
        }
    }
}

/// Asks for secrets before their time is over, as long as there is a cache.
async fn ask_what_is_due<U: Upstream>(shared: Weak<Shared<U>>) {
    loop {
        let Some(cache) = shared.upgrade() else { return };
        let (launches, next) = cache.lock().advance(Instant::now());
        cache.launch(launches);
        let due = Arc::clone(&cache.due);
        drop(cache);
        match next {
            Some(next) => drop(timeout_at(next, due.notified()).await),
            None => due.notified().await,
        }
    }
}

/// Waits for the end of a flight.
async fn landed(mut flight: watch::Receiver<Landed>) -> Result<Arc<Secret>, Error> {
    let landed = flight.wait_for(Option::is_some).await;
    landed.ok().and_then(|landed| landed.clone()).unwrap_or_else(|| Err(panicked()))
}

fn panicked() -> Error {
    Error::new(
        Kind::Internal,
        "internal",
        "asking for a secret: it panicked",
        "report this with the message",
    )
}

fn waits_its_turn(limit: Duration) -> Error {
    let seconds = limit.as_secs_f64();
    let message =
        format!("getting a secret: the first request to its vault waits longer than {seconds} s");
    let help =
        "ask again, or set `--splay` (`VAULTLET_SPLAY`) below `--timeout` (`VAULTLET_TIMEOUT`)";
    Error::new(Kind::Timeout, "timeout", message, help)
}

fn took_too_long(limit: Duration) -> Error {
    let message = format!("getting a secret: not done within {} s", limit.as_secs_f64());
    let help = "allow more by `--timeout` (`VAULTLET_TIMEOUT`), or look at what is slow";
    Error::new(Kind::Timeout, "timeout", message, help)
}
