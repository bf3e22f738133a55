//! Several secrets at once. For a caller that does not wait, no thread waits for another.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::call::Call;
use crate::error::Error;
use crate::secret::Secret;

use super::pending::Pending;
use super::source::{Several, Source};
use super::unrecorded::Unrecorded;
use super::vaultlet::{GETTING_MANY, Vaultlet};

impl Vaultlet {
    /// Gets several secrets at once. Returns them in the order of the references, or the first
    /// error.
    pub async fn get_many<R: AsRef<str>>(&self, references: &[R]) -> Result<Vec<Secret>, Error> {
        self.check(references)?;
        if self.asks_agent(references.len())? {
            return match self.pending(GETTING_MANY, Self::agent_work(owned(references)))?.await? {
                Several::All(secrets) => Ok(secrets),
                Several::Refused(error) => Err(error),
                Several::Direct => Box::pin(self.directly().get_many(references)).await,
            };
        }
        let mut secrets = Vec::with_capacity(references.len());
        for pending in self.get_each(references)? {
            secrets.push(pending.await?);
        }
        if secrets.iter().any(Unrecorded::has_line) {
            return self.pending(GETTING_MANY, |source, _| source.recorded(secrets))?.await;
        }
        Ok(secrets.into_iter().map(Unrecorded::into_secret).collect())
    }

    /// [`Vaultlet::get_many`] for code that is not async. The call blocks the thread.
    pub fn get_many_blocking<R: AsRef<str>>(&self, references: &[R]) -> Result<Vec<Secret>, Error> {
        self.check(references)?;
        if self.asks_agent(references.len())? {
            return match self.block(GETTING_MANY, Self::agent_work(owned(references)))? {
                Several::All(secrets) => Ok(secrets),
                Several::Refused(error) => Err(error),
                Several::Direct => self.directly().get_many_blocking(references),
            };
        }
        self.block(GETTING_MANY, |source, call| {
            // The first on this thread, which would only wait otherwise.
            let Some((first, others)) = references.split_first() else { return Ok(Vec::new()) };
            let others = self.get_each(others)?;
            let first = source.get_unrecorded(first.as_ref(), &self.asker(), call)?;
            let others = others.into_iter().map(|pending| pending.wait(call));
            let all: Result<Vec<_>, Error> = std::iter::once(Ok(first)).chain(others).collect();
            source.recorded(all?)
        })
    }

    /// [`Vaultlet::get_many`] on a thread of the handle, which then calls `then` once.
    #[doc(hidden)]
    pub fn get_many_then(
        &self,
        references: Vec<String>,
        then: impl FnOnce(Result<Vec<Secret>, Error>) + Send + 'static,
    ) {
        if references.is_empty() {
            return then(Ok(Vec::new()));
        }
        if let Err(error) = self.check(&references) {
            return then(Err(error));
        }
        match self.asks_agent(references.len()) {
            Ok(false) => {}
            Ok(true) => {
                let (work, direct) = (Self::agent_work(references.clone()), self.directly());
                let then = move |result| match result {
                    Ok(Several::All(secrets)) => then(Ok(secrets)),
                    Ok(Several::Direct) => direct.get_many_then(references, then),
                    Ok(Several::Refused(error)) | Err(error) => then(Err(error)),
                };
                return drop(self.start(GETTING_MANY, work, then));
            }
            Err(error) => return then(Err(error)),
        }
        let source = match self.current() {
            Ok(process) => Arc::clone(&process.source),
            Err(error) => return then(Err(error)),
        };
        let then = move |all: Result<_, Error>| then(all.and_then(|all| source.recorded(all)));
        let many = Many::new(references.len(), Box::new(then));
        for (at, reference) in references.iter().enumerate() {
            let for_one = Arc::clone(&many);
            let set = move |result| for_one.set(at, result);
            if let Some(call) = self.start(GETTING_MANY, self.unrecorded_work(reference), set) {
                many.add(call);
            }
        }
    }

    /// Gets several secrets at once, which must be recorded before they are given out.
    pub(super) fn get_each<R: AsRef<str>>(
        &self,
        references: &[R],
    ) -> Result<Vec<Pending<Unrecorded>>, Error> {
        let get =
            |reference: &R| self.pending(GETTING_MANY, self.unrecorded_work(reference.as_ref()));
        references.iter().map(get).collect()
    }

    pub(super) fn unrecorded_work(
        &self,
        reference: &str,
    ) -> impl FnOnce(&Source, &Arc<Call>) -> Result<Unrecorded, Error> + use<> {
        let (asker, reference) = (self.asker(), reference.to_owned());
        move |source, call| source.get_unrecorded(&reference, &asker, call)
    }
}

pub(super) fn owned<R: AsRef<str>>(references: &[R]) -> Vec<String> {
    references.iter().map(|it| it.as_ref().to_owned()).collect()
}

/// The results of several calls, given on when the last has come, or at the first error.
struct Many(Mutex<State>);

struct State {
    secrets: Vec<Option<Unrecorded>>,
    calls: Vec<Arc<Call>>,
    /// Taken when it is called.
    then: Option<Then>,
}

type Then = Box<dyn FnOnce(Result<Vec<Unrecorded>, Error>) + Send>;

impl Many {
    fn new(count: usize, then: Then) -> Arc<Self> {
        let secrets = std::iter::repeat_with(|| None).take(count).collect();
        Arc::new(Self(Mutex::new(State { secrets, calls: Vec::new(), then: Some(then) })))
    }

    /// Adds a call that is cancelled should another fail.
    fn add(&self, call: Arc<Call>) {
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
    fn set(&self, at: usize, result: Result<Unrecorded, Error>) {
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
