//! The places for connections of a lent endpoint, and which connection is closed when another one
//! comes and none is free.
//!
//! A connection is a stranger until a request on it shows the secret, busy while such a request is
//! served, and idle between two of them. A server may close an idle connection at any time.
//! <https://www.rfc-editor.org/rfc/rfc9112#section-9.5>

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use tokio::task::AbortHandle;
use tokio::time::timeout;

use crate::limits;

/// The connections of one endpoint.
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
    /// How many connections there are.
    taken: usize,
    strangers: BTreeMap<u64, (Instant, Option<AbortHandle>)>,
    idle: BTreeMap<u64, Option<AbortHandle>>,
}

/// The place of one connection, which is free again when this is dropped.
pub(super) struct Place {
    places: Arc<Places>,
    stage: Mutex<Stage>,
}

enum Stage {
    Stranger(u64),
    Idle(u64),
    Busy(Option<AbortHandle>),
    /// The place was given to another connection.
    Closed,
}

impl Places {
    pub(super) fn new(most: usize) -> Arc<Self> {
        Arc::new(Self { most, state: Mutex::default(), changed: Notify::new() })
    }

    /// Takes a place for a connection that has shown nothing so far. Where none is free, the
    /// connection that was idle for longest is closed, or the oldest stranger if strangers have half
    /// of the places. Waits while all connections are busy, or strangers that have only just come.
    pub(super) async fn take(self: &Arc<Self>) -> Place {
        loop {
            let changed = self.changed.notified();
            match self.try_take() {
                Ok(place) => return place,
                Err(wait) => drop(timeout(wait, changed).await),
            }
        }
    }

    fn try_take(self: &Arc<Self>) -> Result<Place, Duration> {
        let mut state = self.lock();
        if state.taken >= self.most {
            state.make_room(self.most)?;
        }
        state.taken += 1;
        let key = state.key();
        state.strangers.insert(key, (Instant::now(), None));
        let stage = Mutex::new(Stage::Stranger(key));
        Ok(Place { places: Arc::clone(self), stage })
    }

    /// Closes a connection that is not busy, if there is one, because the process has no file
    /// descriptor left.
    pub(super) fn close_one(&self) -> bool {
        self.lock().close_one()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn key(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    /// Closes a connection for another one, or says when to try again.
    fn make_room(&mut self, most: usize) -> Result<(), Duration> {
        if self.strangers.len() < most.div_ceil(2) && self.close_idle() {
            return Ok(());
        }
        let Some((_, (since, _))) = self.strangers.first_key_value() else {
            return Err(limits::LENT_STRANGER);
        };
        // An honest request may be on its way.
        let age = since.elapsed();
        if age < limits::LENT_YOUNG {
            return Err(limits::LENT_YOUNG - age);
        }
        self.close_stranger();
        Ok(())
    }

    fn close_one(&mut self) -> bool {
        self.close_stranger() || self.close_idle()
    }

    fn close_stranger(&mut self) -> bool {
        let oldest = self.strangers.pop_first();
        oldest.is_some_and(|(_, (_, task))| self.close(task))
    }

    fn close_idle(&mut self) -> bool {
        let longest = self.idle.pop_first();
        longest.is_some_and(|(_, task)| self.close(task))
    }

    fn close(&mut self, task: Option<AbortHandle>) -> bool {
        if let Some(task) = task {
            task.abort();
        }
        self.taken -= 1;
        true
    }
}

impl Place {
    /// Says which task serves the connection.
    pub(super) fn set_task(&self, task: AbortHandle) {
        if let Stage::Stranger(key) = *self.stage()
            && let Some((_, entry)) = self.places.lock().strangers.get_mut(&key)
        {
            *entry = Some(task);
        }
    }

    pub(super) fn is_stranger(&self) -> bool {
        matches!(*self.stage(), Stage::Stranger(_))
    }

    /// A request on the connection has shown the secret and is served from now on.
    pub(super) fn begin(&self) {
        let mut stage = self.stage();
        let mut state = self.places.lock();
        let task = match *stage {
            Stage::Stranger(key) => state.strangers.remove(&key).map(|(_, task)| task),
            Stage::Idle(key) => state.idle.remove(&key),
            Stage::Busy(_) | Stage::Closed => return,
        };
        *stage = task.map_or(Stage::Closed, Stage::Busy);
    }

    /// The response was sent.
    pub(super) fn end(&self) {
        let mut stage = self.stage();
        if let Stage::Busy(task) = &mut *stage {
            let task = task.take();
            let mut state = self.places.lock();
            let key = state.key();
            state.idle.insert(key, task);
            *stage = Stage::Idle(key);
            drop(state);
            self.places.changed.notify_one();
        }
    }

    fn stage(&self) -> MutexGuard<'_, Stage> {
        self.stage.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut state = self.places.lock();
        let stage = self.stage.get_mut().unwrap_or_else(PoisonError::into_inner);
        let has_place = match stage {
            Stage::Stranger(key) => state.strangers.remove(key).is_some(),
            Stage::Idle(key) => state.idle.remove(key).is_some(),
            Stage::Busy(_) => true,
            Stage::Closed => false,
        };
        if has_place {
            state.taken -= 1;
            drop(state);
            self.places.changed.notify_one();
        }
    }
}
