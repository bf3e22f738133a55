//! "How fresh" in the contract of `vaultlet agent`, under a clock that tests move: `sentences` one after the other,
//! `crowd` what many get who ask at once, `room` what is kept and given up.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod crowd;
mod room;
mod sentences;

use std::sync::Mutex;

use tokio::task::JoinHandle;
use vaultlet_host::Properties;
use zeroize::Zeroizing;

use super::*;

const TTL: u64 = 100;
const STALE: u64 = 1_000;

/// A vault that does as it is told, and knows what it was asked.
#[derive(Clone)]
struct Vault(Arc<Script>);

struct Script {
    now: Mutex<Behaviour>,
    requests: Mutex<Vec<(f64, String)>>,
    start: Instant,
}

#[derive(Clone, Copy, Debug)]
enum Behaviour {
    /// Serves this version, after this time in seconds.
    Serves(u32, f64),
    Fails(Kind, f64),
    Panics,
}

use Behaviour::{Fails, Panics, Serves};

impl Vault {
    fn new(behaviour: Behaviour) -> Self {
        let (now, requests) = (Mutex::new(behaviour), Mutex::default());
        Self(Arc::new(Script { now, requests, start: Instant::now() }))
    }

    fn set(&self, behaviour: Behaviour) {
        *self.0.now.lock().unwrap() = behaviour;
    }

    fn requests(&self) -> usize {
        self.0.requests.lock().unwrap().len()
    }

    fn times(&self) -> Vec<f64> {
        self.0.requests.lock().unwrap().iter().map(|(at, _)| *at).collect()
    }

    fn elapsed(&self) -> f64 {
        self.0.start.elapsed().as_secs_f64()
    }
}

impl Upstream for Vault {
    async fn get(&self, reference: &str) -> Result<Secret, Error> {
        let at = self.elapsed();
        self.0.requests.lock().unwrap().push((at, reference.to_owned()));
        let behaviour = *self.0.now.lock().unwrap();
        match behaviour {
            Serves(version, latency) => {
                sleep(Duration::from_secs_f64(latency)).await;
                Ok(secret(reference, version))
            }
            Fails(kind, latency) => {
                sleep(Duration::from_secs_f64(latency)).await;
                Err(Error::new(kind, "scripted", "getting a secret: as scripted", ""))
            }
            Panics => panic!("as scripted"),
        }
    }
}

fn secret(reference: &str, version: u32) -> Secret {
    let properties = Properties {
        vault: "job.vault.azure.net".into(),
        name: reference.rsplit('/').next().unwrap().into(),
        version: Some(format!("v{version}")),
        content_type: None,
        enabled: Some(true),
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
    Secret::new(properties, Zeroizing::new(format!("value of v{version}")))
}

fn settings() -> CacheSettings {
    CacheSettings {
        ttl: Duration::from_secs(TTL),
        stale: Duration::from_secs(STALE),
        seed: Some(1),
        ..CacheSettings::default()
    }
}

fn key(name: &str) -> Key {
    Key::new(&format!("akv://job.vault.azure.net/{name}"), None)
}

async fn at(vault: &Vault, seconds: f64) {
    sleep_until(vault.0.start + Duration::from_secs_f64(seconds)).await;
}

fn shown(result: Result<Answer, Error>) -> String {
    match result {
        Ok(answer) if answer.is_stale => format!("{} stale", answer.version()),
        Ok(answer) => answer.version().to_owned(),
        Err(error) => error.kind.as_str().to_owned(),
    }
}

async fn get(cache: &Cache<Vault>, name: &str) -> String {
    shown(cache.get(&key(name)).await)
}

fn many(cache: &Cache<Vault>, count: usize, name: &'static str) -> Vec<JoinHandle<String>> {
    let one = |_| {
        let cache = cache.clone();
        tokio::spawn(async move { get(&cache, name).await })
    };
    (0..count).map(one).collect()
}
