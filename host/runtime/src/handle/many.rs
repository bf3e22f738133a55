//! Several secrets at once for a caller that does not wait: no thread waits for another.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::call::Call;
use crate::error::Error;
use crate::secret::Secret;

/// The results of several calls, given on when the last has come, or at the first error.
pub(super) struct Many(Mutex<State>);

struct State {
    secrets: Vec<Option<Secret>>,
    calls: Vec<Arc<Call>>,
    /// Taken when it is called.
    then: Option<Then>,
}

type Then = Box<dyn FnOnce(Result<Vec<Secret>, Error>) + Send>;

impl Many {
    pub(super) fn new(count: usize, then: Then) -> Arc<Self> {
        let secrets = std::iter::repeat_with(|| None).take(count).collect();
        Arc::new(Self(Mutex::new(State { secrets, calls: Vec::new(), then: Some(then) })))
    }

    /// Adds a call that is cancelled should another fail.
    pub(super) fn add(&self, call: Arc<Call>) {
        let has_ended = {
            let mut state = self.lock();
            state.calls.push(Arc::clone(&call));
            state.then.is_none()
        };
        if has_ended {
            call.interrupt().cancel();
        }
    }

    /// Sets the result of one call.
    pub(super) fn set(&self, at: usize, result: Result<Secret, Error>) {
        let (then, result, calls) = {
            let mut state = self.lock();
            let result = match result {
                Ok(secret) => {
                    if let Some(place) = state.secrets.get_mut(at) {
                        *place = Some(secret);
                    }
                    if state.secrets.iter().any(Option::is_none) {
                        return;
                    }
                    Ok(state.secrets.drain(..).flatten().collect())
                }
                Err(error) => Err(error),
            };
            (state.then.take(), result, std::mem::take(&mut state.calls))
        };
        if result.is_err() {
            calls.iter().for_each(|call| call.interrupt().cancel());
        }
        if let Some(then) = then {
            then(result);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
