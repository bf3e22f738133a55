//! Many nodes that start at one moment: the agent's own cache and budget on each, under a clock that is moved and not
//! waited for, against one vault with Key Vault's limit.
//!
//! The vault serves 4,000 requests in any 10 s and answers 429 beyond that, without a time to wait; what it refuses
//! does not count. <https://learn.microsoft.com/azure/key-vault/general/overview-throttling>
//! A request takes 20 ms and more, one in a hundred longer than 100 ms. Retries are those of the component.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use fastrand::Rng;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};
use vaultlet_agent::{Cache, CacheSettings, Key, Upstream};
use vaultlet_core::limits;
use vaultlet_host::{Budget, Error, Kind, Properties, Secret};
use zeroize::Zeroizing;

/// What is simulated.
#[derive(Clone, Copy, Debug)]
pub struct Job {
    pub nodes: u64,
    pub ranks: usize,
    pub secrets: usize,
    /// Whether each node has an agent; otherwise each rank asks the vault itself.
    pub has_agent: bool,
    pub splay: Duration,
    pub rate: u32,
    /// How long the ranks ask again, once a minute.
    pub runs: Duration,
    pub seed: u64,
}

/// What came of it. Times are in seconds since all nodes started.
#[derive(Debug)]
pub struct Outcome {
    pub requests: usize,
    pub throttled: usize,
    /// Secrets that a rank did not get.
    pub failed: usize,
    /// When half of the ranks had all their secrets.
    pub median: f64,
    pub last: f64,
    /// The most requests that the vault served within 10 s.
    pub busiest: usize,
    /// Answers that were old values.
    pub stale: usize,
}

const WINDOW: Duration = Duration::from_secs(10);
const LIMIT: usize = 4_000;
/// The time of a call, as of a handle whose timeout nobody set.
const CALL: Duration = limits::CALL;

/// A vault with Key Vault's limit.
#[derive(Default)]
struct Vault(Mutex<Counts>);

#[derive(Default)]
struct Counts {
    served: VecDeque<Instant>,
    requests: usize,
    throttled: usize,
    busiest: usize,
}

impl Vault {
    /// The status of a request that arrives now.
    fn request(&self) -> u16 {
        let mut counts = self.0.lock().unwrap();
        let now = Instant::now();
        counts.requests += 1;
        while counts.served.front().is_some_and(|at| *at + WINDOW <= now) {
            counts.served.pop_front();
        }
        if counts.served.len() >= LIMIT {
            counts.throttled += 1;
            return 429;
        }
        counts.served.push_back(now);
        counts.busiest = counts.busiest.max(counts.served.len());
        200
    }
}

/// What the agent of a node, or a rank without one, reaches the vault through: the budget of a handle, and the retries
/// of the component.
#[derive(Clone)]
struct Handle(Arc<Shared>);

struct Shared {
    vault: Arc<Vault>,
    budget: Option<Mutex<Budget>>,
    random: Mutex<Rng>,
}

impl Handle {
    fn new(vault: &Arc<Vault>, rate: u32, seed: u64) -> Self {
        let budget = (rate > 0).then(|| Mutex::new(Budget::new(rate, Instant::now().into_std())));
        let random = Mutex::new(Rng::with_seed(seed));
        Self(Arc::new(Shared { vault: Arc::clone(vault), budget, random }))
    }

    fn random(&self) -> f64 {
        self.0.random.lock().unwrap().f64()
    }

    /// Waits until a request may be sent.
    async fn turn(&self, end: Instant) -> Result<(), Error> {
        let Some(budget) = &self.0.budget else { return Ok(()) };
        let ticket = budget.lock().unwrap().enter();
        loop {
            let turn = budget.lock().unwrap().turn(ticket, Instant::now().into_std());
            match turn.map(Instant::from_std) {
                None => return Ok(()),
                Some(at) if at >= end => {
                    budget.lock().unwrap().leave(ticket);
                    return Err(throttled());
                }
                Some(at) => sleep_until(at).await,
            }
        }
    }

    /// Half of the time there, and half of it back; the tail is long.
    async fn half_way(&self) {
        sleep(Duration::from_secs_f64(0.01 - 0.01 * (1.0 - self.random()).ln())).await;
    }
}

