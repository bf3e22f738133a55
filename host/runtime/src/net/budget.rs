//! The budget of requests to one vault: a token bucket that is held back while the vault asks for time, with the clock
//! as an argument.
//!
//! Who wants to send a request takes a ticket, and asks when it is its turn until it is. Tickets are served in the
//! order in which they were taken; one that is given up leaves its turn to those behind it.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use crate::limits;

/// The requests that may be sent to one vault.
#[derive(Debug)]
pub struct Budget {
    /// Requests a second, and as many at once.
    rate: f64,
    /// Requests that may be sent now; fewer than 0 never.
    left: f64,
    /// When that was counted.
    counted: Instant,
    /// Nothing is sent before this.
    held_until: Instant,
    /// When the vault began to be held back the last time.
    held_since: Option<Instant>,
    /// How often the vault throttled without saying for how long, since it last served a request.
    throttled: u32,
    waiting: BTreeSet<u64>,
    tickets: u64,
}

impl Budget {
    /// A budget that nothing was taken of.
    pub fn new(rate: u32, now: Instant) -> Self {
        let rate = f64::from(rate.max(1));
        Self {
            rate,
            left: rate,
            counted: now,
            held_until: now,
            held_since: None,
            throttled: 0,
            waiting: BTreeSet::new(),
            tickets: 0,
        }
    }

    /// Takes a ticket.
    pub fn enter(&mut self) -> u64 {
        self.tickets += 1;
        self.waiting.insert(self.tickets);
        self.tickets
    }

    /// Gives a ticket up.
    pub fn leave(&mut self, ticket: u64) {
        self.waiting.remove(&ticket);
    }

    /// Uses the ticket if it is its turn, which is `None`, or else says when to ask again.
    pub fn turn(&mut self, ticket: u64, now: Instant) -> Option<Instant> {
        self.count(now);
        // Those before it, each of which takes one first.
        let before = self.waiting.range(..ticket).count();
        let needed = f64::from(u32::try_from(before).unwrap_or(u32::MAX)) + 1.0;
        if now < self.held_until {
            let more = Duration::from_secs_f64((needed - self.rate).max(0.0) / self.rate);
            return Some(self.held_until + more);
        }
        if self.left >= needed {
            self.left -= 1.0;
            self.waiting.remove(&ticket);
            return None;
        }
        // Never now: the clock has to move on.
        let wait = Duration::from_secs_f64((needed - self.left) / self.rate);
        Some(now + wait.max(limits::BUDGET_TICK))
    }

    /// Learns from a response to a request that was sent at `sent`. A vault that asks for time, or throttles without
    /// saying for how long, is held back; `random`, from 0 to 1, keeps the agents of many nodes from coming back at
    /// one moment.
    pub fn responded(
        &mut self,
        status: u16,
        retry_after: Option<Duration>,
        sent: Instant,
        now: Instant,
        random: f64,
    ) {
        let hold = match (status, retry_after) {
            (408 | 429 | 500.., Some(after)) => {
                let after = after.min(limits::HOLD_MAX);
                after + after.min(limits::HOLD_SPREAD).mul_f64(random)
            }
            (429, None) => {
                // What was sent before the vault was held back says nothing new.
                if self.held_since.is_some_and(|since| sent < since) {
                    return;
                }
                self.throttled = self.throttled.saturating_add(1);
                let times = 2_u32.saturating_pow(self.throttled - 1);
                limits::THROTTLED.saturating_mul(times).min(limits::THROTTLED_MAX).mul_f64(random)
            }
            (status, _) => {
                if status < 500 {
                    self.throttled = 0;
                }
                return;
            }
        };
        self.held_since = Some(now);
        self.held_until = self.held_until.max(now + hold);
    }

    /// Whether a new budget would be the same.
    pub(super) fn is_unused(&mut self, now: Instant) -> bool {
        self.count(now);
        let is_held = now < self.held_until || self.throttled > 0;
        self.waiting.is_empty() && !is_held && self.left >= self.rate
    }

