//! The places for connections, and which connection is closed when another one comes and none is free.
//!
//! A connection is new until what came with it was read, a stranger until its first request has come, busy while a request is served, and idle
//! between two of them. A server may close an idle connection at any time.
//! <https://www.rfc-editor.org/rfc/rfc9112#section-9.5>

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use tokio::task::AbortHandle;
use tokio::time::timeout;

use super::limits;

/// Whose connection it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    /// Our own user.
    Own,
    /// A user whom the policy names.
    User(u32),
    /// A program that reaches the agent by HTTP on loopback.
    Http,
    /// A program that reads the metrics.
    Metrics,
}

/// The connections of one agent.
pub(super) struct Places {
    most: usize,
    state: Mutex<State>,
    /// Notified when a connection ends or becomes idle.
    changed: Notify,
}

#[derive(Default)]
struct State {
    /// The key of the next entry: keys are in the order of time.
    next: u64,
    entries: BTreeMap<u64, Entry>,
}

struct Entry {
    owner: Owner,
    stage: Stage,
    since: Instant,
    task: Option<AbortHandle>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Stranger,
    Idle,
    Busy,
    New,
}

/// The place of one connection, which is free again when this is dropped.
pub(super) struct Place {
    places: Arc<Places>,
    key: u64,
}

/// No connection can be closed for another one: when to try again.
struct Full(Duration);

impl Places {
    pub(super) fn new(most: usize) -> Arc<Self> {
        Arc::new(Self { most, state: Mutex::default(), changed: Notify::new() })
    }

    /// Takes a place for a connection that has sent nothing so far. Where none is free, a connection is closed: the
    /// oldest stranger, else the one that was idle for longest. Waits while all connections are busy, or strangers
    /// that have only just come. `None` when this owner has all places that he may have, and all are busy.
    pub(super) async fn take(self: &Arc<Self>, owner: Owner) -> Option<Place> {
        loop {
            let changed = self.changed.notified();
            match self.try_take(owner) {
                Ok(place) => return place,
                Err(Full(wait)) => drop(timeout(wait, changed).await),
            }
        }
    }

    fn try_take(self: &Arc<Self>, owner: Owner) -> Result<Option<Place>, Full> {
        let mut state = self.lock();
        if matches!(owner, Owner::User(_) | Owner::Metrics) {
            let of_owner = state.entries.values().filter(|it| it.owner == owner).count();
            let most = (self.most / limits::PART_OF_OTHERS).max(1);
            if of_owner >= most && state.make_room(Some(owner)).is_err() {
                return Ok(None);
            }
        }
        if state.entries.len() >= self.most {
            state.make_room(None)?;
        }
        state.next += 1;
        let key = state.next;
        let (stage, since) = (Stage::New, Instant::now());
        state.entries.insert(key, Entry { owner, stage, since, task: None });
        Ok(Some(Place { places: Arc::clone(self), key }))
    }

    /// Closes a connection that is not busy, if there is one, because the process has no file descriptor left.
    pub(super) fn close_one(&self) -> bool {
        let mut state = self.lock();
        let key = state.least(None, Duration::ZERO);
        key.is_some_and(|key| state.close(key))
    }

    /// How many connections there are.
    pub(super) fn taken(&self) -> usize {
        self.lock().entries.len()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Closes a connection, of this owner if one is given, for another one.
    fn make_room(&mut self, of: Option<Owner>) -> Result<(), Full> {
        match self.least(of, limits::YOUNG) {
            Some(key) => {
                self.close(key);
                Ok(())
            }
            // An honest request may be on its way.
            None => Err(Full(limits::YOUNG)),
        }
    }

    /// The connection that is missed least: a stranger before one that is idle, the oldest of them.
    fn least(&self, of: Option<Owner>, age: Duration) -> Option<u64> {
        let entries = self.entries.iter().filter(|(_, it)| of.is_none_or(|of| it.owner == of));
        let candidates = entries.filter(|(_, it)| match it.stage {
            Stage::Stranger => it.since.elapsed() >= age,
            Stage::Idle => true,
            Stage::Busy | Stage::New => false,
        });
        candidates.min_by_key(|(_, it)| (it.stage, it.since)).map(|(key, _)| *key)
    }

    fn close(&mut self, key: u64) -> bool {
        let entry = self.entries.remove(&key);
        if let Some(task) = entry.as_ref().and_then(|it| it.task.as_ref()) {
            task.abort();
        }
        entry.is_some()
    }
}

impl Place {
    /// Says which task serves the connection.
    pub(super) fn set_task(&self, task: AbortHandle) {
        match self.places.lock().entries.get_mut(&self.key) {
            Some(entry) => entry.task = Some(task),
            // The place was given to another connection already.
            None => task.abort(),
        }
    }

    pub(super) fn is_stranger(&self) -> bool {
        let state = self.places.lock();
        let stage = state.entries.get(&self.key).map(|it| it.stage);
        matches!(stage, Some(Stage::New | Stage::Stranger))
    }

    /// What came with the connection was read, and is no whole request.
    pub(super) fn wait(&self) {
        if let Some(entry) = self.places.lock().entries.get_mut(&self.key)
            && entry.stage == Stage::New
        {
            (entry.stage, entry.since) = (Stage::Stranger, Instant::now());
        }
    }

    /// A request has come and is served from now on.
    pub(super) fn begin(&self) {
        self.set_stage(Stage::Busy);
    }

    /// The response was sent.
    pub(super) fn end(&self) {
        self.set_stage(Stage::Idle);
        self.places.changed.notify_one();
    }

    fn set_stage(&self, stage: Stage) {
        if let Some(entry) = self.places.lock().entries.get_mut(&self.key) {
            (entry.stage, entry.since) = (stage, Instant::now());
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.places.lock().entries.remove(&self.key);
        self.places.changed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(places: &Arc<Places>, owner: Owner) -> Option<Place> {
        places.try_take(owner).ok().flatten()
    }

    #[test]
    fn strangers_are_closed_before_idle_connections_and_busy_ones_never() {
        let places = Places::new(3);
        let [busy, idle, stranger] = [0; 3].map(|_| take(&places, Owner::Own).unwrap());
        busy.begin();
        idle.begin();
        idle.end();
        stranger.wait();
        for place in [&idle, &stranger] {
            let before = Instant::now().checked_sub(limits::STRANGER).unwrap();
            places.lock().entries.get_mut(&place.key).unwrap().since = before;
        }
        let next = take(&places, Owner::Own).unwrap();
        assert!(!places.lock().entries.contains_key(&stranger.key));
        next.begin();
        let last = take(&places, Owner::Own).unwrap();
        last.wait();
        assert!(!places.lock().entries.contains_key(&idle.key));
        // It has only just come.
        assert!(places.try_take(Owner::Own).is_err());
        last.begin();
        assert!(places.try_take(Owner::Own).is_err());
        assert_eq!(places.taken(), 3);
        drop((busy, idle, stranger, next, last));
        assert_eq!(places.taken(), 0);
    }

    #[test]
    fn another_user_has_a_part_of_the_places_and_delays_nobody() {
        let places = Places::new(8);
        let taken = [0; 2].map(|_| take(&places, Owner::User(7)).unwrap());
        taken.iter().for_each(Place::begin);
        assert!(matches!(places.try_take(Owner::User(7)), Ok(None)));
        assert!(take(&places, Owner::User(8)).is_some());
        assert!(take(&places, Owner::Own).is_some());
    }
}
