//! The handle: from a reference to a secret.

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_lite::future::block_on;
use zeroize::Zeroizing;

use crate::authority::Authority;
use crate::bindings::exports::vaultlet::keyvault::credentials::TokenRequest as WitTokenRequest;
use crate::bindings::exports::vaultlet::keyvault::types::UserAssigned as WitUserAssigned;
use crate::broker::Broker;
use crate::component::Loaded;
use crate::epoch::Epoch;
use crate::error::{Error, Kind};
use crate::grant::Grant;
use crate::http::{Client, Transport, client_config};
use crate::identity::{self, IdentityEndpoint};
use crate::lend::Front;
use crate::level::Level;
use crate::limits;
use crate::plan::{Plan, trapped};
use crate::secret::{Secret, Token};
use crate::settings::Settings;
use crate::shard::Shard;
use crate::{Builder, TokenRequest, UserAssigned};

/// Gets secrets and tokens. Cheap to clone; clones share everything: one set of settings, one
/// environment, one cache of tokens, one pool of connections.
///
/// Usable from any thread, from async code under any runtime, and from plain blocking code.
/// Dropping a call's future cancels that call and no other.
#[derive(Clone)]
pub struct Vaultlet {
    shared: Arc<Shared>,
    identity: Option<UserAssigned>,
}

struct Shared {
    engines: Vec<Arc<Engine>>,
    timeout: Duration,
}

/// What runs on one thread.
struct Engine {
    shard: Shard,
    plan: Arc<Plan>,
    level: Arc<Level>,
    client: Arc<Client>,
    identity: Arc<IdentityEndpoint>,
    settings: Arc<[(String, String)]>,
    /// One grant for each vault, most recent last.
    grants: Mutex<Vec<(Option<Authority>, Arc<Grant>)>>,
    /// References that were resolved, for programs that ask for the same again and again.
    resolved: Mutex<HashMap<String, Authority>>,
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

    pub(crate) fn open(settings: &Settings) -> Result<Self, Error> {
        let timeout = settings.timeout()?;
        let concurrency = settings.concurrency();
        let brokers = concurrency.min(limits::BROKERS_MAX);
        let plans = concurrency.min(limits::PLANS_MAX);
        let transport = Arc::new(Transport {
            tls: client_config(
                settings.environment.get("SSL_CERT_FILE").map(PathBuf::from).as_deref(),
                &settings.ca_files(),
            )?,
            overrides: settings.overrides()?,
            proxy: settings.proxy()?,
        });
        let shards = (0..threads(concurrency)).map(|_| Shard::start());
        let shards = shards.collect::<Result<Vec<_>, _>>()?;
        let each = concurrency.div_ceil(shards.len());
        let loaded =
            Loaded::new(settings.component.as_deref(), each * shards.len() + brokers + plans)?;
        let loaded = Arc::new(loaded);
        let epoch = Epoch::start(loaded.engine.clone())?;
        let level = |size| Level::new(Arc::clone(&loaded), Arc::clone(&epoch), size);
        let plan = Arc::new(Plan { level: level(plans), nothing: Arc::default() });
        let of_guest: Arc<[_]> = settings.of_guest().into();
        let mut engines: Vec<Arc<Engine>> = Vec::with_capacity(shards.len());
        for shard in shards {
            let client = {
                let _inside = shard.handle().enter();
                Arc::new(Client::new(Arc::clone(&transport)))
            };
            let identity = match engines.first() {
                Some(first) => Arc::clone(&first.identity),
                // Flights are the first thread's.
                None => {
                    let broker = Broker::new(level(brokers), &plan, settings, &client);
                    let flight = timeout.max(limits::FLIGHT);
                    let runtime = shard.handle().clone();
                    Arc::new(IdentityEndpoint::new(block_on(broker)?, runtime, flight))
                }
            };
            engines.push(Arc::new(Engine {
                shard,
                plan: Arc::clone(&plan),
                level: level(each),
                client,
                identity,
                settings: Arc::clone(&of_guest),
                grants: Mutex::default(),
                resolved: Mutex::default(),
            }));
        }
        Ok(Self { shared: Arc::new(Shared { engines, timeout }), identity: None })
    }

    /// The same handle for another user-assigned managed identity; the cache keeps them apart.
    pub fn with_identity(&self, identity: UserAssigned) -> Self {
        Self { shared: Arc::clone(&self.shared), identity: Some(identity) }
    }

