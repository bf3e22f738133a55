//! What a handle has in one process: the component, what its roles share, and threads for callers that
//! do not wait.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::call::Call;
use crate::error::Error;
use crate::grant::Role;
use crate::instance::{Allocation, Loaded, Pool, Ticker};
use crate::internal::IdentityEndpoint;
use crate::limits;
use crate::net::{Client, Transport, client_config};
use crate::role::{Broker, Planner};
use crate::settings::Settings;
use crate::system::timer;

use super::operations::Operations;
use super::source::{Expire, Source};
use super::threads::Threads;

pub(super) struct Process {
    timeout: Duration,
    pub(super) source: Arc<Source>,
    pub(super) threads: Threads,
}

impl Process {
    pub(super) fn open(settings: Settings) -> Result<Self, Error> {
        let timeout = settings.timeout();
        // A call that waits for an instance keeps its thread.
        let threads = Threads::new(settings.concurrency() + limits::THREADS_WAITING);
        let source = Arc::new(Source::open(settings, Arc::new(threads.expiry()))?);
        Ok(Self { timeout, source, threads })
    }

    /// Opens the handle again, with the settings that it was opened with.
    pub(super) fn reopen(&self) -> Result<Self, Error> {
        Self::open(self.source.settings().clone())
    }

    /// Looks after calls that wait for a thread, as the component's ticks do where it is loaded.
    pub(super) fn watch(&self) {
        if self.source.loaded().is_none() {
            let expire = self.source.expire();
            self.threads.watch(move || expire());
        }
    }

    pub(super) fn settings(&self) -> &Settings {
        self.source.settings()
    }

    pub(super) fn timeout(&self) -> Duration {
        self.timeout
    }
}

/// Loads the component, and makes what its roles share. `expire` ends calls that wait too long for a thread.
pub(super) fn load(settings: &Settings, expire: Expire) -> Result<Operations, Error> {
    let timeout = settings.timeout();
    let concurrency = settings.concurrency();
    let [vaults, brokers, planners] =
        [Role::Vault, Role::Broker, Role::Planner].map(|role| role.instances(concurrency));
    let client = Arc::new(Client::new(Transport {
        tls: client_config(
            settings.environment.path("SSL_CERT_FILE").as_deref(),
            &settings.ca_files(),
        )?,
        overrides: settings.overrides()?,
        proxies: settings.proxies()?,
        rate: settings.rate,
    }));
    crate::phases::mark("TLS configured");
    // With one call at a time there is little to reserve memory for, and no other call to wait
    // for a token.
    let is_for_one = concurrency == 1;
    let allocation = match is_for_one {
        true => Allocation::OnDemand,
        false => Allocation::Pool(vaults + brokers + planners),
    };
    let loaded = Arc::new(Loaded::new(settings.component.as_deref(), allocation)?);
    let is_one_shot = settings.is_one_shot && settings.component.is_none();
    let ticker = if is_one_shot && timer::IS_THERE {
        Ticker::of_process(&loaded.engine)?
    } else {
        let idle = Arc::downgrade(&client);
        Ticker::start(loaded.engine.clone(), move || {
            expire();
            idle.upgrade().and_then(|client| client.close_idle())
        })?
    };
    let pool = |size| Pool::new(Arc::clone(&loaded), Arc::clone(&ticker), size);
    let planner = Planner::new(pool(planners));
    let call = Arc::new(Call::new("opening", timeout, None));
    let broker = Broker::new(pool(brokers), &planner, settings, &client, &call)?;
    let limit = timeout.max(limits::TOKEN_REQUEST);
    Ok(Operations {
        planner,
        pool: pool(vaults),
        client,
        identity: Arc::new(IdentityEndpoint::new(Arc::new(broker), limit, is_for_one)),
        prepares: is_one_shot || settings.connects_early,
        settings: settings.component_variables()?,
        known: Mutex::default(),
    })
}
