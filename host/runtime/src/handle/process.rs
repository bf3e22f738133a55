//! What a handle has in one process: the workers that its calls run on, and what the workers share.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_lite::future::block_on;

use crate::error::Error;
use crate::grant::Role;
use crate::instance::{Epoch, Loaded, Pool};
use crate::internal::IdentityEndpoint;
use crate::limits;
use crate::net::{Client, Transport, client_config};
use crate::role::{Broker, Planner};
use crate::settings::Settings;

use super::thread::RuntimeThread;
use super::worker::Worker;

pub(super) struct Process {
    settings: Settings,
    timeout: Duration,
    workers: Vec<Arc<Worker>>,
}

impl Process {
    pub(super) fn open(settings: Settings) -> Result<Self, Error> {
        let timeout = settings.timeout();
        let workers = start_workers(&settings, timeout)?;
        Ok(Self { settings, timeout, workers })
    }

    /// Opens the handle again, with the settings that it was opened with.
    pub(super) fn reopen(&self) -> Result<Self, Error> {
        Self::open(self.settings.clone())
    }

    pub(super) fn settings(&self) -> &Settings {
        &self.settings
    }

    pub(super) fn timeout(&self) -> Duration {
        self.timeout
    }

    /// The worker with the fewest calls; of equals the first, whose connections are warm.
    pub(super) fn worker(&self) -> Result<Arc<Worker>, Error> {
        let least = self.workers.iter().min_by_key(|worker| worker.thread.calls());
        least.cloned().ok_or_else(|| Error::internal("starting a call: there is no thread"))
    }
}

fn start_workers(settings: &Settings, timeout: Duration) -> Result<Vec<Arc<Worker>>, Error> {
    let concurrency = settings.concurrency();
    let brokers = Role::Broker.instances(concurrency);
    let planners = Role::Planner.instances(concurrency);
    let transport = Arc::new(Transport {
        tls: client_config(
            settings.environment.get("SSL_CERT_FILE").map(PathBuf::from).as_deref(),
            &settings.ca_files(),
        )?,
        overrides: settings.overrides()?,
        proxy: settings.proxy()?,
    });
    let threads = (0..thread_count(concurrency)).map(|_| RuntimeThread::start());
    let threads = threads.collect::<Result<Vec<_>, _>>()?;
    let each = Role::Vault.instances(concurrency).div_ceil(threads.len());
    let instances = each * threads.len() + brokers + planners;
    let loaded = Arc::new(Loaded::new(settings.component.as_deref(), instances)?);
    let epoch = Epoch::start(loaded.engine.clone())?;
    let pool = |size| Pool::new(Arc::clone(&loaded), Arc::clone(&epoch), size);
    let planner = Arc::new(Planner::new(pool(planners)));
    let component_settings: Arc<[_]> = settings.component_variables().into();
    let mut workers: Vec<Arc<Worker>> = Vec::with_capacity(threads.len());
    for thread in threads {
        let client = {
            let _runtime = thread.handle().enter();
            Arc::new(Client::new(Arc::clone(&transport)))
        };
        let identity = match workers.first() {
            Some(first) => Arc::clone(&first.identity),
            // Requests for tokens run on the first thread.
            None => {
                let broker = Broker::new(pool(brokers), &planner, settings, &client);
                let broker = Arc::new(block_on(broker)?);
                let limit = timeout.max(limits::TOKEN_REQUEST);
                Arc::new(IdentityEndpoint::new(broker, thread.handle().clone(), limit))
            }
        };
        workers.push(Arc::new(Worker {
            thread,
            planner: Arc::clone(&planner),
            pool: pool(each),
            client,
            identity,
            settings: Arc::clone(&component_settings),
            grants: Mutex::default(),
            vaults: Mutex::default(),
        }));
    }
    Ok(workers)
}

/// One thread for each processor, at most two: they keep a machine's network busy, and the rest of
/// the machine is left to the program.
fn thread_count(concurrency: usize) -> usize {
    if concurrency == 1 {
        return 1;
    }
    std::thread::available_parallelism().map_or(1, |n| n.get().min(2))
}
