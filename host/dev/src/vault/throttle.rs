//! The limit of requests to a vault: Key Vault serves 4,000 in 10 seconds, and answers 429 to those beyond.
//!
//! <https://learn.microsoft.com/azure/key-vault/general/service-limits>

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// The time for which requests are counted.
const WINDOW: Duration = Duration::from_secs(10);

/// Counts the requests to a vault that were served lately. Those that were refused do not count.
#[derive(Debug)]
pub(crate) struct Throttle {
    limit: usize,
    served: Mutex<VecDeque<Instant>>,
}

impl Throttle {
    /// A limit of requests in 10 seconds.
    pub(crate) fn new(limit: u32) -> Self {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        Self { limit, served: Mutex::default() }
    }

    /// Whether a request may be served now, which then counts.
    pub(super) fn admits(&self, now: Instant) -> bool {
        let mut served = self.served.lock().unwrap_or_else(PoisonError::into_inner);
        while served.front().is_some_and(|at| now.saturating_duration_since(*at) >= WINDOW) {
            served.pop_front();
        }
        let admits = served.len() < self.limit;
        if admits {
            served.push_back(now);
        }
        admits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_beyond_the_limit_are_refused_until_others_are_ten_seconds_old() {
        let throttle = Throttle::new(2);
        let start = Instant::now();
        for (seconds, admits) in
            [(0, true), (1, true), (2, false), (9, false), (10, true), (10, false), (11, true)]
        {
            let now = start + Duration::from_secs(seconds);
            assert_eq!(throttle.admits(now), admits, "after {seconds} s");
        }
    }
}