    /// Gets a secret: two requests for the first of a vault, one for each further one.
    pub async fn get(&self, reference: &str) -> Result<Secret, Error> {
        let task = self.start_get(reference)?;
        self.finish("getting a secret", task).await
    }

    /// [`Vaultlet::get`] for code that is not async. It must not be called on a thread that runs
    /// async tasks, as it blocks.
    pub fn get_blocking(&self, reference: &str) -> Result<Secret, Error> {
        block_on(self.get(reference))
    }

    /// Gets several secrets at once, in their order: all, or the first error.
    pub async fn get_all<R: AsRef<str>>(&self, references: &[R]) -> Result<Vec<Secret>, Error> {
        let started = references.iter().map(|reference| self.start_get(reference.as_ref()));
        let started = started.collect::<Result<Vec<_>, _>>()?;
        let mut secrets = Vec::with_capacity(started.len());
        for task in started {
            secrets.push(self.finish("getting secrets", task).await?);
        }
        Ok(secrets)
    }

    /// Gets a token. One request, unless the cache has it.
    pub async fn token(&self, request: TokenRequest) -> Result<Token, Error> {
        let identity = self.identity.clone();
        let engine = self.engine()?;
        let on = Arc::clone(&engine);
        let task = self.start(&engine, async move { on.token(request, identity).await });
        self.finish("getting a token", task).await
    }

    /// [`Vaultlet::token`] for code that is not async; it blocks the thread.
    pub fn token_blocking(&self, request: TokenRequest) -> Result<Token, Error> {
        block_on(self.token(request))
    }

    pub(crate) fn plan(&self) -> Result<Arc<Plan>, Error> {
        Ok(Arc::clone(&self.engine()?.plan))
    }

    /// What answers lent requests, with these variables besides the settings, and where it runs.
    pub(crate) fn front(
        &self,
        variables: [(&str, &str); 3],
    ) -> Result<(Front, tokio::runtime::Handle), Error> {
        let engine = self.engine()?;
        let grant = engine.new_grant(None, &variables);
        let front = Front { level: Arc::clone(&engine.level), grant, timeout: self.shared.timeout };
        Ok((front, engine.shard.handle().clone()))
    }

    fn start_get(&self, reference: &str) -> Result<Task<Secret>, Error> {
        let (identity, reference) = (self.identity.clone(), reference.to_owned());
        let engine = self.engine()?;
        let on = Arc::clone(&engine);
        Ok(self.start(&engine, async move { on.get(&reference, identity).await }))
    }

    /// The thread with the fewest calls; of equals the first, whose connections are warm.
    fn engine(&self) -> Result<Arc<Engine>, Error> {
        let engines = self.shared.engines.iter();
        let least = engines.min_by_key(|engine| engine.shard.calls());
        least.cloned().ok_or_else(|| Error::internal("starting a call: there is no thread"))
    }

    fn start<T: Send + 'static>(
        &self,
        engine: &Engine,
        call: impl Future<Output = Result<T, Error>> + Send + 'static,
    ) -> Task<T> {
        let limit = self.shared.timeout;
        Task(engine.shard.spawn(async move { tokio::time::timeout(limit, call).await }))
    }

    async fn finish<T>(&self, doing: &str, mut task: Task<T>) -> Result<T, Error> {
        match (&mut task.0).await {
            Ok(Ok(result)) => result,
            Ok(Err(_elapsed)) => Err(Error::new(
                Kind::Timeout,
                "timeout",
                format!("{doing}: not done within {} s", self.shared.timeout.as_secs_f64()),
                "allow more with `--timeout`, or see with `--log info` what is slow",
            )),
            Err(_) => Err(Error::internal(format!("{doing}: the call panicked"))),
        }
    }
}

/// A call on the engine's runtime, cancelled when nobody waits for it any more.
struct Task<T>(tokio::task::JoinHandle<Result<Result<T, Error>, tokio::time::error::Elapsed>>);

