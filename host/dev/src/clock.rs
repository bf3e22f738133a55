//! Seconds and milliseconds since 1970.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Seconds since 1970 UTC.
pub(crate) fn now() -> u64 {
    since_epoch().as_secs()
}

/// Milliseconds since 1970 UTC.
pub(crate) fn now_ms() -> u64 {
    u64::try_from(since_epoch().as_millis()).unwrap_or(u64::MAX)
}

fn since_epoch() -> Duration {
    // A clock before 1970 makes tokens that nobody accepts, which says enough.
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}
