//! Many who ask at once, wait together, or give up.

use super::*;

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

/// Those whose renewal is due when they are asked for wait for their turn, too.
#[tokio::test(start_paused = true)]
async fn few_are_renewed_at_once_when_all_are_asked_for() {
    let vault = Vault::new(Serves(1, 0.0));
    let cache = Cache::new(vault.clone(), settings());
    let names: Vec<String> = (0..64).map(|number| format!("a{number}")).collect();
    for name in &names {
        get(&cache, name).await;
    }
    // Twice renewed, and then nobody has asked for two of their times.
    at(&vault, 270.0).await;
    let before = vault.requests();
    cache.shared.lock().renew_all(Instant::now());
    vault.set(Serves(2, 5.0));
    for name in &names {
        assert_eq!(get(&cache, name).await, "v1", "none waits");
    }
    assert_eq!(cache.shared.lock().in_background(), limits::BACKGROUND);
    at(&vault, 271.0).await;
    assert_eq!(vault.requests(), before + limits::BACKGROUND);
    at(&vault, 291.0).await;
    assert_eq!(vault.requests(), before + names.len());
}