impl<T> Drop for Task<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Engine {
    async fn get(&self, reference: &str, identity: Option<UserAssigned>) -> Result<Secret, Error> {
        let grant = self.grant(Some(self.resolve(reference).await?));
        let mut lease = self.level.lease(&grant).await?;
        let (store, provider) = lease.parts();
        let secrets = provider.vaultlet_keyvault_secrets();
        let identity = identity.map(Into::into);
        let got = secrets.call_get(&mut *store, reference, identity.as_ref()).await;
        let result = match got.map_err(|e| trapped(&e))? {
            Ok(handle) => {
                // Revealed and dropped within this lease: no handle leaves it.
                let secret = secrets.secret();
                let properties = secret.call_properties(&mut *store, handle).await;
                let value = secret.call_reveal(&mut *store, handle).await;
                let value = Zeroizing::new(value.map_err(|e| trapped(&e))?);
                handle.resource_drop_async(&mut *store).await.map_err(|e| trapped(&e))?;
                Ok(Secret::new(properties.map_err(|e| trapped(&e))?, value))
            }
            Err(error) => Err(Error::from(error).with_cause(store.data().take_failure())),
        };
        lease.keep();
        result
    }

    async fn resolve(&self, reference: &str) -> Result<Authority, Error> {
        let resolved = || self.resolved.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(authority) = resolved().get(reference) {
            return Ok(authority.clone());
        }
        let authority = self.plan.resolve(reference, &self.settings).await?;
        let mut resolved = resolved();
        if resolved.len() >= limits::REFERENCES_KEPT {
            resolved.clear();
        }
        resolved.insert(reference.to_owned(), authority.clone());
        Ok(authority)
    }

    async fn token(
        &self,
        request: TokenRequest,
        identity: Option<UserAssigned>,
    ) -> Result<Token, Error> {
        let mut lease = self.level.lease(&self.grant(None)).await?;
        let (store, provider) = lease.parts();
        let credentials = provider.vaultlet_keyvault_credentials();
        let request = WitTokenRequest {
            resource: request.resource,
            tenant: request.tenant,
            claims: request.claims,
            identity: identity.map(Into::into),
        };
        let got = credentials.call_get_token(&mut *store, &request).await;
        let result = match got.map_err(|e| trapped(&e))? {
            Ok(handle) => {
                let token = credentials.token();
                let properties = token.call_properties(&mut *store, handle).await;
                let holder = token.call_holder(&mut *store, handle).await;
                let value = token.call_reveal(&mut *store, handle).await;
                let value = Zeroizing::new(value.map_err(|e| trapped(&e))?);
                handle.resource_drop_async(&mut *store).await.map_err(|e| trapped(&e))?;
                let properties = properties.map_err(|e| trapped(&e))?;
                Ok(Token::new(properties, holder.map_err(|e| trapped(&e))?, value))
            }
            Err(error) => Err(Error::from(error).with_cause(store.data().take_failure())),
        };
        lease.keep();
        result
    }

    /// The vault role's grant: its vault, the identity endpoint, and the settings.
    fn grant(&self, vault: Option<Authority>) -> Arc<Grant> {
        let mut grants = self.grants.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, grant)) = grants.iter().find(|(v, _)| *v == vault) {
            return Arc::clone(grant);
        }
        let grant = self.new_grant(vault.as_ref(), &[]);
        if grants.len() >= limits::VAULTS_KEPT {
            grants.remove(0);
        }
        grants.push((vault, Arc::clone(&grant)));
        grant
    }

    fn new_grant(&self, vault: Option<&Authority>, more: &[(&str, &str)]) -> Arc<Grant> {
        let mut variables = self.settings.to_vec();
        let endpoint = format!("http://{}/token", identity::HOST);
        variables.push(("VAULTLET_IDENTITY_ENDPOINT".into(), endpoint));
        variables.extend(more.iter().map(|(name, value)| ((*name).into(), (*value).into())));
        Arc::new(Grant {
            variables,
            authorities: vault.into_iter().cloned().collect(),
            client: Some(Arc::clone(&self.client)),
            identity: Some(Arc::clone(&self.identity)),
            ..Grant::default()
        })
    }
}

/// Two are enough to keep a machine's network busy; a training job needs the rest itself.
fn threads(concurrency: usize) -> usize {
    if concurrency == 1 {
        return 1;
    }
    std::thread::available_parallelism().map_or(1, |n| n.get().min(2))
}

impl From<UserAssigned> for WitUserAssigned {
    fn from(identity: UserAssigned) -> Self {
        match identity {
            UserAssigned::ClientId(id) => Self::ClientId(id),
            UserAssigned::ObjectId(id) => Self::ObjectId(id),
            UserAssigned::ResourceId(id) => Self::ResourceId(id),
        }
    }
}
