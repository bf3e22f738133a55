//! The rate of a handle: how many requests a vault gets in a second, and when it is left alone.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use vaultlet_host::{Cancel, Kind, Vaultlet};
use vaultlet_tests::server::{Answer, Request, Server};

use super::FOREVER;
use super::job::{Job, secret, token};

/// When each request came.
#[derive(Clone, Default)]
struct Times(Arc<Mutex<Vec<Instant>>>);

impl Times {
    fn add(&self) -> usize {
        let mut times = self.0.lock().unwrap();
        times.push(Instant::now());
        times.len()
    }

    /// Seconds since the first one.
    fn all(&self) -> Vec<f64> {
        let times = self.0.lock().unwrap();
        times.iter().map(|at| (*at - times[0]).as_secs_f64()).collect()
    }
}

/// A vault whose answer to the request of this number is `script`'s.
fn job(script: impl Fn(usize) -> Option<Answer> + Send + Sync + 'static) -> (Job, Times) {
    let times = Times::default();
    let seen = times.clone();
    let vault = move |request: &Request| script(seen.add()).unwrap_or_else(|| secret(request));
    (Job::new(Server::plain(token), vault), times)
}

fn get_at_once(vaultlet: &Vaultlet, count: usize) -> Vec<Result<(), vaultlet_host::Error>> {
    let vaultlet = &vaultlet;
    std::thread::scope(|scope| {
        let gets: Vec<_> = (0..count)
            .map(|number| {
                scope
                    .spawn(move || vaultlet.get_blocking(&format!("akv://job/s{number}")).map(drop))
            })
            .collect();
        gets.into_iter().map(|get| get.join().unwrap()).collect()
    })
}

#[test]
fn a_burst_is_served_at_once_and_what_is_more_at_the_rate() {
    let (job, times) = job(|_| None);
    let vaultlet = job.builder().rate(10).open().unwrap();
    for result in get_at_once(&vaultlet, 18) {
        result.unwrap();
    }
    let times = times.all();
    for (number, at) in times.iter().enumerate().skip(10) {
        // A thread that is put aside may be late, and never early.
        let earliest = (number - 9) as f64 / 10.0 - 0.12;
        assert!(*at >= earliest, "request {number} after {at} s: {times:?}");
    }
    assert_eq!((vaultlet.traffic().requests, vaultlet.traffic().throttled), (18, 0));
}

/// A vault that is ill is not asked again by all at one moment. Without a rate a first retry comes after 0.8 s or more.
#[test]
fn retries_have_full_jitter() {
    let times = Times::default();
    let seen = times.clone();
    let vault = move |request: &Request| {
        if seen.add() <= 12 { Answer::status(500) } else { secret(request) }
    };
    let job = Job::new(Server::plain(token), vault);
    let vaultlet = job.builder().rate(100).open().unwrap();
    for result in get_at_once(&vaultlet, 12) {
        result.unwrap();
    }
    let retries: Vec<_> = times.all().into_iter().skip(12).collect();
    assert_eq!(retries.len(), 12);
    let (first, last) = (retries[0], retries[11]);
    assert!(first < 0.79 && last - first > 0.05, "{retries:?}");
}

#[test]
fn the_retries_of_the_component_count() {
    let (job, times) = job(|number| (number <= 2).then(|| Answer::status(503)));
    let vaultlet = job.builder().rate(1).open().unwrap();
    vaultlet.get_blocking("akv://job/s").unwrap();
    // The component waits for 0.8 s, then for 1.6 s; the budget has one request a second.
    let times = times.all();
    assert!(times.len() == 3 && times[1] >= 0.9 && times[2] >= 1.9, "{times:?}");
    assert_eq!(vaultlet.traffic().requests, 3);
}

#[test]
fn a_vault_that_asks_for_time_is_left_alone_by_every_call() {
    let (job, times) =
        job(|number| (number == 1).then(|| Answer::status(429).header("retry-after", "1")));
    let vaultlet = job.builder().rate(1_000).open().unwrap();
    let others = vaultlet.clone();
    let first = std::thread::spawn(move || others.get_blocking("akv://job/first").map(drop));
    job.vault.wait_for(1);
    while vaultlet.traffic().throttled == 0 {
        std::thread::yield_now();
    }
    // Those whose time is shorter say so at once, as does one that is cancelled meanwhile.
    let started = Instant::now();
    let short = vaultlet.with_timeout(Duration::from_millis(400));
    for _ in 0..2 {
        let error = short.get_blocking("akv://job/short").unwrap_err();
        assert_eq!(
            (error.kind, error.id.as_str()),
            (Kind::Throttled, "vault-throttled"),
            "{error}"
        );
        assert!(error.retry_after.is_some() && error.to_string().contains("job.vault"), "{error}");
    }
    let cancel = Cancel::new();
    let cancelled = vaultlet.with_cancel(&cancel);
    let waiting =
        std::thread::spawn(move || cancelled.get_blocking("akv://job/other").unwrap_err());
    cancel.cancel();
    assert_eq!(waiting.join().unwrap().id, "cancelled");
    assert!(started.elapsed() < Duration::from_millis(900), "{:?}", started.elapsed());
    for result in get_at_once(&vaultlet, 8) {
        result.unwrap();
    }
    first.join().unwrap().unwrap();
    let times = times.all();
    assert_eq!(times.len(), 10, "{times:?}");
    assert!(times[1..].iter().all(|at| *at >= 0.99), "{times:?}");
    assert_eq!((vaultlet.traffic().requests, vaultlet.traffic().throttled), (10, 1));
}

#[test]
fn another_vault_has_a_budget_of_its_own() {
    let slow = AtomicUsize::new(0);
    let job = Job::new(Server::plain(token), move |request| {
        let is_slow = request.header("host").starts_with("slow.");
        if is_slow && slow.fetch_add(1, Ordering::Relaxed) == 0 {
            return Answer::status(429).header("retry-after", "3600");
        }
        secret(request)
    });
    let vaultlet = job.builder().rate(5).timeout(FOREVER).open().unwrap();
    let error = vaultlet.get_blocking("akv://slow/s").unwrap_err();
    assert_eq!(error.kind, Kind::Throttled, "{error}");
    let started = Instant::now();
    vaultlet.get_blocking("akv://job/s").unwrap();
    assert!(started.elapsed() < Duration::from_secs(5));
    let error = vaultlet.get_blocking("akv://slow/s").unwrap_err();
    assert_eq!(error.kind, Kind::Throttled, "{error}");
    assert_eq!(vaultlet.traffic().requests, 2, "the vault is not asked");
}

#[test]
fn without_a_rate_nothing_is_held_back() {
    for builder in [|job: &Job| job.builder(), |job: &Job| job.builder().rate(0)] {
        let (job, _) =
            job(|number| (number == 1).then(|| Answer::status(429).header("retry-after", "3600")));
        let vaultlet = builder(&job).open().unwrap();
        assert_eq!(vaultlet.get_blocking("akv://job/s").unwrap_err().kind, Kind::Throttled);
        for result in get_at_once(&vaultlet, 64) {
            result.unwrap();
        }
        assert_eq!((vaultlet.traffic().requests, vaultlet.traffic().throttled), (65, 1));
    }
}
