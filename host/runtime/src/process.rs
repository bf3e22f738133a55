//! A handle's engines, and what becomes of them in a child of `fork`: there none of their threads
//! exists and any of their locks may be held, so they are never touched again, and the handle opens
//! itself anew.

use std::cell::RefCell;
use std::mem::ManuallyDrop;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, Once, OnceLock, PoisonError};
use std::time::Duration;

use futures_lite::future::block_on;

use crate::broker::Broker;
use crate::component::Loaded;
use crate::engine::Engine;
use crate::epoch::Epoch;
use crate::error::Error;
use crate::http::{Client, Transport, client_config};
use crate::identity::IdentityEndpoint;
use crate::level::Level;
use crate::limits;
use crate::plan::Plan;
use crate::settings::Settings;
use crate::shard::Shard;

/// What a handle is in one process.
pub(crate) struct Process {
    id: u32,
    settings: Settings,
    timeout: Duration,
    engines: ManuallyDrop<Vec<Arc<Engine>>>,
    /// The same in a child of this one.
    child: OnceLock<Box<Process>>,
}

impl Process {
    pub(crate) fn open(settings: Settings) -> Result<Self, Error> {
        let _no_fork = Opening::begin();
        Self::open_alone(settings)
    }

    fn open_alone(settings: Settings) -> Result<Self, Error> {
        let timeout = settings.timeout()?;
        let engines = ManuallyDrop::new(engines(&settings, timeout)?);
        Ok(Self { id: std::process::id(), settings, timeout, engines, child: OnceLock::new() })
    }

    /// That of the process that asks.
    pub(crate) fn here(&self) -> Result<&Self, Error> {
        if self.id == std::process::id() {
            return Ok(self);
        }
        if self.child.get().is_none() {
            let _no_fork = Opening::begin();
            if self.child.get().is_none() {
                let opened = Self::open_alone(self.settings.clone())?;
                // Nobody else is opening.
                let _ = self.child.set(Box::new(opened));
            }
        }
        let Some(child) = self.child.get() else {
            return Err(Error::internal("opening a handle after `fork`: it was not kept"));
        };
        // There may have been several forks since.
        child.here()
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.settings
    }

    pub(crate) fn timeout(&self) -> Duration {
        self.timeout
    }

    /// The thread with the fewest calls; of equals the first, whose connections are warm.
    pub(crate) fn engine(&self) -> Result<Arc<Engine>, Error> {
        let least = self.engines.iter().min_by_key(|engine| engine.shard.calls());
        least.cloned().ok_or_else(|| Error::internal("starting a call: there is no thread"))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.id == std::process::id() {
            // SAFETY: it is not used after this.
            #[allow(unsafe_code, reason = "in a child of `fork` it must not be dropped")]
            unsafe {
                ManuallyDrop::drop(&mut self.engines);
            }
        }
    }
}

fn engines(settings: &Settings, timeout: Duration) -> Result<Vec<Arc<Engine>>, Error> {
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
    let loaded = Loaded::new(settings.component.as_deref(), each * shards.len() + brokers + plans)?;
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
    Ok(engines)
}

/// Two are enough to keep a machine's network busy; a training job needs the rest itself.
fn threads(concurrency: usize) -> usize {
    if concurrency == 1 {
        return 1;
    }
    std::thread::available_parallelism().map_or(1, |n| n.get().min(2))
}

/// One handle is opened at a time, and no process forks meanwhile: what loads code holds locks of
/// the whole process, which a child would never see opened.
pub(crate) struct Opening;

static OPENING: Mutex<()> = Mutex::new(());

thread_local! {
    static FORKING: RefCell<Option<MutexGuard<'static, ()>>> = const { RefCell::new(None) };
}

impl Opening {
    pub(crate) fn begin() -> MutexGuard<'static, ()> {
        static WATCHED: Once = Once::new();
        WATCHED.call_once(|| {
            // SAFETY: the three functions take and give back a lock, and call nothing of the caller's.
            #[allow(unsafe_code, reason = "there is no safe way to hear of a fork")]
            unsafe {
                libc::pthread_atfork(Some(before_fork), Some(after_fork), Some(after_fork));
            }
        });
        OPENING.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

extern "C" fn before_fork() {
    let lock = OPENING.lock().unwrap_or_else(PoisonError::into_inner);
    let _ = FORKING.try_with(|held| held.borrow_mut().replace(lock));
}

extern "C" fn after_fork() {
    let _ = FORKING.try_with(|held| held.borrow_mut().take());
}
