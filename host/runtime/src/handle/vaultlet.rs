//! The handle's calls.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures_lite::future::block_on;

use crate::bindings::exports::vaultlet::keyvault::secrets::Listed;
use crate::error::Error;
use crate::role::{Front, Planner};
use crate::secret::{Properties, Secret};
use crate::settings::Settings;
use crate::token::{Token, TokenRequest, UserAssigned};

#[cfg(feature = "plugins")]
use crate::bindings::exports::vaultlet::keyvault::{
    plan::{Resolved, Subject},
    secrets::Page,
};

use super::cancel::Cancel;
use super::fork::PerProcess;
use super::plan::Plan;
use super::process::Process;
use super::task::{Task, fail_if_cancelled};
use super::worker::Worker;

/// Gets secrets and tokens.
///
/// A handle is cheap to clone, and clones share everything: settings, environment, the cache of
/// tokens and the connection pools. It can be used from any thread, from async code under any
/// runtime, and from plain blocking code. Dropping the future of a call cancels that call and no
/// other.
///
/// In a child of `fork` a handle opens itself again on first use, with the settings that it was
/// opened with.
#[derive(Clone)]
pub struct Vaultlet {
    process: Arc<PerProcess<Process>>,
    identity: Option<UserAssigned>,
    timeout: Option<Duration>,
    cancel: Option<Cancel>,
}

impl fmt::Debug for Vaultlet {
    // A handle holds settings, variables and tokens.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Vaultlet")
    }
}

impl Vaultlet {
    pub(super) fn open(settings: Settings) -> Result<Self, Error> {
        let process = Arc::new(PerProcess::new(|| Process::open(settings))?);
        Ok(Self { process, identity: None, timeout: None, cancel: None })
    }

    /// Returns a clone of the handle that uses another user-assigned managed identity. The cache
    /// keeps the tokens of different identities apart.
    pub fn with_identity(&self, identity: UserAssigned) -> Self {
        Self { identity: Some(identity), ..self.clone() }
    }

    /// Returns a clone of the handle whose calls may take this long, in place of
    /// [`Builder::timeout`].
    ///
    /// [`Builder::timeout`]: crate::Builder::timeout
    pub fn with_timeout(&self, timeout: Duration) -> Self {
        Self { timeout: Some(timeout), ..self.clone() }
    }

    /// Returns a clone of the handle whose calls end when `cancel` is cancelled, with an error
    /// whose id is `cancelled`.
    pub fn with_cancel(&self, cancel: &Cancel) -> Self {
        Self { cancel: Some(cancel.clone()), ..self.clone() }
    }

    /// Gets a secret by its reference: `akv://<vault>/<name>[/<version>][?json=<pointer>]`, the
    /// secret's URL, or `@Microsoft.KeyVault(…)`.
    ///
    /// The first secret of a vault takes two HTTP requests (a token, the secret), each further one
    /// takes one.
    pub async fn get(&self, reference: &str) -> Result<Secret, Error> {
        const DOING: &str = "getting a secret";
        let task = self.start_get(DOING, reference)?;
        self.finish(DOING, task).await
    }

    /// [`Vaultlet::get`] for code that is not async. The call blocks the thread, so that it must not be made
    /// on a thread that runs async tasks.
    pub fn get_blocking(&self, reference: &str) -> Result<Secret, Error> {
        block_on(self.get(reference))
    }

    /// Gets several secrets at once. Returns them in the order of the references, or the first
    /// error.
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

    /// [`Vaultlet::get_many`] for code that is not async. The call blocks the thread.
    pub fn get_many_blocking<R: AsRef<str>>(&self, references: &[R]) -> Result<Vec<Secret>, Error> {
        block_on(self.get_many(references))
    }

    /// Lists the secrets of a vault by name, disabled ones included, without their values. `vault`
    /// is a vault's name or host, `akv://<vault>`, or the vault's URL.
    ///
    /// Items have no version; their other properties are those of the latest version. One HTTP
    /// request lists 25 secrets.
    pub async fn list(&self, vault: &str) -> Result<Vec<Properties>, Error> {
        self.list_all("listing secrets", Listed::Secrets(vault.to_owned())).await
    }

    /// [`Vaultlet::list`] for code that is not async. The call blocks the thread.
    pub fn list_blocking(&self, vault: &str) -> Result<Vec<Properties>, Error> {
        block_on(self.list(vault))
    }

    /// Lists the versions of a secret, the newest first, without their values. The reference has no
    /// version and no `json=`. If there is no such secret, the error is of kind
    /// [`NotFound`](crate::Kind::NotFound).
    pub async fn versions(&self, reference: &str) -> Result<Vec<Properties>, Error> {
        self.list_all("listing versions", Listed::Versions(reference.to_owned())).await
    }

