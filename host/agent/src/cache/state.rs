//! The states of the cache, with the clock as an argument. They are those of the identity cache in `vaultlet-host`, for
//! secrets: `vaultlet agent` promises them under "How fresh".
//!
//! | the secret that is kept is | its last question | then |
//! |---|---|---|
//! | within its time | – | serve it, and ask anew in the background once that is due |
//! | past its time | answered | ask and wait; after 2 s, or by a failure, serve it as stale |
//! | past its time | failed | serve it as stale, and ask in the background after a pause |
//! | past `stale`, or none | – | ask and wait |
//! | none | refused within 5 s | refuse |

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;
use vaultlet_host::{Error, Kind, Secret};

use crate::limits;

use super::answer::{Answer, Counts};
use super::key::Key;
use super::settings::CacheSettings;
use super::store::{Kept, Store};

/// What a question upstream came to; `None` until then.
pub(super) type Landed = Option<Result<Arc<Secret>, Error>>;

/// What to do for one caller.
pub(super) enum Step {
    /// Give this answer.
    Serve(Answer),
    /// Give this error.
    Refuse(Error),
    /// Wait for the flight.
    Wait(watch::Receiver<Landed>, Option<Old>),
}

/// A question to ask upstream.
pub(super) struct Launch {
    pub(super) key: Key,
    /// Where whoever waits is told.
    pub(super) landed: watch::Sender<Landed>,
    /// When to ask: later than now for the first request to a vault.
    pub(super) at: Instant,
    /// Whether there is no old value, so that somebody waits however long it takes.
    pub(super) is_first: bool,
}

/// A value past its time, for a question that fails or takes too long.
pub(super) struct Old {
    secret: Arc<Secret>,
    end: Instant,
    until: Instant,
    /// How long to wait for a newer one.
    pub(super) patience: Instant,
}

impl Old {
    /// The old value, as long as it may serve.
    pub(super) fn answer(self, now: Instant) -> Option<Answer> {
        let is_stale = now >= self.end;
        (now < self.until).then_some(Answer { secret: self.secret, is_stale })
    }
}

/// What an answer from upstream changes for those who wait for another version.
pub(super) struct Landing {
    pub(super) is_news: bool,
}

/// A question that was asked and has no answer yet.
struct Flight {
    landed: watch::Receiver<Landed>,
    began: Instant,
    asked: Instant,
    in_background: bool,
    /// Whether the answer is outdated before it comes.
    is_outdated: bool,
}

pub(super) struct State {
    settings: CacheSettings,
    random: fastrand::Rng,
    store: Store,
    refusals: HashMap<Key, (Error, Instant)>,
    flights: HashMap<Key, Flight>,
    in_background: usize,
    /// When the first request to each vault may go.
    vaults: HashMap<String, Instant>,
}

impl State {
    pub(super) fn new(settings: CacheSettings) -> Self {
        let random = settings.seed.map_or_else(fastrand::Rng::new, fastrand::Rng::with_seed);
        let store = Store::new(settings.secrets, settings.bytes);
        Self {
            settings,
            random,
            store,
            refusals: HashMap::new(),
            flights: HashMap::new(),
            in_background: 0,
            vaults: HashMap::new(),
        }
    }

    /// A caller asks for a secret.
    pub(super) fn ask(&mut self, key: &Key, now: Instant) -> (Step, Option<Launch>) {
        self.touch(key, now);
        if let Some((error, _)) = self.refusals.get(key).filter(|(_, until)| now < *until) {
            return (Step::Refuse(error.clone()), None);
        }
        if self.store.get(key).is_some_and(|kept| now >= kept.end + self.settings.stale) {
            self.store.remove(key);
        }
        let Some(kept) = self.store.get(key) else {
            if let Some(answer) = self.latest_if(key, now) {
                return (Step::Serve(answer), None);
            }
            let launch = self.launch(key, now, false);
            return (self.wait(key, None), launch);
        };
        let answer = Answer { secret: Arc::clone(&kept.secret), is_stale: now >= kept.end };
        let serves = kept.failures > 0 || (now < kept.end && !kept.is_outdated);
        let old = Old {
            secret: Arc::clone(&kept.secret),
            end: kept.end,
            until: kept.end + self.settings.stale,
            patience: now,
        };
        let launch = match now >= kept.ask {
            // When one of those before it has landed.
            true if serves && self.in_background >= limits::BACKGROUND => {
                self.store.schedule(key, now);
                None
            }
            true => self.launch(key, now, serves),
            false => None,
        };
        if serves {
            return (Step::Serve(answer), launch);
        }
        let began = self.flights.get(key).map_or(now, |flight| flight.began);
        let patience = began + limits::SLOW;
        if now >= patience {
            return (Step::Serve(answer), launch);
        }
        (self.wait(key, Some(Old { patience, ..old })), launch)
    }

