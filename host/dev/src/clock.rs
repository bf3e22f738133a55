//! The system clock, in seconds and milliseconds since 1970.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The current time in seconds since 1970 UTC.
pub(crate) fn now() -> u64 {
    since_epoch().as_secs()
}

/// The current time in milliseconds since 1970 UTC.
pub(crate) fn now_ms() -> u64 {
    u64::try_from(since_epoch().as_millis()).unwrap_or(u64::MAX)
}

fn since_epoch() -> Duration {
    // With a clock before 1970 every token is rejected, which shows the cause well enough.
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}
