//! The handle: who asks, for how long, and on which thread.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures_lite::future::block_on;

use crate::cancel::Cancel;
use crate::engine::{Engine, Listed};
use crate::error::Error;
use crate::fork::PerProcess;
use crate::lend::Front;
use crate::plan::Plan;
use crate::planner::Planner;
use crate::process::Process;
use crate::secret::{Properties, Secret, Token};
use crate::settings::Settings;
use crate::task::{Task, unless_cancelled};
use crate::{Builder, TokenRequest, UserAssigned};
#[cfg(feature = "plugins")]
use crate::{
    engine::Page,
    planner::{Resolved, Subject},
};

/// Gets secrets and tokens. Cheap to clone; clones share everything: one set of settings, one
/// environment, one cache of tokens, one pool of connections.
///
/// Usable from any thread, from async code under any runtime, and from plain blocking code.
/// Dropping a call's future cancels that call and no other. In a child of `fork` a handle opens
/// itself anew, with the settings that it was opened with.
#[derive(Clone)]
pub struct Vaultlet {
    process: Arc<PerProcess<Process>>,
    identity: Option<UserAssigned>,
    timeout: Option<Duration>,
    cancel: Option<Cancel>,
}

impl fmt::Debug for Vaultlet {
    // What it holds are settings, variables and tokens.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Vaultlet")
    }
}

impl Vaultlet {
    /// Starts to open a handle, from the environment's settings.
    pub fn builder() -> Builder {
        Builder::default()
    }

    pub(crate) fn open(settings: Settings) -> Result<Self, Error> {
        let process = Arc::new(PerProcess::new(|| Process::open(settings))?);
        Ok(Self { process, identity: None, timeout: None, cancel: None })
    }

    /// The same handle for another user-assigned managed identity; the cache keeps them apart.
    pub fn with_identity(&self, identity: UserAssigned) -> Self {
        Self { identity: Some(identity), ..self.clone() }
    }

    /// The same handle for calls that may take this long, in place of what it was opened with.
    pub fn with_timeout(&self, timeout: Duration) -> Self {
        Self { timeout: Some(timeout), ..self.clone() }
    }

    /// The same handle for calls that end with an error of the id `cancelled` when this is
    /// cancelled.
    pub fn with_cancel(&self, cancel: &Cancel) -> Self {
        Self { cancel: Some(cancel.clone()), ..self.clone() }
    }

    /// Gets a secret: two requests for the first of a vault, one for each further one.
    pub async fn get(&self, reference: &str) -> Result<Secret, Error> {
        const DOING: &str = "getting a secret";
        let task = self.start_get(DOING, reference)?;
        self.finish(DOING, task).await
    }

    /// [`Vaultlet::get`] for code that is not async. It must not be called on a thread that runs
    /// async tasks, as it blocks.
    pub fn get_blocking(&self, reference: &str) -> Result<Secret, Error> {
        block_on(self.get(reference))
    }

    /// Gets several secrets at once, in their order: all, or the first error.
    pub async fn get_many<R: AsRef<str>>(&self, references: &[R]) -> Result<Vec<Secret>, Error> {
        const DOING: &str = "getting secrets";
        let started = references.iter().map(|reference| self.start_get(DOING, reference.as_ref()));
        let started = started.collect::<Result<Vec<_>, _>>()?;
        let mut secrets = Vec::with_capacity(started.len());
        for task in started {
            secrets.push(self.finish(DOING, task).await?);
        }
        Ok(secrets)
    }

    /// [`Vaultlet::get_many`] for code that is not async; it blocks the thread.
    pub fn get_many_blocking<R: AsRef<str>>(&self, references: &[R]) -> Result<Vec<Secret>, Error> {
        block_on(self.get_many(references))
    }

    /// Lists the secrets of a vault, disabled ones too, by name: one request for each 25. The vault
    /// is a name or host, `akv://<vault>`, or its own URL. Items have no version; all else in them
    /// is that of the latest.
    pub async fn list(&self, vault: &str) -> Result<Vec<Properties>, Error> {
        self.listed("listing secrets", Listed::Secrets(vault.to_owned())).await
    }

    /// [`Vaultlet::list`] for code that is not async; it blocks the thread.
    pub fn list_blocking(&self, vault: &str) -> Result<Vec<Properties>, Error> {
        block_on(self.list(vault))
    }

    /// Lists the versions of a secret, newest first. The reference has no version and no `json=`;
    /// a secret that is not there is an error.
    pub async fn versions(&self, reference: &str) -> Result<Vec<Properties>, Error> {
        self.listed("listing versions", Listed::Versions(reference.to_owned())).await
    }

