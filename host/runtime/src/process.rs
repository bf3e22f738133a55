//! What a handle has in one process: threads, and what runs on them.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
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
use crate::planner::Planner;
use crate::settings::Settings;
use crate::shard::Shard;

/// What a handle is in one process.
pub(crate) struct Process {
    settings: Settings,
    timeout: Duration,
    engines: Vec<Arc<Engine>>,
}

impl Process {
    pub(crate) fn open(settings: Settings) -> Result<Self, Error> {
        let timeout = settings.timeout();
        let engines = engines(&settings, timeout)?;
        Ok(Self { settings, timeout, engines })
    }

    /// Another one, with the settings that this was opened with.
    pub(crate) fn anew(&self) -> Result<Self, Error> {
        Self::open(self.settings.clone())
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
    let planner = Arc::new(Planner { level: level(plans), nothing: Arc::default() });
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
                let broker = Broker::new(level(brokers), &planner, settings, &client);
                let flight = timeout.max(limits::FLIGHT);
                let runtime = shard.handle().clone();
                Arc::new(IdentityEndpoint::new(block_on(broker)?, runtime, flight))
            }
        };
        engines.push(Arc::new(Engine {
            shard,
            planner: Arc::clone(&planner),
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
