//! The sentences of "How fresh", each as a case.

use super::*;

/// The earliest and the latest time at which a secret is asked anew in the background, in parts of its time.
const REFRESH: (f64, f64) = (0.9 * 0.8, 1.1 * 0.9);

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
    use Kind::{Denied, Disabled, NotFound, Unauthenticated};
    for kind in KINDS {
        let is_final = matches!(kind, Denied | NotFound | Disabled | Unauthenticated);
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
async fn a_vault_that_throttles_is_asked_again_where_there_is_nothing_else() {
    // When the vault is mended, the time of a question, what comes of it and by when.
    for (mends, limit, expected, most) in [
        (7.0, 120, "v1", 20.0),
        (1_000.0, 120, "throttled", 23.0),
        (1_000.0, 10, "throttled", 10.1),
        (1_000.0, 5, "timeout", 5.1),
    ] {
        let vault = Vault::new(Fails(Kind::Throttled, 7.0));
        let timeout = Duration::from_secs(limit);
        let cache = Cache::new(vault.clone(), CacheSettings { timeout, ..settings() });
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

/// An address that our own egress policy refuses is no refusal of the vault.
#[test]
fn a_connection_that_is_not_allowed_is_no_refusal() {
    for (id, expected) in [("vault-forbidden", true), ("egress-denied", false)] {
        assert_eq!(is_final(&Error::new(Kind::Denied, id, "", "")), expected, "{id}");
    }
}

/// Nothing is kept, but what is on its way is shared, and old values serve.
#[tokio::test(start_paused = true)]
async fn without_a_time_every_caller_asks() {
    let vault = Vault::new(Serves(1, 0.1));
    let ttl = Duration::ZERO;
    let cache = Cache::new(vault.clone(), CacheSettings { ttl, ..settings() });
    for version in 1..=3 {
        vault.set(Serves(version, 0.1));
        for asker in many(&cache, 10, "a") {
            assert_eq!(asker.await.unwrap(), format!("v{version}"));
        }
    }
    assert_eq!(vault.requests(), 3);
    vault.set(Fails(Kind::Unavailable, 0.1));
    assert_eq!(get(&cache, "a").await, "v3 stale");
    at(&vault, 500.0).await;
    assert_eq!(vault.requests(), 4, "nobody asked, and nothing is asked");
}

/// A splay that is longer than a caller waits. The question is asked all the same, once, and whoever asks later has its answer.
#[tokio::test(start_paused = true)]
async fn nobody_waits_for_a_splay_longer_than_for_a_question() {
    let (splay, timeout) = (Duration::from_secs(3_600), Duration::from_secs(5));
    let mut waited = 0;
    for seed in 0..20 {
        let vault = Vault::new(Serves(1, 3.0));
        let settings = CacheSettings { splay, timeout, seed: Some(seed), ..settings() };
        let cache = Cache::new(vault.clone(), settings);
        for asker in many(&cache, 3, "a") {
            let got = asker.await.unwrap();
            assert!(vault.elapsed() < 5.01, "{}", vault.elapsed());
            assert_eq!(got, if vault.requests() == 0 { "timeout" } else { "v1" });
            waited += usize::from(got == "timeout");
        }
        let error = cache.get(&key("a")).await.err();
        if let Some(error) = error {
            assert!(error.help.contains("--splay") || vault.requests() == 1, "{error}");
        }
        at(&vault, 3_604.0).await;
        vault.set(Serves(1, 0.0));
        // Once, and again when its time is over, if somebody has asked for it lately.
        assert!((1..=2).contains(&vault.requests()), "{seed}: {:?}", vault.times());
        assert_eq!(get(&cache, "a").await, "v1", "{seed}");
    }
    assert!(waited > 50, "{waited}");
}
