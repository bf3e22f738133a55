//! Requests to vaults: how many there were, and, for a handle with a rate, how many there may be.

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use vaultlet_core::date;

use crate::call::Call;
use crate::error::{Error, Kind};
use crate::limits;

use super::budget::Budget;
use super::failure::Failure;
use super::message::Response;
use super::server::PlannedServer;

/// Requests that a handle has sent to vaults.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Traffic {
    /// All of them, those of retries included.
    pub requests: u64,
    /// Those of them that a vault refused because there were too many (429).
    pub throttled: u64,
}

/// The requests of one handle to vaults.
pub(super) struct VaultTraffic {
    requests: AtomicU64,
    throttled: AtomicU64,
    rate: Option<NonZeroU32>,
    /// The budget of each vault, by host and port.
    budgets: Mutex<Vec<((String, u16), Budget)>>,
}

impl VaultTraffic {
    pub(super) fn new(rate: Option<NonZeroU32>) -> Self {
        let (requests, throttled) = (AtomicU64::new(0), AtomicU64::new(0));
        Self { requests, throttled, rate, budgets: Mutex::default() }
    }

    pub(super) fn counts(&self) -> Traffic {
        let [requests, throttled] =
            [&self.requests, &self.throttled].map(|count| count.load(Ordering::Relaxed));
        Traffic { requests, throttled }
    }

    /// Sends a request to a vault when it is its turn.
    pub(super) fn exchange(
        &self,
        to: &PlannedServer,
        call: &Call,
        send: impl FnOnce() -> Result<Response, Failure>,
    ) -> Result<Response, Failure> {
        if let Some(rate) = self.rate {
            self.wait(to, rate, call)?;
        }
        self.requests.fetch_add(1, Ordering::Relaxed);
        let limited = self.rate.map(|rate| (rate, Instant::now()));
        let response = send()?;
        if response.status == 429 {
            self.throttled.fetch_add(1, Ordering::Relaxed);
        }
        if let Some((rate, sent)) = limited {
            let (after, random) = (retry_after(&response), random());
            self.with_budget(to, rate, |budget| {
                budget.responded(response.status, after, sent, Instant::now(), random);
            });
        }
        Ok(response)
    }

    /// The time to wait before a retry, of which a handle with a rate waits a random part: the programs of many nodes
    /// would retry together otherwise. What the vault asks for is waited for in its budget.
    pub(super) fn spread(&self, wait: Duration) -> Duration {
        if self.rate.is_some() { wait.mul_f64(random()) } else { wait }
    }

    fn wait(&self, to: &PlannedServer, rate: NonZeroU32, call: &Call) -> Result<(), Error> {
        let ticket =
            Ticket { traffic: self, to, rate, number: self.with_budget(to, rate, Budget::enter) };
        loop {
            let turn = |budget: &mut Budget| budget.turn(ticket.number, Instant::now());
            let Some(at) = self.with_budget(to, rate, turn) else { return Ok(()) };
            if at >= call.deadline() {
                return Err(too_late(to, call, at));
            }
            call.wait(at, || None::<()>)?;
        }
    }

    fn with_budget<T>(
        &self,
        to: &PlannedServer,
        rate: NonZeroU32,
        work: impl FnOnce(&mut Budget) -> T,
    ) -> T {
        let mut budgets = self.lock();
        let is_it =
            |((host, port), _): &((String, u16), Budget)| *host == to.host && *port == to.port;
        let at = budgets.iter().position(is_it).unwrap_or_else(|| {
            let now = Instant::now();
            if budgets.len() >= limits::BUDGETS_KEPT {
                budgets.retain_mut(|(_, budget)| !budget.is_unused(now));
            }
            budgets.push(((to.host.clone(), to.port), Budget::new(rate.get(), now)));
            budgets.len() - 1
        });
        match budgets.get_mut(at) {
            Some((_, budget)) => work(budget),
            None => work(&mut Budget::new(rate.get(), Instant::now())),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<((String, u16), Budget)>> {
        self.budgets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place among those who wait, which is given up when this is dropped.
struct Ticket<'a> {
    traffic: &'a VaultTraffic,
    to: &'a PlannedServer,
    rate: NonZeroU32,
    number: u64,
}

impl Drop for Ticket<'_> {
    fn drop(&mut self) {
        self.traffic.with_budget(self.to, self.rate, |budget| budget.leave(self.number));
    }
}

/// The error of a call that may not take as long as it would have to wait.
fn too_late(to: &PlannedServer, call: &Call, at: Instant) -> Error {
    let wait = at.saturating_duration_since(Instant::now());
    let message = format!(
        "{}: `{to}` may be sent the next request in {:.1} s, which is longer than the call may take",
        call.doing(),
        wait.as_secs_f64(),
    );
    let help = "wait, and read less often; or allow more by `--timeout` and `--rate`";
    let mut error = Error::new(Kind::Throttled, "vault-throttled", message, help);
    error.retry_after = Some(wait);
    error
}

/// The time that a response asks to wait, in any of the forms that the component reads.
fn retry_after(response: &Response) -> Option<Duration> {
    let digits = |text: &str| {
        let text = text.trim();
        let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| text.parse().unwrap_or(u64::MAX))
    };
    for name in ["retry-after-ms", "x-ms-retry-after-ms"] {
        if let Some(ms) = response.header(name).and_then(digits) {
            return Some(Duration::from_millis(ms));
        }
    }
    let text = response.header("retry-after")?.trim();
    if let Some(seconds) = digits(text) {
        return Some(Duration::from_secs(seconds));
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let at = Duration::from_secs(u64::try_from(date::parse(text)?).ok()?);
    Some(at.saturating_sub(now))
}

/// A number from 0 to 1.
fn random() -> f64 {
    let mut bytes = [0; 4];
    // Without random numbers there is no jitter.
    let _ = rustls::crypto::ring::default_provider().secure_random.fill(&mut bytes);
    f64::from(u32::from_ne_bytes(bytes)) / f64::from(u32::MAX)
}