    /// [`Vaultlet::versions`] for code that is not async. The call blocks the thread.
    pub fn versions_blocking(&self, reference: &str) -> Result<Vec<Properties>, Error> {
        block_on(self.versions(reference))
    }

    /// Gets a token from the cache, or by one request to the credential's source.
    pub async fn token(&self, request: TokenRequest) -> Result<Token, Error> {
        let identity = self.identity.clone();
        const DOING: &str = "getting a token";
        let task =
            self.start(DOING, |worker| async move { worker.token(request, identity).await })?;
        self.finish(DOING, task).await
    }

    /// [`Vaultlet::token`] for code that is not async. The call blocks the thread.
    pub fn token_blocking(&self, request: TokenRequest) -> Result<Token, Error> {
        block_on(self.token(request))
    }

    /// Returns what the credentials would read and which servers they would talk to, and the vault
    /// of a reference if one is given (`akv://<vault>` is enough). No network.
    pub async fn plan(&self, reference: Option<&str>) -> Result<Plan, Error> {
        let reference = reference.map(str::to_owned);
        let settings = self.process.current(Process::reopen)?.settings().clone();
        const DOING: &str = "making a plan";
        let task = self.start(DOING, |worker| async move {
            Plan::new(&worker.planner, &settings, reference.as_deref()).await
        })?;
        self.finish(DOING, task).await
    }

    /// [`Vaultlet::plan`] for code that is not async. The call blocks the thread.
    pub fn plan_blocking(&self, reference: Option<&str>) -> Result<Plan, Error> {
        block_on(self.plan(reference))
    }

    /// Runs a future on one of the handle's own threads, for bindings to other languages that call
    /// their callers back. The future must not block.
    pub fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) -> Result<(), Error> {
        self.worker()?.thread.handle().spawn(work);
        Ok(())
    }

    /// The component's settings, as variables.
    pub(crate) fn component_settings(&self) -> Result<Arc<[(String, String)]>, Error> {
        Ok(Arc::clone(&self.worker()?.settings))
    }

    pub(crate) fn planner(&self) -> Result<Arc<Planner>, Error> {
        Ok(Arc::clone(&self.worker()?.planner))
    }

    /// The front role with these variables besides the settings, and the runtime to serve it on.
    pub(crate) fn front(
        &self,
        variables: [(&str, &str); 3],
    ) -> Result<(Front, tokio::runtime::Handle), Error> {
        let worker = self.worker()?;
        Ok((worker.front(&variables), worker.thread.handle().clone()))
    }

    /// The time that a call may take.
    pub(crate) fn timeout(&self) -> Result<Duration, Error> {
        Ok(match self.timeout {
            Some(timeout) => timeout,
            None => self.process.current(Process::reopen)?.timeout(),
        })
    }

    #[cfg(feature = "plugins")]
    pub(crate) async fn resolve(&self, what: Subject) -> Result<Resolved, Error> {
        const DOING: &str = "resolving a reference";
        let task = self.start(DOING, |worker| async move { worker.resolve(&what).await })?;
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
        let task = self.start(DOING, |worker| async move {
            worker.list_page(&what, marker.as_deref(), identity).await
        })?;
        self.finish(DOING, task).await
    }

    fn start_get(&self, doing: &str, reference: &str) -> Result<Task<Secret>, Error> {
        let (identity, reference) = (self.identity.clone(), reference.to_owned());
        self.start(doing, |worker| async move { worker.get(&reference, identity).await })
    }

    async fn list_all(&self, doing: &str, what: Listed) -> Result<Vec<Properties>, Error> {
        let identity = self.identity.clone();
        let task = self.start(doing, |worker| async move { worker.list(what, identity).await })?;
        self.finish(doing, task).await
    }

    fn worker(&self) -> Result<Arc<Worker>, Error> {
        self.process.current(Process::reopen)?.worker()
    }

    fn start<T: Send + 'static, F: Future<Output = Result<T, Error>> + Send + 'static>(
        &self,
        doing: &str,
        call: impl FnOnce(Arc<Worker>) -> F,
    ) -> Result<Task<T>, Error> {
        fail_if_cancelled(doing, self.cancel.as_ref())?;
        let limit = self.timeout()?;
        let worker = self.worker()?;
        Ok(Task::start(&worker.thread, limit, call(Arc::clone(&worker))))
    }

    async fn finish<T: Send + 'static>(&self, doing: &str, task: Task<T>) -> Result<T, Error> {
        let help = "allow more by `--timeout` (`VAULTLET_TIMEOUT`), or look at what is slow";
        task.finish(doing, self.cancel.as_ref(), help).await
    }
}
