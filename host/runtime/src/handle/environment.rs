//! The references in the environment, for this process itself: what `vaultlet run` does for a command.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use crate::error::{Error, Kind};
use crate::references::{self, Asked, Form, Found, References};
use crate::secret::Secret;

use super::many::owned;
use super::source::Several;
use super::unrecorded::Unrecorded;
use super::vaultlet::{GETTING_MANY, Vaultlet};

/// What [`Vaultlet::resolve_environment`] resolves. The default is every reference in the process's environment.
#[derive(Clone, Default)]
pub struct EnvironmentRequest {
    /// Variables in place of those of the process, or of those that the handle was opened with
    /// ([`Builder::variables`](crate::Builder::variables)).
    pub variables: Option<Vec<(String, String)>>,
    /// The names of the variables to resolve, each of which must be there; the others are left alone.
    pub only: Option<Vec<String>>,
}

impl fmt::Debug for EnvironmentRequest {
    // Variables hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EnvironmentRequest")
    }
}

type Secrets = BTreeMap<String, Secret>;
type Results = Vec<Result<Unrecorded, Error>>;

impl Vaultlet {
    /// Gets the secrets that the environment refers to, by the names of their variables: all of them, or none.
    ///
    /// A variable is resolved when its whole value is a reference, as `vaultlet run` has it: `akv://…`,
    /// `@Microsoft.KeyVault(…)`, or a secret's URL in a known cloud. The options `optional` (the variable is
    /// left out when there is no such secret) and `default=TEXT` are known; `as=` is for commands. Other
    /// variables are not in the result, and the environment itself is not changed.
    ///
    /// The error is that of the first variable that failed, and [`Error::variables`] has them all.
    pub async fn resolve_environment(
        &self,
        request: &EnvironmentRequest,
    ) -> Result<Secrets, Error> {
        let references = self.references(request)?;
        let secrets = owned(&references::secrets(&references));
        let mut handle = self.clone();
        if self.asks_agent(secrets.len())? {
            let answer = self.pending(GETTING_MANY, Self::agent_work(owned(&secrets)))?.await;
            match self.settle(answer, secrets.len()) {
                Ok(results) => return Ok(found(&references, results)?.0),
                Err(other) => handle = other,
            }
        }
        let mut results = Results::new();
        for pending in handle.get_each(&secrets)? {
            results.push(pending.await);
        }
        let (found, used) = found(&references, results)?;
        if used.iter().any(Unrecorded::has_line) {
            self.pending(GETTING_MANY, move |source, _| source.record(&used))?.await?;
        }
        Ok(found)
    }

    /// [`Vaultlet::resolve_environment`] for code that is not async. The call blocks the thread.
    pub fn resolve_environment_blocking(
        &self,
        request: &EnvironmentRequest,
    ) -> Result<Secrets, Error> {
        let references = self.references(request)?;
        let results = self.get_each_blocking(&references::secrets(&references))?;
        let (found, used) = found(&references, results)?;
        self.record_blocking(&used)?;
        Ok(found)
    }

    /// [`Vaultlet::resolve_environment`] on threads of the handle, one of which then calls `then` once.
    #[doc(hidden)]
    pub fn resolve_environment_then(
        &self,
        request: &EnvironmentRequest,
        then: impl FnOnce(Result<Secrets, Error>) + Send + 'static,
    ) {
        let references = match self.references(request) {
            Ok(references) => references,
            Err(error) => return then(Err(error)),
        };
        let secrets = owned(&references::secrets(&references));
        if secrets.is_empty() {
            return then(Ok(Secrets::new()));
        }
        let source = match self.current() {
            Ok(process) => Arc::clone(&process.source),
            Err(error) => return then(Err(error)),
        };
        let then = move |results| {
            let found = found(&references, results);
            then(found.and_then(|(found, used)| source.record(&used).map(|()| found)));
        };
        match self.asks_agent(secrets.len()) {
            Ok(true) => {
                let (work, handle) = (Self::agent_work(secrets.clone()), self.clone());
                let each = move |answer| match handle.settle(answer, secrets.len()) {
                    Ok(results) => then(results),
                    Err(handle) => handle.each_then(&secrets, then),
                };
                drop(self.start(GETTING_MANY, work, each));
            }
            // What is wrong is told by each call.
            Ok(false) | Err(_) => self.each_then(&secrets, then),
        }
    }

    fn each_then(&self, secrets: &[String], then: impl FnOnce(Results) + Send + 'static) {
        let all = Arc::new(Mutex::new(Waiting {
            results: secrets.iter().map(|_| None).collect(),
            then: Some(Box::new(then)),
        }));
        for (at, secret) in secrets.iter().enumerate() {
            let all = Arc::clone(&all);
            self.start(GETTING_MANY, self.unrecorded_work(secret), move |result| {
                Waiting::set(&all, at, result);
            });
        }
    }

