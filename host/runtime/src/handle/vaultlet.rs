//! The handle's calls, each in two forms: one that runs on its caller's thread, and one that is a
//! future over a thread of the handle.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use crate::bindings::exports::vaultlet::keyvault::types::Listed;
use crate::call::{Call, Cancel, Slot, Watch};
use crate::error::Error;
use crate::secret::{Properties, Secret};
use crate::settings::Settings;
use crate::token::{Token, TokenRequest, UserAssigned};

#[cfg(feature = "plugins")]
use crate::bindings::exports::vaultlet::keyvault::types::Page;

use super::fork::PerProcess;
use super::pending::Pending;
use super::plan::Plan;
use super::process::Process;
use super::source::{Asker, Source};
use super::threads::Job;

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
    pub(super) identity: Option<UserAssigned>,
    /// Whether the agent is not asked, though there is one.
    pub(super) is_direct: bool,
    timeout: Option<Duration>,
    cancel: Option<Cancel>,
    watch: Option<Watch>,
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
        let (identity, is_direct) = (None, false);
        Ok(Self { process, identity, is_direct, timeout: None, cancel: None, watch: None })
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

    /// Returns a clone of the handle whose blocking calls call `watch` every 25 ms while they wait,
    /// and are cancelled when it returns `false`: for languages whose signals are handled by code of
    /// their own.
    #[doc(hidden)]
    pub fn with_watch(&self, watch: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        Self { watch: Some(Arc::new(watch)), ..self.clone() }
    }

    pub(super) fn asker(&self) -> Asker {
        Asker { identity: self.identity.clone(), is_direct: self.is_direct }
    }

    /// The handle without its agent.
    pub(super) fn directly(&self) -> Self {
        Self { is_direct: true, ..self.clone() }
    }

    /// Gets a secret by its reference: `akv://<vault>/<name>[/<version>][?json=<pointer>]`, the
    /// secret's URL, or `@Microsoft.KeyVault(…)`.
    ///
    /// The first secret of a vault takes two HTTP requests (a token, the secret), each further one
    /// takes one.
    pub async fn get(&self, reference: &str) -> Result<Secret, Error> {
        self.pending(GETTING, self.get_work(reference))?.await
    }

    /// [`Vaultlet::get`] for code that is not async. The call runs on this thread and blocks it, so
    /// that it must not be made on a thread that runs async tasks.
    pub fn get_blocking(&self, reference: &str) -> Result<Secret, Error> {
        self.block(GETTING, |source, call| source.get(reference, &self.asker(), call))
    }

    /// [`Vaultlet::get`] on a thread of the handle, which then calls `then` once.
    #[doc(hidden)]
    pub fn get_then(
        &self,
        reference: &str,
        then: impl FnOnce(Result<Secret, Error>) + Send + 'static,
    ) {
        let _ = self.start(GETTING, self.get_work(reference), then);
    }

    /// Lists the secrets of a vault by name, disabled ones included, without their values. `vault`
    /// is a vault's name or host, `akv://<vault>`, or the vault's URL.
    ///
    /// Items have no version; their other properties are those of the latest version. One HTTP
    /// request lists 25 secrets.
    pub async fn list(&self, vault: &str) -> Result<Vec<Properties>, Error> {
        self.pending(LISTING, self.list_work(Listed::Secrets(vault.to_owned())))?.await
    }

    /// [`Vaultlet::list`] for code that is not async. The call blocks the thread.
    pub fn list_blocking(&self, vault: &str) -> Result<Vec<Properties>, Error> {
        self.block(LISTING, self.list_work(Listed::Secrets(vault.to_owned())))
    }

    /// [`Vaultlet::list`] on a thread of the handle, which then calls `then` once.
    #[doc(hidden)]
    pub fn list_then(
        &self,
        vault: &str,
        then: impl FnOnce(Result<Vec<Properties>, Error>) + Send + 'static,
    ) {
        let _ = self.start(LISTING, self.list_work(Listed::Secrets(vault.to_owned())), then);
    }

    /// Lists the versions of a secret, the newest first, without their values. The reference has no
    /// version and no `json=`. If there is no such secret, the error is of kind
    /// [`NotFound`](crate::Kind::NotFound).
    pub async fn versions(&self, reference: &str) -> Result<Vec<Properties>, Error> {
        self.pending(VERSIONS, self.list_work(Listed::Versions(reference.to_owned())))?.await
    }

    /// [`Vaultlet::versions`] for code that is not async. The call blocks the thread.
    pub fn versions_blocking(&self, reference: &str) -> Result<Vec<Properties>, Error> {
        self.block(VERSIONS, self.list_work(Listed::Versions(reference.to_owned())))
    }

    /// [`Vaultlet::versions`] on a thread of the handle, which then calls `then` once.
    #[doc(hidden)]
    pub fn versions_then(
        &self,
        reference: &str,
        then: impl FnOnce(Result<Vec<Properties>, Error>) + Send + 'static,
    ) {
        let _ = self.start(VERSIONS, self.list_work(Listed::Versions(reference.to_owned())), then);
    }

    /// Gets a token from the cache, or by one request to the credential's source.
    pub async fn token(&self, request: TokenRequest) -> Result<Token, Error> {
        self.pending(TOKEN, self.token_work(request))?.await
    }

    /// [`Vaultlet::token`] for code that is not async. The call blocks the thread.
    pub fn token_blocking(&self, request: TokenRequest) -> Result<Token, Error> {
        self.block(TOKEN, self.token_work(request))
    }

    /// [`Vaultlet::token`] on a thread of the handle, which then calls `then` once.
    #[doc(hidden)]
    pub fn token_then(
        &self,
        request: TokenRequest,
        then: impl FnOnce(Result<Token, Error>) + Send + 'static,
    ) {
        let _ = self.start(TOKEN, self.token_work(request), then);
    }

    /// Returns what the credentials would read and which servers they would talk to, and the vault
    /// of a reference if one is given (`akv://<vault>` is enough). No network.
    pub async fn plan(&self, reference: Option<&str>) -> Result<Plan, Error> {
        self.pending(PLANNING, self.plan_work(reference)?)?.await
    }

    /// [`Vaultlet::plan`] for code that is not async. The call blocks the thread.
    pub fn plan_blocking(&self, reference: Option<&str>) -> Result<Plan, Error> {
        self.block(PLANNING, self.plan_work(reference)?)
    }

    /// [`Vaultlet::plan`] on a thread of the handle, which then calls `then` once.
    #[doc(hidden)]
    pub fn plan_then(
        &self,
        reference: Option<&str>,
        then: impl FnOnce(Result<Plan, Error>) + Send + 'static,
    ) {
        match self.plan_work(reference) {
            Ok(work) => drop(self.start(PLANNING, work, then)),
            Err(error) => then(Err(error)),
        }
    }

    #[cfg(feature = "plugins")]
    pub(crate) async fn list_page(
        &self,
        what: Listed,
        marker: Option<String>,
    ) -> Result<Page, Error> {
        let identity = self.identity.clone();
        let page = self.pending("listing a page", move |source, call| {
            source.operations()?.list_page(&what, marker.as_deref(), identity.as_ref(), call)
        });
        page?.await
    }

    pub(super) fn get_work(
        &self,
        reference: &str,
    ) -> impl FnOnce(&Source, &Arc<Call>) -> Result<Secret, Error> + use<> {
        let (asker, reference) = (self.asker(), reference.to_owned());
        move |source, call| source.get(&reference, &asker, call)
    }

    fn list_work(
        &self,
        what: Listed,
    ) -> impl FnOnce(&Source, &Arc<Call>) -> Result<Vec<Properties>, Error> + use<> {
        let identity = self.identity.clone();
        move |source, call| source.operations()?.list(&what, identity.as_ref(), call)
    }

    fn token_work(
        &self,
        request: TokenRequest,
    ) -> impl FnOnce(&Source, &Arc<Call>) -> Result<Token, Error> + use<> {
        let identity = self.identity.clone();
        move |source, call| source.operations()?.token(request, identity, call)
    }

    fn plan_work(
        &self,
        reference: Option<&str>,
    ) -> Result<impl FnOnce(&Source, &Arc<Call>) -> Result<Plan, Error> + use<>, Error> {
        let reference = reference.map(str::to_owned);
        let settings = self.current()?.settings().clone();
        Ok(move |source: &Source, call: &Arc<Call>| {
            let planner = &source.operations()?.planner;
            let plan = Plan::new(planner, &settings, reference.as_deref(), call)?;
            Ok(Plan { agent: source.place(), ..plan })
        })
    }

    /// Makes a call on this thread.
    pub(crate) fn block<T>(
        &self,
        doing: &'static str,
        work: impl FnOnce(&Source, &Arc<Call>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let process = self.current()?;
        let call = Arc::new(self.call(doing, process).with_watch(self.watch.clone()));
        call.check()?;
        call.span().ended(work(&process.source, &call))
    }

    /// Makes a call on a thread of the handle, as a future.
    pub(crate) fn pending<T: Send + 'static>(
        &self,
        doing: &'static str,
        work: impl FnOnce(&Source, &Arc<Call>) -> Result<T, Error> + Send + 'static,
    ) -> Result<Pending<T>, Error> {
        let process = self.current()?;
        let call = Arc::new(self.call(doing, process));
        call.check()?;
        let slot = Slot::default();
        let for_job = slot.clone();
        run(process, &call, work, move |result| for_job.set(result));
        Ok(Pending { slot, call })
    }

    /// Makes a call on a thread of the handle, which then calls `then` once. When the call cannot be
    /// started, this thread calls it.
    pub(super) fn start<T: Send + 'static>(
        &self,
        doing: &'static str,
        work: impl FnOnce(&Source, &Arc<Call>) -> Result<T, Error> + Send + 'static,
        then: impl FnOnce(Result<T, Error>) + Send + 'static,
    ) -> Option<Arc<Call>> {
        match self.current() {
            Ok(process) => {
                let call = Arc::new(self.call(doing, process));
                run(process, &call, work, then);
                Some(call)
            }
            Err(error) => {
                then(Err(error));
                None
            }
        }
    }

    fn call(&self, doing: &'static str, process: &Process) -> Call {
        let limit = self.timeout.unwrap_or_else(|| process.timeout());
        Call::new(doing, limit, self.cancel.as_ref()).traced()
    }

    /// The time that a call may take.
    pub(super) fn limit(&self) -> Result<Duration, Error> {
        Ok(self.timeout.unwrap_or(self.current()?.timeout()))
    }

    /// Begins a call that is none of the component's, and is cancelled as the handle's calls are unless
    /// it has a `Cancel` of its own.
    #[cfg(feature = "plugins")]
    pub(crate) fn other_call(
        &self,
        doing: &'static str,
        limit: Duration,
        cancel: Option<&Cancel>,
    ) -> Call {
        Call::new(doing, limit, cancel.or(self.cancel.as_ref())).with_watch(self.watch.clone())
    }

    pub(super) fn current(&self) -> Result<&Process, Error> {
        self.process.current(Process::reopen)
    }
}

const GETTING: &str = "getting a secret";
pub(super) const GETTING_MANY: &str = "getting secrets";
const LISTING: &str = "listing secrets";
const VERSIONS: &str = "listing versions";
const TOKEN: &str = "getting a token";
const PLANNING: &str = "making a plan";

fn run<T>(
    process: &Process,
    call: &Arc<Call>,
    work: impl FnOnce(&Source, &Arc<Call>) -> Result<T, Error> + Send + 'static,
    then: impl FnOnce(Result<T, Error>) + Send + 'static,
) {
    let (source, for_job) = (Arc::clone(&process.source), Arc::clone(call));
    let run = move |ready: Result<(), Error>| {
        let work = || for_job.span().ended(ready.and_then(|()| work(&source, &for_job)));
        let panicked = |_| Err(Error::internal("making a call: it panicked"));
        then(catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(panicked));
    };
    if process.threads.run(Job { call: Arc::clone(call), run: Box::new(run) }) {
        process.watch();
    }
}