    /// A question was answered.
    pub(super) fn land(
        &mut self,
        key: &Key,
        result: &Result<Arc<Secret>, Error>,
        now: Instant,
    ) -> Landing {
        let flight = self.flights.remove(key);
        self.in_background -= usize::from(flight.as_ref().is_some_and(|f| f.in_background));
        match result {
            Ok(secret) => {
                let asked = flight.as_ref().map_or(now, |flight| flight.asked);
                let is_outdated = flight.is_some_and(|flight| flight.is_outdated);
                let version = |secret: &Arc<Secret>| secret.properties().version.clone();
                let before = self.store.get(key).map(|kept| version(&kept.secret));
                self.keep(key, secret, asked, is_outdated, now);
                Landing { is_news: before != Some(version(secret)) }
            }
            Err(error) if is_final(error) => {
                self.store.remove(key);
                self.refuse(key, error, now);
                Landing { is_news: true }
            }
            Err(_) => {
                self.postpone(key, now);
                Landing { is_news: false }
            }
        }
    }

    /// Does what is due, and says when there is more to do.
    pub(super) fn advance(&mut self, now: Instant) -> (Vec<Launch>, Option<Instant>) {
        let mut launches = Vec::new();
        while let Some((at, key)) = self.store.first_due() {
            if at > now {
                return (launches, Some(at));
            }
            let Some(kept) = self.store.get(&key) else { break };
            let until = kept.end + self.settings.stale;
            let is_wanted = kept.is_outdated || self.is_wanted(kept, now);
            if now >= until {
                self.store.remove(&key);
            } else if now < kept.ask {
                let at = kept.ask.min(until);
                self.store.schedule(&key, at);
            } else if !is_wanted || self.flights.contains_key(&key) {
                // The flight says when it lands, and whoever asks again asks anew.
                self.store.schedule(&key, until);
            } else if self.in_background >= limits::BACKGROUND {
                // Until one of them has landed.
                return (launches, None);
            } else {
                self.store.schedule(&key, until);
                launches.extend(self.launch(&key, now, true));
            }
        }
        (launches, None)
    }

    /// Has every secret asked for anew, and forgets refusals.
    pub(super) fn outdate(&mut self, now: Instant) {
        self.refusals.clear();
        for flight in self.flights.values_mut() {
            flight.is_outdated = true;
        }
        let keys: Vec<Key> = self.store.iter().map(|(key, _)| key.clone()).collect();
        for key in keys {
            if let Some(kept) = self.store.get_mut(&key) {
                (kept.is_outdated, kept.failures, kept.ask) = (true, 0, now);
            }
            self.store.schedule(&key, now);
        }
    }

    pub(super) fn counts(&self, now: Instant) -> Counts {
        let is_stale = |(key, kept): &(&Key, &Kept)| {
            let flight = self.flights.get(*key);
            let is_slow = flight.is_some_and(|flight| now >= flight.began + limits::SLOW);
            now >= kept.end && (kept.failures > 0 || is_slow)
        };
        let stale = self.store.iter().filter(is_stale).count();
        Counts { secrets: self.store.len(), stale }
    }

    /// Whether the question about a secret has been sent, if there is one.
    pub(super) fn has_begun(&self, key: &Key, now: Instant) -> bool {
        self.flights.get(key).is_none_or(|flight| flight.began <= now)
    }

    /// A number from 0 to 1.
    pub(super) fn random(&mut self) -> f64 {
        self.random.f64()
    }

    /// Whether a secret was asked for lately.
    fn is_wanted(&self, kept: &Kept, now: Instant) -> bool {
        now.saturating_duration_since(kept.asked) < 2 * self.settings.ttl
    }

    /// The latest version, if it is known to be this one.
    fn latest_if(&mut self, key: &Key, now: Instant) -> Option<Answer> {
        let latest = key.latest()?;
        let kept = self.store.get(&latest)?;
        let is_it = kept.secret.properties().version.as_deref() == key.version();
        let is_fresh = now < kept.end && !kept.is_outdated;
        if !is_it || !is_fresh {
            return None;
        }
        let secret = Arc::clone(&kept.secret);
        self.touch(&latest, now);
        Some(Answer { secret, is_stale: false })
    }

    fn wait(&self, key: &Key, old: Option<Old>) -> Step {
        match self.flights.get(key) {
            Some(flight) => Step::Wait(flight.landed.clone(), old),
            None => Step::Refuse(Error::new(Kind::Internal, "internal", NO_FLIGHT, "")),
        }
    }