impl Upstream for Handle {
    async fn get(&self, reference: &str) -> Result<Secret, Error> {
        let end = Instant::now() + CALL;
        for retried in 0..=limits::VAULT.count {
            self.turn(end).await?;
            let sent = Instant::now();
            self.half_way().await;
            let status = self.0.vault.request();
            self.half_way().await;
            if let Some(budget) = &self.0.budget {
                let (sent, now) = (sent.into_std(), Instant::now().into_std());
                let random = self.random();
                budget.lock().unwrap().responded(status, None, sent, now, random);
            }
            if status == 200 {
                return Ok(secret(reference));
            }
            let delay = (limits::VAULT.base * 2_u32.pow(retried)).min(limits::VAULT.cap);
            let delay = delay.mul_f64(1.0 + 0.3 * self.random());
            if Instant::now() + delay >= end {
                break;
            }
            if retried < limits::VAULT.count {
                sleep(delay).await;
            }
        }
        Err(throttled())
    }
}

fn throttled() -> Error {
    Error::new(
        Kind::Throttled,
        "vault-throttled",
        "getting a secret: it is throttling requests",
        "",
    )
}

fn secret(reference: &str) -> Secret {
    let properties = Properties {
        vault: "job.vault.azure.net".into(),
        name: reference.into(),
        version: Some("1".into()),
        content_type: None,
        enabled: None,
        created: None,
        updated: None,
        not_before: None,
        expires: None,
        recovery_level: None,
        recoverable_days: None,
        managed: None,
        kid: None,
        tags: Vec::new(),
    };
    Secret::new(properties, Zeroizing::new("value".into()))
}

/// What one rank saw.
struct Seen {
    ready: f64,
    failed: usize,
    stale: usize,
}

/// Simulates a job, on a runtime whose clock is paused.
pub async fn simulate(job: Job) -> Outcome {
    let vault = Arc::new(Vault::default());
    let start = Instant::now();
    let mut ranks = JoinSet::new();
    let mut seeds = Rng::with_seed(job.seed);
    for _ in 0..job.nodes {
        let cache = || {
            let seed = seeds.u64(..);
            let mut settings = CacheSettings::default();
            (settings.splay, settings.seed) = (job.splay, Some(seed));
            Cache::new(Handle::new(&vault, job.rate, seed ^ 1), settings)
        };
        if job.has_agent {
            let mut cache = cache;
            let cache = cache();
            (0..job.ranks)
                .for_each(|_| drop(ranks.spawn(rank(Source::Agent(cache.clone()), job, start))));
        } else {
            for _ in 0..job.ranks {
                let handle = Handle::new(&vault, 0, seeds.u64(..));
                ranks.spawn(rank(Source::Vault(handle), job, start));
            }
        }
    }
    let seen = ranks.join_all().await;
    let counts = vault.0.lock().unwrap();
    let mut ready: Vec<f64> = seen.iter().map(|seen| seen.ready).collect();
    ready.sort_by(f64::total_cmp);
    Outcome {
        requests: counts.requests,
        throttled: counts.throttled,
        failed: seen.iter().map(|seen| seen.failed).sum(),
        median: ready.get(ready.len() / 2).copied().unwrap_or_default(),
        last: ready.last().copied().unwrap_or_default(),
        busiest: counts.busiest,
        stale: seen.iter().map(|seen| seen.stale).sum(),
    }
}

/// Where a rank gets its secrets.
#[derive(Clone)]
enum Source {
    Agent(Cache<Handle>),
    Vault(Handle),
}

impl Source {
    /// Gets one secret. Whether it is an old value, or an error.
    async fn get(&self, number: usize) -> Result<bool, Error> {
        let key = Key::new(&format!("akv://job.vault.azure.net/secret-{number}"), None);
        match self {
            Self::Agent(cache) => cache.get(&key).await.map(|answer| answer.is_stale),
            Self::Vault(handle) => handle.get(key.reference()).await.map(|_| false),
        }
    }
}

async fn rank(source: Source, job: Job, start: Instant) -> Seen {
    let mut seen = Seen { ready: 0.0, failed: 0, stale: 0 };
    let end = start + job.runs;
    loop {
        // All at once, as `get` and `run` do.
        let mut secrets = JoinSet::new();
        for number in 0..job.secrets {
            let source = source.clone();
            secrets.spawn(async move { source.get(number).await });
        }
        for result in secrets.join_all().await {
            seen.failed += usize::from(result.is_err());
            seen.stale += usize::from(result.is_ok_and(|is_stale| is_stale));
        }
        if seen.ready == 0.0 {
            seen.ready = start.elapsed().as_secs_f64();
        }
        let next = Instant::now() + Duration::from_secs(60);
        if next > end {
            return seen;
        }
        sleep_until(next).await;
    }
}
