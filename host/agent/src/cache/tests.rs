//! The sentences of "How fresh" in the contract of `vaultlet agent`, each as a case, under a clock that tests move.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::sync::Mutex;

use tokio::task::JoinHandle;
use vaultlet_host::Properties;
use zeroize::Zeroizing;

use super::*;

const TTL: u64 = 100;
const STALE: u64 = 1_000;
/// The earliest and the latest time at which a secret is asked anew in the background, in parts of its time.
const REFRESH: (f64, f64) = (0.9 * 0.8, 1.1 * 0.9);

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

/// What a case does, each at its time in seconds.
enum Do {
    Vault(Behaviour),
    /// Gets the secret: what comes, and after how many seconds.
    Get(&'static str, f64),
    /// What is kept, and how much of it serves as an old value.
    Counts(usize, usize),
    /// Has everything asked anew.
    Refresh,
}

use Do::{Counts as Has, Get, Refresh, Vault as Now};

/// A sentence, what is done, and the requests that are seen upstream.
type Case = (&'static str, &'static [(f64, Do)], std::ops::RangeInclusive<usize>);

const CASES: &[Case] = &[
    (
        "a secret is kept for its time, and asked anew before its end",
        &[
            (0.0, Now(Serves(1, 0.2))),
            (0.0, Get("v1", 0.2)),
            (1.0, Now(Serves(2, 1.0))),
            (71.0, Get("v1", 0.0)),
            (101.0, Get("v2", 0.0)),
            (101.0, Has(1, 0)),
        ],
        2..=2,
    ),
    (
        "a secret that nobody asked for within two of these times is not asked anew",
        &[(0.0, Now(Serves(1, 0.2))), (0.0, Get("v1", 0.2)), (900.0, Has(1, 0))],
        2..=3,
    ),
    (
        "and whoever asks then waits for a new one",
        &[
            (0.0, Now(Serves(1, 0.2))),
            (0.0, Get("v1", 0.2)),
            (900.0, Now(Serves(2, 1.5))),
            (900.0, Get("v2", 1.5)),
        ],
        3..=4,
    ),
    (
        "a vault that takes more than 2 s: the old value serves, and asking goes on behind",
        &[
            (0.0, Now(Serves(1, 0.2))),
            (0.0, Get("v1", 0.2)),
            (900.0, Now(Serves(2, 10.0))),
            (900.0, Get("v1 stale", 2.0)),
            (903.0, Get("v1 stale", 0.0)),
            (903.0, Has(1, 1)),
            (911.0, Get("v2", 0.0)),
            (911.0, Has(1, 0)),
        ],
        3..=4,
    ),
    (
        "a failure that comes sooner is not waited for any longer",
        &[
            (0.0, Now(Serves(1, 0.2))),
            (0.0, Get("v1", 0.2)),
            (900.0, Now(Fails(Kind::Unavailable, 0.5))),
            (900.0, Get("v1 stale", 0.5)),
            (901.0, Get("v1 stale", 0.0)),
        ],
        3..=5,
    ),
    (
        "an old value serves for `stale` longer and is then forgotten",
        &[
            (0.0, Now(Serves(1, 0.2))),
            (0.0, Get("v1", 0.2)),
            (1.0, Now(Fails(Kind::Unavailable, 0.5))),
            (89.0, Get("v1", 0.0)),
            (111.0, Get("v1 stale", 0.0)),
            (1_080.0, Get("v1 stale", 0.0)),
            (1_111.0, Has(0, 0)),
            (1_111.0, Get("unavailable", 0.5)),
        ],
        5..=120,
    ),
    (
        "without an old value a vault that takes long is waited for",
        &[(0.0, Now(Serves(1, 60.0))), (0.0, Get("v1", 60.0))],
        1..=1,
    ),
    (
        "but not for longer than a question may take",
        &[(0.0, Now(Serves(1, 600.0))), (0.0, Get("timeout", 120.0))],
        1..=1,
    ),
    (
        "a failure that may pass is not kept",
        &[
            (0.0, Now(Fails(Kind::Unavailable, 0.0))),
            (0.0, Get("unavailable", 0.0)),
            (0.1, Now(Serves(1, 0.0))),
            (0.1, Get("v1", 0.0)),
        ],
        2..=2,
    ),
    (
        "a refusal is kept for 5 s",
        &[
            (0.0, Now(Fails(Kind::NotFound, 0.5))),
            (0.0, Get("not-found", 0.5)),
            (1.0, Now(Serves(1, 0.0))),
            (5.4, Get("not-found", 0.0)),
            (5.4, Has(0, 0)),
            (5.6, Get("v1", 0.0)),
        ],
        2..=2,
    ),
    (
        "everything is asked anew at once",
        &[
            (0.0, Now(Serves(1, 0.2))),
            (0.0, Get("v1", 0.2)),
            (1.0, Now(Serves(2, 1.0))),
            (1.0, Refresh),
            (1.0, Get("v2", 1.0)),
            (3.0, Get("v2", 0.0)),
        ],
        2..=2,
    ),
    (
        "what was asked before that is asked once more",
        &[
            (0.0, Now(Serves(1, 0.2))),
            (0.0, Get("v1", 0.2)),
            (1.0, Now(Serves(2, 1.0))),
            (1.0, Refresh),
            (1.5, Refresh),
            (1.6, Get("v2", 0.4)),
            (4.0, Get("v2", 0.0)),
        ],
        3..=3,
    ),
    (
        "a value that cannot be asked anew then serves for the rest of its time",
        &[
            (0.0, Now(Serves(1, 0.2))),
            (0.0, Get("v1", 0.2)),
            (1.0, Now(Fails(Kind::Unavailable, 1.0))),
            (1.0, Refresh),
            (1.0, Get("v1", 1.0)),
            (80.0, Get("v1", 0.0)),
            (111.0, Get("v1 stale", 0.0)),
        ],
        3..=25,
    ),
    (
        "a refusal is asked anew, too",
        &[
            (0.0, Now(Fails(Kind::Denied, 0.0))),
            (0.0, Get("denied", 0.0)),
            (1.0, Now(Serves(1, 0.0))),
            (1.0, Refresh),
            (1.0, Get("v1", 0.0)),
        ],
        2..=2,
    ),
    (
        "a question that panics hurts nobody but those who wait for it",
        &[
            (0.0, Now(Panics)),
            (0.0, Get("internal", 0.0)),
            (1.0, Now(Serves(1, 0.0))),
            (1.0, Get("v1", 0.0)),
            (2.0, Now(Panics)),
            (111.0, Get("v1 stale", 0.0)),
        ],
        3..=15,
    ),
];

#[tokio::test(start_paused = true)]
async fn each_sentence_holds() {
    for (sentence, steps, requests) in CASES {
        let vault = Vault::new(Serves(0, 0.0));
        let cache = Cache::new(vault.clone(), settings());
        for (seconds, step) in *steps {
            at(&vault, *seconds).await;
            match step {
                Now(behaviour) => vault.set(*behaviour),
                Get(expected, after) => {
                    let found = get(&cache, "a").await;
                    assert_eq!(found, *expected, "{sentence}: at {seconds} s");
                    let took = vault.elapsed() - seconds;
                    assert!((took - after).abs() < 0.01, "{sentence}: {seconds} s and {took} s");
                }
                Has(secrets, stale) => {
                    let expected = Counts { secrets: *secrets, stale: *stale };
                    assert_eq!(cache.counts(), expected, "{sentence}: at {seconds} s");
                }
                Refresh => cache.refresh_all(),
            }
        }
        assert!(requests.contains(&vault.requests()), "{sentence}: {:?}", vault.times());
    }
}

const KINDS: [Kind; 13] = [
    Kind::Usage,
    Kind::InvalidArgument,
    Kind::NotFound,
    Kind::Disabled,
    Kind::Unavailable,
    Kind::Timeout,
    Kind::Internal,
    Kind::Conflict,
    Kind::Throttled,
    Kind::Denied,
    Kind::Configuration,
    Kind::NotConfigured,
    Kind::Unauthenticated,
];

#[tokio::test(start_paused = true)]
async fn each_failure_forgets_the_value_or_leaves_it() {
    use Kind::{Denied, Disabled, InvalidArgument, NotFound, Unauthenticated, Usage};
    for kind in KINDS {
        let is_final = matches!(
            kind,
            Denied | NotFound | Disabled | Unauthenticated | InvalidArgument | Usage
        );
        let vault = Vault::new(Serves(1, 0.1));
        let cache = Cache::new(vault.clone(), settings());
        assert_eq!(get(&cache, "a").await, "v1");
        vault.set(Fails(kind, 0.1));
        // Asked in the background, within its time.
        at(&vault, 99.5).await;
        let found = get(&cache, "a").await;
        if is_final {
            assert_eq!(found, kind.as_str());
            assert_eq!(cache.counts().secrets, 0, "{kind:?}");
            // Not even when the vault cannot be reached afterwards.
            vault.set(Fails(Kind::Unavailable, 0.1));
            at(&vault, 106.0).await;
            assert_eq!(get(&cache, "a").await, "unavailable", "{kind:?}");
        } else {
            assert!(["v1", "v1 stale"].contains(&found.as_str()), "{kind:?}: {found}");
            at(&vault, 130.0).await;
            assert_eq!(get(&cache, "a").await, "v1 stale", "{kind:?}");
            vault.set(Serves(2, 0.1));
            // The longest pause is 30 s.
            at(&vault, 161.0).await;
            assert_eq!(get(&cache, "a").await, "v2", "{kind:?}");
        }
    }
}

fn many(cache: &Cache<Vault>, count: usize, name: &'static str) -> Vec<JoinHandle<String>> {
    let one = |_| {
        let cache = cache.clone();
        tokio::spawn(async move { get(&cache, name).await })
    };
    (0..count).map(one).collect()
}

#[tokio::test(start_paused = true)]
async fn one_request_serves_all_who_ask() {
    for (behaviour, expected) in [
        (Serves(1, 1.0), "v1"),
        (Fails(Kind::Unavailable, 1.0), "unavailable"),
        (Fails(Kind::NotFound, 1.0), "not-found"),
        (Panics, "internal"),
    ] {
        let vault = Vault::new(behaviour);
        let cache = Cache::new(vault.clone(), settings());
        for asker in many(&cache, 1_000, "a") {
            assert_eq!(asker.await.unwrap(), expected);
        }
        assert_eq!(vault.requests(), 1, "{behaviour:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_asker_who_gives_up_ends_no_question() {
    let vault = Vault::new(Serves(1, 1.0));
    let cache = Cache::new(vault.clone(), settings());
    let askers = many(&cache, 10, "a");
    at(&vault, 0.5).await;
    askers.iter().for_each(JoinHandle::abort);
    at(&vault, 1.1).await;
    assert_eq!(cache.counts().secrets, 1);
    vault.set(Fails(Kind::Unavailable, 0.0));
    assert_eq!(get(&cache, "a").await, "v1");
    assert_eq!(vault.requests(), 1);
}

#[tokio::test(start_paused = true)]
async fn times_are_spread() {
    let vault = Vault::new(Serves(1, 0.0));
    let cache = Cache::new(vault.clone(), settings());
    for number in 0..200 {
        get(&cache, &format!("a{number}")).await;
    }
    at(&vault, 100.0).await;
    let times = vault.times();
    let times: Vec<f64> = times.into_iter().skip(200).collect();
    assert_eq!(times.len(), 200);
    let (first, last) = (TTL as f64 * REFRESH.0, TTL as f64 * REFRESH.1);
    assert!(times.iter().all(|at| (first..=last).contains(at)), "{times:?}");
    assert!(times.iter().any(|at| *at < first + 6.0) && times.iter().any(|at| *at > last - 6.0));
}

/// A secret that serves as an old value is asked for at times that grow apart, not by each who asks.
#[tokio::test(start_paused = true)]
async fn an_outage_is_not_made_worse() {
    let vault = Vault::new(Serves(1, 0.1));
    let cache = Cache::new(vault.clone(), settings());
    assert_eq!(get(&cache, "a").await, "v1");
    vault.set(Fails(Kind::Unavailable, 6.0));
    for second in 111..1_000 {
        at(&vault, f64::from(second)).await;
        assert_eq!(get(&cache, "a").await, "v1 stale");
        assert!(vault.elapsed() < f64::from(second) + 0.01, "nobody waits");
    }
    // Each takes 6 s, and pauses of 15 s in the middle.
    assert!((30..80).contains(&vault.requests()), "{}", vault.requests());
}

#[tokio::test(start_paused = true)]
async fn the_longest_unasked_goes_first() {
    let room = limits::ENTRY + 200;
    for settings in [
        CacheSettings { secrets: 3, ..settings() },
        CacheSettings { bytes: 3 * room, ..settings() },
    ] {
        let vault = Vault::new(Serves(1, 0.0));
        let cache = Cache::new(vault.clone(), settings);
        for name in ["a", "b", "c", "a", "d"] {
            get(&cache, name).await;
        }
        assert_eq!((cache.counts().secrets, vault.requests()), (3, 4));
        for (name, requests) in [("a", 4), ("c", 4), ("d", 4), ("b", 5), ("a", 6)] {
            get(&cache, name).await;
            assert_eq!(vault.requests(), requests, "{name}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn refusals_drive_nothing_out() {
    let vault = Vault::new(Serves(1, 0.0));
    let cache = Cache::new(vault.clone(), CacheSettings { secrets: 3, ..settings() });
    get(&cache, "a").await;
    vault.set(Fails(Kind::NotFound, 0.0));
    for number in 0..3 * limits::REFUSALS {
        assert_eq!(get(&cache, &format!("none-{number}")).await, "not-found");
    }
    assert!(cache.shared.lock().refusals() <= limits::REFUSALS);
    assert_eq!(get(&cache, "a").await, "v1");
}

#[tokio::test(start_paused = true)]
async fn the_first_request_to_a_vault_waits_a_part_of_the_splay() {
    let mut firsts = Vec::new();
    for seed in 0..100 {
        let vault = Vault::new(Serves(1, 0.1));
        let splay = Duration::from_secs(20);
        let cache =
            Cache::new(vault.clone(), CacheSettings { splay, seed: Some(seed), ..settings() });
        let mut askers = many(&cache, 3, "a");
        askers.extend(many(&cache, 3, "b"));
        for asker in askers {
            assert_eq!(asker.await.unwrap(), "v1");
        }
        let times = vault.times();
        assert!(times.len() == 2 && times.first() == times.last(), "none overtakes: {times:?}");
        firsts.extend(times.first().copied());
        let before = vault.elapsed();
        get(&cache, "c").await;
        assert!(vault.elapsed() - before < 0.11, "the next one does not wait");
        // Another vault has a first request of its own.
        let before = vault.elapsed();
        cache.get(&Key::new("akv://other.vault.azure.net/a", None)).await.unwrap();
        firsts.push(vault.elapsed() - before - 0.1);
    }
    assert!(firsts.iter().all(|at| (0.0..=20.01).contains(at)), "{firsts:?}");
    let mean = firsts.iter().sum::<f64>() / firsts.len() as f64;
    assert!((8.0..12.0).contains(&mean), "{mean}");
}

#[tokio::test(start_paused = true)]
async fn a_version_is_served_by_the_latest_that_is_it() {
    let vault = Vault::new(Serves(1, 0.0));
    let cache = Cache::new(vault.clone(), settings());
    let pinned = |version| Key::new(key("a").reference(), Some(version));
    assert_eq!(get(&cache, "a").await, "v1");
    assert_eq!(shown(cache.get(&pinned("v1")).await), "v1");
    assert_eq!(vault.requests(), 1);
    cache.get(&pinned("v0")).await.unwrap();
    assert_eq!(vault.requests(), 2);
    assert_eq!(cache.counts().secrets, 2);
}

#[tokio::test(start_paused = true)]
async fn a_thousand_who_wait_for_a_version_are_one_request() {
    let vault = Vault::new(Serves(1, 0.1));
    let cache = Cache::new(vault.clone(), settings());
    let wait = |_| {
        let cache = cache.clone();
        tokio::spawn(async move {
            let waited = cache.changed(&key("a"), "v1", Duration::from_secs(5_000)).await;
            waited.map(|answer| answer.map(|answer| answer.version().to_owned()))
        })
    };
    let watchers: Vec<_> = (0..1_000).map(wait).collect();
    at(&vault, 1_000.0).await;
    // One for each time, however many wait.
    assert!((10..=15).contains(&vault.requests()), "{:?}", vault.times());
    assert!(watchers.iter().all(|watcher| !watcher.is_finished()));
    vault.set(Serves(2, 0.1));
    let before = vault.requests();
    for watcher in watchers {
        assert_eq!(watcher.await.unwrap().unwrap().as_deref(), Some("v2"));
    }
    assert_eq!(vault.requests(), before + 1);
    assert!(vault.elapsed() < 1_100.0);
    assert!(cache.shared.lock_watchers().is_empty(), "nobody waits any more");
}

#[tokio::test(start_paused = true)]
async fn waiting_for_a_version_ends() {
    let vault = Vault::new(Serves(2, 0.1));
    let cache = Cache::new(vault.clone(), settings());
    let changed = async |version: &str, within: f64| {
        let waited = cache.changed(&key("a"), version, Duration::from_secs_f64(within)).await;
        match waited {
            Ok(None) => "not yet".to_owned(),
            Ok(Some(answer)) => shown(Ok(answer)),
            Err(error) => shown(Err(error)),
        }
    };
    assert_eq!(changed("v1", 30.0).await, "v2", "at once");
    assert_eq!(changed("v2", 30.0).await, "not yet");
    assert!((30.0..30.2).contains(&vault.elapsed()));
    assert_eq!(changed("v2", 0.0).await, "not yet");
    // An outage does not end it, and a value that is old is none that is new.
    vault.set(Fails(Kind::Unavailable, 0.1));
    assert_eq!(changed("v2", 300.0).await, "not yet");
    vault.set(Fails(Kind::Denied, 0.1));
    assert_eq!(changed("v2", 3_000.0).await, "denied");
    assert!(vault.elapsed() < 400.0, "{}", vault.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_vault_that_throttles_is_asked_again_where_there_is_nothing_else() {
    for (mends, expected, most) in [(7.0, "v1", 20.0), (1_000.0, "throttled", 23.0)] {
        let vault = Vault::new(Fails(Kind::Throttled, 7.0));
        let cache = Cache::new(vault.clone(), settings());
        let asker = many(&cache, 1, "a").pop().unwrap();
        tokio::spawn({
            let vault = vault.clone();
            async move {
                at(&vault, mends).await;
                vault.set(Serves(1, 0.1));
            }
        });
        assert_eq!(asker.await.unwrap(), expected);
        assert!(vault.elapsed() < most, "{}", vault.elapsed());
    }
}

/// Everything is asked anew, but not all of it at once.
#[tokio::test(start_paused = true)]
async fn few_are_asked_in_the_background_at_once() {
    let vault = Vault::new(Serves(1, 1.0));
    let cache = Cache::new(vault.clone(), settings());
    for number in 0..64 {
        tokio::spawn({
            let cache = cache.clone();
            async move { get(&cache, &format!("a{number}")).await }
        });
    }
    at(&vault, 2.0).await;
    cache.refresh_all();
    at(&vault, 7.0).await;
    let times = vault.times();
    let later: Vec<f64> = times.into_iter().skip(64).collect();
    assert_eq!(later.len(), 64);
    for second in 2..6 {
        let second = f64::from(second);
        let then = later.iter().filter(|at| (second - 0.1..second + 0.9).contains(*at)).count();
        assert_eq!(then, limits::BACKGROUND, "{later:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_cache_that_is_gone_leaves_no_task_and_no_secret() {
    let vault = Vault::new(Serves(1, 0.1));
    let cache = Cache::new(vault.clone(), settings());
    get(&cache, "a").await;
    let answer = cache.get(&key("a")).await.unwrap();
    let held = Arc::downgrade(&answer.secret);
    drop(answer);
    drop(cache);
    at(&vault, 1.0).await;
    assert!(held.upgrade().is_none());
    assert_eq!(Arc::strong_count(&vault.0), 1, "nobody else has it");
    let tasks = Handle::current().metrics().num_alive_tasks();
    assert_eq!(tasks, 0);
}
