//! Secrets that come and go for a while leave no memory behind. `VAULTLET_TEST_SOAK=600` sets the seconds.

#![allow(missing_docs, clippy::unwrap_used, reason = "a test fails by panicking")]
#![cfg(target_os = "linux")]

use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use vaultlet_agent::{Cache, CacheSettings, Key, Upstream};
use vaultlet_host::{Error, Kind, Properties, Secret};
use zeroize::Zeroizing;

/// A vault that has every secret, each of up to 2 KiB, but for some.
#[derive(Clone, Default)]
struct Vault(Arc<AtomicU64>);

const LONGEST: u64 = 2 << 10;
/// Kibibytes that may come and go: of the allocator, and of tables that double.
const SLACK: u64 = 12 << 10;

impl Upstream for Vault {
    async fn get(&self, reference: &str) -> Result<Secret, Error> {
        let number = self.0.fetch_add(1, Ordering::Relaxed);
        tokio::task::yield_now().await;
        let kind = match number % 50 {
            7 => Kind::NotFound,
            23 => Kind::Unavailable,
            _ => return Ok(secret(reference, number)),
        };
        Err(Error::new(kind, "scripted", "getting a secret: as scripted", ""))
    }
}

fn secret(reference: &str, number: u64) -> Secret {
    let properties = Properties {
        vault: "job.vault.azure.net".into(),
        name: reference.into(),
        version: Some(format!("{number:032x}")),
        content_type: None,
        enabled: Some(true),
        created: Some(1),
        updated: Some(1),
        not_before: None,
        expires: None,
        recovery_level: None,
        recoverable_days: None,
        managed: None,
        kid: None,
        tags: vec![("team".into(), "a".into())],
    };
    let length = usize::try_from(number.wrapping_mul(7_919) % LONGEST).unwrap();
    Secret::new(properties, Zeroizing::new("x".repeat(length)))
}

/// A line of `/proc/self/status`, in kibibytes.
fn status(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.split_whitespace().find_map(|word| word.parse().ok()).unwrap()
}

#[tokio::test]
async fn memory_does_not_grow() {
    let seconds = std::env::var("VAULTLET_TEST_SOAK").ok().and_then(|text| text.parse().ok());
    let end = Instant::now() + Duration::from_secs(seconds.unwrap_or(3));
    let mut settings = CacheSettings::default();
    // Some are asked anew in the background meanwhile.
    settings.ttl = Duration::from_secs(5);
    let cache = Cache::new(Vault::default(), settings);
    let (mut asked, mut early) = (0_u64, None);
    let mut random = fastrand::Rng::with_seed(1);
    while Instant::now() < end || early.is_none() {
        for _ in 0..1_000 {
            asked += 1;
            // New ones, and some of those that are there.
            let number =
                if random.u8(..) < 200 { asked } else { asked.saturating_sub(random.u64(..9_000)) };
            let key = Key::new(&format!("akv://job.vault.azure.net/secret-{number}"), None);
            let get = cache.get(&key);
            if random.u8(..) < 10 {
                // Whoever gives up leaves nothing behind, either.
                let _ = tokio::time::timeout(Duration::ZERO, get).await;
            } else {
                let _ = get.await;
            }
        }
        let counts = cache.counts();
        assert!(counts.secrets <= 10_000, "{counts:?}");
        // Everything has come and gone once.
        if asked >= 20_000 && early.is_none() {
            early = Some((status("VmRSS:"), status("VmLck:")));
        }
    }
    let (early, last) = (early.unwrap(), (status("VmRSS:"), status("VmLck:")));
    let counts = cache.counts();
    let _ = writeln!(
        std::io::stderr().lock(),
        "{asked} asked, {counts:?}; KiB in memory and locked: {early:?} early, {last:?} last"
    );
    assert!(counts.secrets > 9_000, "it is full: {counts:?}");
    assert!(last.0 < early.0 + SLACK, "{early:?} {last:?}");
    assert!(last.1 < early.1 + SLACK, "{early:?} {last:?}");
    assert!(last.0 < 128 << 10, "{last:?}");
    drop(cache);
    // Until the last question has its answer.
    for _ in 0..1_000 {
        tokio::task::yield_now().await;
    }
    assert_eq!(status("VmLck:"), 0, "nothing stays locked");
}