    /// Begins a question, unless one is on its way.
    fn launch(&mut self, key: &Key, now: Instant, in_background: bool) -> Option<Launch> {
        if self.flights.contains_key(key) {
            return None;
        }
        let (sender, landed) = watch::channel(None);
        let at = self.first_at(key, now);
        let asked = self.store.get(key).map_or(now, |kept| kept.asked);
        let flight = Flight { landed, began: at, asked, in_background, is_outdated: false };
        self.flights.insert(key.clone(), flight);
        self.in_background += usize::from(in_background);
        let is_first = self.store.get(key).is_none();
        Some(Launch { key: key.clone(), landed: sender, at, is_first })
    }

    /// When a request to the secret's vault may go: the first one waits a random part of the splay, and the others do
    /// not overtake it.
    fn first_at(&mut self, key: &Key, now: Instant) -> Instant {
        if self.settings.splay.is_zero() {
            return now;
        }
        if let Some(at) = self.vaults.get(key.vault()) {
            return now.max(*at);
        }
        if self.vaults.len() >= limits::VAULTS {
            self.vaults.retain(|_, at| *at > now);
        }
        let at = now + self.settings.splay.mul_f64(self.random.f64());
        self.vaults.insert(key.vault().to_owned(), at);
        at
    }

    fn keep(
        &mut self,
        key: &Key,
        secret: &Arc<Secret>,
        asked: Instant,
        is_outdated: bool,
        now: Instant,
    ) {
        self.refusals.remove(key);
        let time = self.settings.ttl.mul_f64(0.9 + 0.2 * self.random.f64());
        let ask = match is_outdated {
            true => now,
            // Early enough to have the answer before the end.
            false => now + time.mul_f64(0.8 + 0.1 * self.random.f64()),
        };
        let secret = Arc::clone(secret);
        let kept = Kept { secret, asked, end: now + time, ask, failures: 0, is_outdated };
        self.store.insert(key, kept);
    }

    /// Asks again after a pause, which is the longer the more questions failed.
    fn postpone(&mut self, key: &Key, now: Instant) {
        let part = self.random.f64();
        let Some(kept) = self.store.get_mut(key) else { return };
        kept.is_outdated = false;
        let pause = pause(kept.failures).mul_f64(part);
        kept.failures = kept.failures.saturating_add(1);
        kept.ask = now + pause;
        let at = kept.ask;
        self.store.schedule(key, at);
    }

    fn refuse(&mut self, key: &Key, error: &Error, now: Instant) {
        if self.refusals.len() >= limits::REFUSALS {
            self.refusals.retain(|_, (_, until)| now < *until);
        }
        // Beyond the limit they are not kept: more questions, and no more memory.
        if self.refusals.len() < limits::REFUSALS {
            self.refusals.insert(key.clone(), (error.clone(), now + limits::REFUSAL));
        }
    }

    /// Somebody has asked for it.
    fn touch(&mut self, key: &Key, now: Instant) {
        if let Some(flight) = self.flights.get_mut(key) {
            flight.asked = now;
        }
        self.store.touch(key, now);
    }
}

const NO_FLIGHT: &str = "asking for a secret: nobody asks";

/// The longest pause after so many failures.
pub(super) fn pause(failures: u32) -> Duration {
    limits::PAUSE.saturating_mul(2_u32.saturating_pow(failures)).min(limits::PAUSE_MAX)
}

/// Whether an answer says that the value may not be had any more: the vault's 401, 403 or 404, a disabled secret, or an
/// identity that was refused. Every other failure may pass; that there is no identity at all may be a metadata service
/// that cannot be reached, and an address that is not allowed may be a wrong answer of DNS.
pub(super) fn is_final(error: &Error) -> bool {
    match error.kind {
        Kind::Denied => error.id != EGRESS_DENIED,
        Kind::NotFound | Kind::Disabled | Kind::Unauthenticated => true,
        _ => false,
    }
}

/// The id of a connection that our own egress policy refused.
const EGRESS_DENIED: &str = "egress-denied";

#[cfg(test)]
impl State {
    pub(super) fn refusals(&self) -> usize {
        self.refusals.len()
    }

    pub(super) fn in_background(&self) -> usize {
        self.in_background
    }

    /// Everything that is kept is within its time, and due.
    pub(super) fn renew_all(&mut self, now: Instant) {
        let keys: Vec<Key> = self.store.iter().map(|(key, _)| key.clone()).collect();
        for key in keys {
            if let Some(kept) = self.store.get_mut(&key) {
                (kept.end, kept.ask) = (now + self.settings.ttl, now);
            }
        }
    }
}
