//! The agent's server: unix sockets and ports on which the programs of a node ask for secrets.
//!
//! HTTP/1.1 by hyper. Connections are hostile until the kernel, or a token, says whose they are: their number, the
//! sizes of what they send and their times are limited in `limits`.

mod asker;
mod body;
mod limits;
mod listen;
pub mod manager;
mod metrics;
mod peer;
mod places;
mod refusal;
mod request;
mod respond;
mod rules;
mod serve;
mod status;
mod stream;
mod system;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use tokio::runtime::Runtime;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;
use vaultlet_core::settings::Settings;
use vaultlet_host::{Error, User, Vaultlet, exhausted};

use crate::cache::{Cache, CacheSettings};

pub use listen::Listener;
pub use rules::RuleSources;

use listen::SocketFile;
use metrics::{Metrics, unix_seconds};
use places::Places;
use rules::Rules;
use serve::Accepting;
use status::{Status, Upstream};

/// What an agent gives out, and by which rules.
#[derive(Debug)]
pub struct Agent {
    /// How long secrets are kept.
    pub cache: CacheSettings,
    /// The handle that the secrets come from.
    pub vaultlet: Vaultlet,
    /// The settings by which references are read: the handle's.
    pub settings: Settings,
    /// The rules.
    pub rules: Loaded,
    /// The version of the program.
    pub version: &'static str,
}

/// Rules that were read, and where they come from.
pub struct Loaded {
    sources: RuleSources,
    rules: Rules,
}

/// An agent that serves. Dropping it ends it at once.
pub struct Server {
    state: Arc<State>,
    /// Serves one listener each.
    tasks: Vec<JoinHandle<()>>,
    sources: RuleSources,
    files: Vec<SocketFile>,
    runtime: Option<Runtime>,
}

/// What all connections share.
struct State {
    cache: Cache<Vaultlet>,
    vaultlet: Vaultlet,
    settings: Settings,
    rules: RwLock<Arc<Rules>>,
    metrics: Metrics,
    places: Arc<Places>,
    /// Whether the agent was asked to end.
    stopping: watch::Sender<bool>,
    version: &'static str,
    started: SystemTime,
    /// Whether the program at the other end of a connection matters.
    needs_programs: bool,
    /// Turns of requests for many secrets: while the processor works on one of them, it works on those for one, too.
    turns: Semaphore,
    /// The users who have asked, by their ids: their names are looked up once.
    users: Mutex<HashMap<u32, User>>,
}

impl Loaded {
    /// Reads the rules.
    pub fn read(sources: RuleSources) -> Result<Self, Error> {
        let rules = sources.read()?;
        Ok(Self { sources, rules })
    }

    /// Whether other users than our own may ask.
    pub fn names_other_users(&self) -> bool {
        !self.rules.other_users.is_empty()
    }
}

impl std::fmt::Debug for Loaded {
    // The token is in it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Loaded({:?})", self.sources)
    }
}

impl Server {
    /// Serves on these listeners. A runtime of the server's own does the work, so that this must not be called on
    /// one that runs async tasks.
    pub fn start(agent: Agent, mut listeners: Vec<Listener>) -> Result<Self, Error> {
        const DOING: &str = "starting the agent";
        let failed = |error: std::io::Error| {
            exhausted(DOING, &error).unwrap_or_else(|| {
                let help = "check the limits of this process";
                Error::new(
                    vaultlet_host::Kind::Internal,
                    "internal",
                    format!("{DOING}: {error}"),
                    help,
                )
            })
        };
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(workers())
            .thread_name("vaultlet-agent")
            .enable_io()
            .enable_time()
            .build()
            .map_err(failed)?;
        let started = SystemTime::now();
        let Agent { cache, vaultlet, settings, rules: Loaded { sources, rules }, version } = agent;
        let entered = runtime.enter();
        let state = Arc::new(State {
            cache: Cache::new(vaultlet.clone(), cache),
            vaultlet,
            settings,
            rules: RwLock::new(Arc::new(rules)),
            metrics: Metrics::new(started),
            places: Places::new(serve::most_connections()),
            stopping: watch::Sender::new(false),
            version,
            started,
            needs_programs: sources.needs_programs(),
            turns: Semaphore::new(1),
            users: Mutex::default(),
        });
        let files = listeners.iter_mut().filter_map(Listener::take_file).collect();
        let accepting = listeners.into_iter().map(Accepting::new);
        let accepting = accepting.collect::<Result<Vec<_>, _>>().map_err(failed)?;
        let spawn = |accepting| runtime.spawn(serve::serve(accepting, Arc::clone(&state)));
        let tasks = accepting.into_iter().map(spawn).collect();
        drop(entered);
        Ok(Self { state, tasks, sources, files, runtime: Some(runtime) })
    }

    /// Reads policy and token again, and asks for all secrets anew. What cannot be read stays as it was: these errors
    /// say so.
    pub fn reload(&self) -> Vec<Error> {
        let (rules, mut errors) = self.sources.read_again(&self.state.rules());
        let is_open = !rules.other_users.is_empty();
        *self.state.rules.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(rules);
        for file in &self.files {
            errors.extend(file.open_to_others(is_open).err());
        }
        let _runtime = self.runtime.as_ref().map(Runtime::enter);
        self.state.cache.refresh_all();
        errors
    }

    /// Takes no more connections, answers what was asked, and ends; at the latest after this time.
    pub fn stop(mut self, within: Duration) {
        // A client that comes now finds no agent, instead of one that does not answer.
        self.files.clear();
        self.state.stopping.send_replace(true);
        let (tasks, runtime) = (std::mem::take(&mut self.tasks), self.runtime.take());
        let Some(runtime) = runtime else { return };
        let ended = async {
            for task in tasks {
                let _ = task.await;
            }
        };
        runtime.block_on(async {
            let _ = tokio::time::timeout(within, ended).await;
        });
        runtime.shutdown_background();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Server")
    }
}

impl State {
    fn rules(&self) -> Arc<Rules> {
        Arc::clone(&self.rules.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// A user who is answered, of whom there are few.
    fn user(&self, id: u32) -> User {
        let mut users = self.users.lock().unwrap_or_else(PoisonError::into_inner);
        users.entry(id).or_insert_with(|| User::with_id(id)).clone()
    }

    fn status(&self) -> Status {
        let (counts, traffic) = (self.cache.counts(), self.vaultlet.traffic());
        Status {
            version: self.version,
            started: unix_seconds(self.started),
            secrets: counts.secrets,
            stale: counts.stale,
            upstream: Upstream { requests: traffic.requests, throttled: traffic.throttled },
            denied: self.metrics.denied.get(),
        }
    }
}

/// Threads that serve connections: a secret from the cache takes microseconds, and the rest of the node has work to
/// do.
fn workers() -> usize {
    let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    processors.clamp(limits::WORKERS_MIN, limits::WORKERS)
}
