//! What is kept, and what is given up.

use super::*;

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