    fn count(&mut self, now: Instant) {
        let elapsed = now.saturating_duration_since(self.counted).as_secs_f64();
        self.left = (self.left + elapsed * self.rate).min(self.rate);
        self.counted = self.counted.max(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(seconds: f64) -> Duration {
        Duration::from_secs_f64(seconds)
    }

    /// When each of so many requests goes that want to at once.
    fn times(budget: &mut Budget, count: usize, start: Instant) -> Vec<f64> {
        let tickets: Vec<u64> = (0..count).map(|_| budget.enter()).collect();
        let mut waiting: Vec<(Instant, u64)> =
            tickets.iter().map(|ticket| (start, *ticket)).collect();
        let mut times = Vec::new();
        while let Some(next) = waiting.iter().copied().min() {
            waiting.retain(|one| *one != next);
            match budget.turn(next.1, next.0) {
                None => times.push((next.0 - start).as_secs_f64()),
                Some(at) => {
                    assert!(at > next.0, "the clock moves on");
                    waiting.push((at, next.1));
                }
            }
        }
        times
    }

    #[test]
    fn a_burst_goes_at_once_and_the_rest_at_the_rate() {
        let start = Instant::now();
        let times = times(&mut Budget::new(50, start), 200, start);
        assert!(times.iter().take(50).all(|at| *at == 0.0), "{times:?}");
        for (number, at) in times.iter().enumerate().skip(50) {
            let expected = (number - 49) as f64 / 50.0;
            assert!((at - expected).abs() < 0.002, "{number}: {at} is not {expected}");
        }
    }

    /// Requests that come, and are given up, at any time.
    #[test]
    fn no_second_has_more_than_its_rate_and_the_burst() {
        const RATE: u32 = 10;
        let mut random = 7_u64;
        let mut number = move |below: u64| {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (random >> 33) % below
        };
        let start = Instant::now();
        let mut budget = Budget::new(RATE, start);
        let mut waiting: Vec<(Instant, u64)> = Vec::new();
        let mut sent: Vec<Instant> = Vec::new();
        let mut now = start;
        for _ in 0..6_000 {
            now += Duration::from_millis(number(60));
            match number(8) {
                0..5 => waiting.push((now, budget.enter())),
                5 if !waiting.is_empty() => {
                    let at = usize::try_from(number(waiting.len() as u64)).unwrap();
                    budget.leave(waiting.swap_remove(at).1);
                }
                _ => {}
            }
            for (at, ticket) in std::mem::take(&mut waiting) {
                match (at <= now).then(|| budget.turn(ticket, now)) {
                    None => waiting.push((at, ticket)),
                    Some(None) => sent.push(now),
                    Some(Some(at)) => waiting.push((at, ticket)),
                }
            }
        }
        assert!(sent.len() > 1_000, "{}", sent.len());
        for (at, first) in sent.iter().enumerate() {
            for (count, last) in sent.iter().skip(at).enumerate().step_by(7) {
                let allowed = f64::from(RATE) * ((*last - *first).as_secs_f64() + 1.0);
                assert!((count + 1) as f64 <= allowed + 0.001, "{count} in {:?}", *last - *first);
            }
        }
        // What was given up is not waited for: whoever comes later has its turn.
        let later = now + seconds(60.0);
        waiting.drain(..).for_each(|(_, ticket)| budget.leave(ticket));
        assert_eq!(times(&mut budget, 10, later), [0.0; 10]);
    }

    #[test]
    fn a_vault_that_asks_for_time_gets_it() {
        // Status, time that it asks for, random part, seconds that it is held back.
        for (status, after, random, expected) in [
            (429, Some(3.0), 0.0, 3.0),
            (429, Some(3.0), 1.0, 6.0),
            (503, Some(3.0), 0.5, 4.5),
            (429, Some(60.0), 1.0, 70.0),
            (429, Some(1e9), 0.0, 900.0),
            (429, None, 1.0, 1.0),
            (429, None, 0.25, 0.25),
            (503, None, 1.0, 0.0),
            (500, Some(3.0), 1.0, 6.0),
            (404, Some(3.0), 1.0, 0.0),
            (200, Some(3.0), 1.0, 0.0),
        ] {
            let start = Instant::now();
            let mut budget = Budget::new(50, start);
            budget.responded(status, after.map(seconds), start, start, random);
            let times = times(&mut budget, 2, start);
            let case = format!("{status} {after:?} {random}: {times:?}");
            assert!(times.iter().all(|at| (at - expected).abs() < 1e-6), "{case}");
        }
    }

    #[test]
    fn a_vault_that_keeps_throttling_is_left_alone_for_longer() {
        let start = Instant::now();
        let mut budget = Budget::new(50, start);
        let mut now = start;
        for expected in [1.0, 2.0, 4.0, 8.0, 10.0, 10.0] {
            // Responses to requests that were sent together count once.
            for _ in 0..5 {
                budget.responded(429, None, now, now + seconds(0.1), 1.0);
            }
            let ticket = budget.enter();
            let until = budget.turn(ticket, now + seconds(0.1)).unwrap();
            budget.leave(ticket);
            assert!(((until - now).as_secs_f64() - expected - 0.1).abs() < 1e-6, "{expected}");
            now = until;
        }
        budget.responded(200, None, now, now, 1.0);
        budget.responded(429, None, now, now, 1.0);
        let ticket = budget.enter();
        let until = budget.turn(ticket, now).unwrap();
        assert!(((until - now).as_secs_f64() - 1.0).abs() < 1e-6);
    }

    #[test]
    fn a_budget_that_is_unused_can_be_forgotten() {
        let start = Instant::now();
        let mut budget = Budget::new(50, start);
        assert!(budget.is_unused(start));
        let ticket = budget.enter();
        assert!(!budget.is_unused(start));
        assert_eq!(budget.turn(ticket, start), None);
        assert!(!budget.is_unused(start));
        assert!(budget.is_unused(start + seconds(1.0)));
        budget.responded(429, Some(seconds(5.0)), start, start, 0.0);
        assert!(!budget.is_unused(start + seconds(4.0)));
        assert!(budget.is_unused(start + seconds(6.0)));
    }
}