    /// [`Vaultlet::versions`] for code that is not async; it blocks the thread.
    pub fn versions_blocking(&self, reference: &str) -> Result<Vec<Properties>, Error> {
        block_on(self.versions(reference))
    }

    /// Gets a token. One request, unless the cache has it.
    pub async fn token(&self, request: TokenRequest) -> Result<Token, Error> {
        let identity = self.identity.clone();
        const DOING: &str = "getting a token";
        let task = self.start(DOING, |on| async move { on.token(request, identity).await })?;
        self.finish(DOING, task).await
    }

    /// [`Vaultlet::token`] for code that is not async; it blocks the thread.
    pub fn token_blocking(&self, request: TokenRequest) -> Result<Token, Error> {
        block_on(self.token(request))
    }

    /// What the credentials would read and whom they would talk to, and the vault of a reference
    /// (`akv://<vault>` serves, too) if one is given. No network.
    pub async fn plan(&self, reference: Option<&str>) -> Result<Plan, Error> {
        let (reference, settings) =
            (reference.map(str::to_owned), self.process.here(Process::anew)?.settings().clone());
        const DOING: &str = "making a plan";
        let task = self.start(DOING, |on| async move {
            Plan::of(&on.planner, &settings, reference.as_deref()).await
        })?;
        self.finish(DOING, task).await
    }

    /// [`Vaultlet::plan`] for code that is not async; it blocks the thread.
    pub fn plan_blocking(&self, reference: Option<&str>) -> Result<Plan, Error> {
        block_on(self.plan(reference))
    }

    /// Runs this on one of the handle's own threads, for bindings whose callers are called back. It
    /// must not block.
    pub fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) -> Result<(), Error> {
        self.engine()?.shard.handle().spawn(work);
        Ok(())
    }

    pub(crate) fn planner(&self) -> Result<Arc<Planner>, Error> {
        Ok(Arc::clone(&self.engine()?.planner))
    }

    /// What answers lent requests, with these variables besides the settings, and where it runs.
    pub(crate) fn front(
        &self,
        variables: [(&str, &str); 3],
    ) -> Result<(Front, tokio::runtime::Handle), Error> {
        let engine = self.engine()?;
        let grant = engine.new_grant(None, &variables);
        let front = Front { level: Arc::clone(&engine.level), grant, timeout: self.timeout()? };
        Ok((front, engine.shard.handle().clone()))
    }

    #[cfg(feature = "plugins")]
    pub(crate) async fn resolved(&self, what: Subject) -> Result<Resolved, Error> {
        const DOING: &str = "resolving a reference";
        let task =
            self.start(DOING, |on| async move { on.planner.resolved(&what, &on.settings).await })?;
        self.finish(DOING, task).await
    }

    #[cfg(feature = "plugins")]
    pub(crate) async fn list_page(
        &self,
        what: Listed,
        marker: Option<String>,
    ) -> Result<Page, Error> {
        const DOING: &str = "listing a page";
        let identity = self.identity.clone();
        let task = self.start(DOING, |on| async move {
            on.list_page(&what, marker.as_deref(), identity).await
        })?;
        self.finish(DOING, task).await
    }

    fn start_get(&self, doing: &str, reference: &str) -> Result<Task<Secret>, Error> {
        let (identity, reference) = (self.identity.clone(), reference.to_owned());
        self.start(doing, |on| async move { on.get(&reference, identity).await })
    }

    async fn listed(&self, doing: &str, what: Listed) -> Result<Vec<Properties>, Error> {
        let identity = self.identity.clone();
        let task = self.start(doing, |on| async move { on.list(what, identity).await })?;
        self.finish(doing, task).await
    }

    pub(crate) fn engine(&self) -> Result<Arc<Engine>, Error> {
        self.process.here(Process::anew)?.engine()
    }

    fn timeout(&self) -> Result<Duration, Error> {
        Ok(match self.timeout {
            Some(timeout) => timeout,
            None => self.process.here(Process::anew)?.timeout(),
        })
    }

    fn start<T: Send + 'static, F: Future<Output = Result<T, Error>> + Send + 'static>(
        &self,
        doing: &str,
        call: impl FnOnce(Arc<Engine>) -> F,
    ) -> Result<Task<T>, Error> {
        unless_cancelled(doing, self.cancel.as_ref())?;
        let limit = self.timeout()?;
        let engine = self.engine()?;
        Ok(Task::start(&engine.shard, limit, call(Arc::clone(&engine))))
    }

    async fn finish<T: Send + 'static>(&self, doing: &str, task: Task<T>) -> Result<T, Error> {
        let help = "allow more by `--timeout` (`VAULTLET_TIMEOUT`), or look at what is slow";
        task.end(doing, self.cancel.as_ref(), help).await
    }
}