    /// Gets several secrets at once: each of them, or the error of each. They must be recorded before they are given
    /// out ([`Vaultlet::record_blocking`]).
    #[doc(hidden)]
    pub fn get_each_blocking<R: AsRef<str>>(&self, references: &[R]) -> Result<Results, Error> {
        let mut handle = self.clone();
        if self.asks_agent(references.len())? {
            let answer = self.block(GETTING_MANY, Self::agent_work(owned(references)));
            match self.settle(answer, references.len()) {
                Ok(results) => return Ok(results),
                Err(other) => handle = other,
            }
        }
        handle.block(GETTING_MANY, |source, call| {
            // The first on this thread, which would only wait otherwise.
            let Some((first, others)) = references.split_first() else { return Ok(Vec::new()) };
            let others = handle.get_each(others)?;
            let first = source.get_unrecorded(first.as_ref(), &handle.asker(), call);
            let others = others.into_iter().map(|pending| pending.wait(call));
            Ok(std::iter::once(first).chain(others).collect())
        })
    }

    /// The result of each, by what the agent says to all; else the handle that is to be asked for each.
    fn settle(&self, answer: Result<Several, Error>, count: usize) -> Result<Results, Self> {
        match answer {
            Ok(Several::All(secrets)) => {
                Ok(secrets.into_iter().map(|it| Ok(Unrecorded::unguarded(it))).collect())
            }
            // For the error of each.
            Ok(Several::Refused(_)) => Err(self.clone()),
            Ok(Several::Direct) => Err(self.directly()),
            Err(error) => Ok((0..count).map(|_| Err(error.clone())).collect()),
        }
    }

    fn references(&self, request: &EnvironmentRequest) -> Result<References, Error> {
        let process = self.current()?;
        let variables: BTreeMap<OsString, OsString> = match &request.variables {
            Some(given) => given.iter().map(|(name, value)| (name.into(), value.into())).collect(),
            None => process.settings().environment.all(),
        };
        let only = request.only.as_deref();
        if let Some(missing) =
            only.unwrap_or_default().iter().find(|it| !variables.contains_key(OsStr::new(it)))
        {
            return Err(Error::new(
                Kind::Usage,
                "usage",
                format!("{RESOLVING}: `only` names `{missing}`, which is not set"),
                "set the variable, or leave its name out",
            ));
        }
        let is_chosen = |name: &OsStr| only.is_none_or(|only| only.iter().any(|it| name == &**it));
        let chosen = variables.iter().filter(|(name, _)| is_chosen(name));
        let chosen = chosen.map(|(name, value)| (&**name, &**value));
        references::read_accepted(chosen, accept, || process.source.known())?
            .map_err(|all| Error::of(RESOLVING, all))
    }
}

/// Refuses what is for commands.
fn accept(asked: &Asked) -> Result<(), Error> {
    if asked.form == Form::Env {
        return Ok(());
    }
    Err(Error::new(
        Kind::InvalidArgument,
        "reference-malformed",
        "reading the reference: its option `as=` is for a command that reads a file",
        "leave it out: the secret stays in this process",
    ))
}

const RESOLVING: &str = "resolving the environment";

/// What the references lead to, by the results for their secrets, and the secrets that are given out by that.
fn found(references: &References, results: Results) -> Result<(Secrets, Vec<Unrecorded>), Error> {
    let mut results: BTreeMap<_, _> =
        references::secrets(references).into_iter().zip(results).collect();
    let (mut secrets, mut used, mut errors) = (Secrets::new(), BTreeSet::new(), Vec::new());
    for (name, asked) in references {
        let Some(result) = results.get(asked.secret.as_str()) else {
            return Err(Error::internal(format!("{RESOLVING}: a call gave no result")));
        };
        match asked.find(result.as_ref().map(Unrecorded::secret)) {
            Ok(Found::Secret(secret)) => {
                secrets.insert(name.to_string_lossy().into_owned(), secret);
                used.insert(asked.secret.as_str());
            }
            Ok(Found::Default(text)) => {
                secrets.insert(name.to_string_lossy().into_owned(), text);
            }
            Ok(Found::Nothing) => {}
            Err(error) => errors.push((references::shown(name), error)),
        }
    }
    if !errors.is_empty() {
        return Err(Error::of(RESOLVING, errors));
    }
    let used = used.into_iter().filter_map(|secret| results.remove(secret)?.ok()).collect();
    Ok((secrets, used))
}

/// The results that have come so far.
struct Waiting {
    results: Vec<Option<Result<Unrecorded, Error>>>,
    /// Taken when it is called.
    then: Option<Box<dyn FnOnce(Results) + Send>>,
}

impl Waiting {
    /// Sets one result. With the last of them, gives all.
    fn set(all: &Mutex<Self>, at: usize, result: Result<Unrecorded, Error>) {
        let (then, results) = {
            let mut all = all.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(place) = all.results.get_mut(at) {
                *place = Some(result);
            }
            if all.results.iter().any(Option::is_none) {
                return;
            }
            (all.then.take(), std::mem::take(&mut all.results))
        };
        if let Some(then) = then {
            then(results.into_iter().flatten().collect());
        }
    }
}
