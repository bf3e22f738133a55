//! Shared by all peers in Rust: arguments, clocks and output.
//!
//! A peer is a program that takes one [`Task`] and prints either the secret (`cold`) or one line
//! of JSON, a [`Report`]. The peers differ only in the call, and the value of every call is checked.

use std::{
    future::Future,
    io::Write,
    sync::{
        Arc, Barrier,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, anyhow, ensure};
use clap::Subcommand;
use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};

/// The host name of the vault that all peers read from.
pub const VAULT_HOST: &str = "bench-kv.vault.azure.net";

/// The task of one run of a peer.
#[derive(Clone, Debug, Subcommand)]
pub enum Task {
    /// Print one secret's value; the whole process is measured from outside.
    Cold {
        /// The secret's name.
        name: String,
    },
    /// Read the same secret in sequential calls.
    WarmSame {
        /// Number of measured calls.
        calls: usize,
    },
    /// Read another secret in each of several sequential calls.
    WarmDiff {
        /// Number of measured calls.
        calls: usize,
    },
    /// Read different secrets from many concurrent callers.
    Conc {
        /// Number of threads or tasks.
        callers: usize,
        /// Number of measured calls of all callers together.
        calls: usize,
    },
}

/// The measurements of a run of many calls.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Report {
    /// The number of measured calls.
    pub calls: usize,
    /// The process's first call, connection and token included, in µs; 0 where not measured.
    pub first_us: f64,
    /// From the program's first line to its first value in µs; 0 where not measured.
    #[serde(default)]
    pub import_us: f64,
    /// The median duration of a call in µs.
    pub median_us: f64,
    /// The 99th percentile of the durations in µs.
    pub p99_us: f64,
    /// The duration of all calls together in µs.
    pub wall_us: f64,
    /// The process's user and system time during the calls in µs.
    pub cpu_us: f64,
    /// The process's minor page faults during the calls.
    pub faults: u64,
    /// Resident memory after the calls in KiB.
    pub rss_kib: u64,
}

/// The value of the secret with this name in the benchmark's vault.
pub fn value(name: &str) -> String {
    format!("value-of-{name}-0123456789abcdef0123456789abcdef")
}

/// Prints a secret's value, the output of `cold`.
pub fn print_value(value: &str) -> Result<()> {
    writeln!(std::io::stdout(), "{value}").context("printing the value")
}

/// Prints a report, the output of all other tasks.
pub fn print_report(report: &Report) -> Result<()> {
    writeln!(std::io::stdout(), "{}", serde_json::to_string(report)?).context("printing the report")
}

/// Makes sequential calls on this thread; the first one is measured separately.
pub fn warm(
    calls: usize,
    different: bool,
    mut call: impl FnMut(&str) -> Result<String>,
) -> Result<Report> {
    let first = Instant::now();
    check(FIRST, &call(FIRST)?)?;
    let first = first.elapsed();
    let names = names(calls, different);
    let clock = Clock::start()?;
    let mut durations = Vec::with_capacity(calls);
    for name in &names {
        let start = Instant::now();
        let value = call(name)?;
        durations.push(start.elapsed());
        check(name, &value)?;
    }
    clock.report(1, first, durations)
}

/// Makes sequential asynchronous calls; the first one is measured separately.
pub async fn warm_async(
    calls: usize,
    different: bool,
    mut call: impl AsyncFnMut(&str) -> Result<String>,
) -> Result<Report> {
    let first = Instant::now();
    check(FIRST, &call(FIRST).await?)?;
    let first = first.elapsed();
    let names = names(calls, different);
    let clock = Clock::start()?;
    let mut durations = Vec::with_capacity(calls);
    for name in &names {
        let start = Instant::now();
        let value = call(name).await?;
        durations.push(start.elapsed());
        check(name, &value)?;
    }
    clock.report(1, first, durations)
}

/// Runs one thread per caller, each with a call of its own from `open`. A fifth as many calls come
/// first, unmeasured.
pub fn threads<C>(
    callers: usize,
    calls: usize,
    open: impl Fn() -> Result<C> + Sync,
) -> Result<Report>
where
    C: FnMut(&str) -> Result<String>,
{
    let (before, measured) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let (warmed, started) = (Barrier::new(callers + 1), Barrier::new(callers + 1));
    thread::scope(|scope| {
        let caller = || {
            // A failed caller must still reach the barriers, or the others would wait forever.
            let opened = open().and_then(|mut call| {
                rounds(&before, calls / 5, &mut call)?;
                Ok(call)
            });
            warmed.wait();
            started.wait();
            rounds(&measured, calls, &mut opened?)
        };
        let running: Vec<_> = (0..callers).map(|_| scope.spawn(caller)).collect();
        warmed.wait();
        // The clock starts before the callers do, as this thread may be the last to run again.
        let clock = Clock::start();
        started.wait();
        let clock = clock?;
        let mut durations = Vec::with_capacity(calls);
        for thread in running {
            durations.extend(thread.join().map_err(|_| anyhow!("a caller panicked"))??);
        }
        clock.report(callers, Duration::ZERO, durations)
    })
}

/// Runs one task per caller on the current runtime. A fifth as many calls come first, unmeasured.
pub async fn tasks<C, A>(callers: usize, calls: usize, call: C) -> Result<Report>
where
    C: Fn(String) -> A + Clone + Send + 'static,
    A: Future<Output = Result<String>> + Send,
{
    round(callers, calls / 5, &call).await?;
    let clock = Clock::start()?;
    let durations = round(callers, calls, &call).await?;
    clock.report(callers, Duration::ZERO, durations)
}

const FIRST: &str = "s0";

fn names(calls: usize, different: bool) -> Vec<String> {
    (1..=calls).map(|i| if different { format!("s{i}") } else { FIRST.to_owned() }).collect()
}

fn check(name: &str, got: &str) -> Result<()> {
    ensure!(got == value(name), "`{name}` came back with another value");
    Ok(())
}

fn rounds(
    next: &AtomicUsize,
    calls: usize,
    call: &mut impl FnMut(&str) -> Result<String>,
) -> Result<Vec<Duration>> {
    let mut durations = Vec::new();
    loop {
        let i = next.fetch_add(1, Ordering::Relaxed);
        if i >= calls {
            return Ok(durations);
        }
        let name = format!("s{i}");
        let start = Instant::now();
        let value = call(&name)?;
        durations.push(start.elapsed());
        check(&name, &value)?;
    }
}

async fn round<C, A>(callers: usize, calls: usize, call: &C) -> Result<Vec<Duration>>
where
    C: Fn(String) -> A + Clone + Send + 'static,
    A: Future<Output = Result<String>> + Send,
{
    let next = Arc::new(AtomicUsize::new(0));
    let running: Vec<_> = (0..callers)
        .map(|_| {
            let (call, next) = (call.clone(), Arc::clone(&next));
            tokio::spawn(async move {
                let mut durations = Vec::new();
                loop {
                    let i = next.fetch_add(1, Ordering::Relaxed);
                    if i >= calls {
                        return Ok::<_, anyhow::Error>(durations);
                    }
                    let name = format!("s{i}");
                    let start = Instant::now();
                    let value = call(name.clone()).await?;
                    durations.push(start.elapsed());
                    check(&name, &value)?;
                }
            })
        })
        .collect();
    let mut durations = Vec::with_capacity(calls);
    for task in running {
        durations.extend(task.await??);
    }
    Ok(durations)
}

struct Clock {
    wall: Instant,
    cpu: Duration,
    faults: u64,
}

impl Clock {
    fn start() -> Result<Clock> {
        Ok(Clock { faults: faults()?, cpu: cpu()?, wall: Instant::now() })
    }

    fn report(
        self,
        callers: usize,
        first: Duration,
        mut durations: Vec<Duration>,
    ) -> Result<Report> {
        let wall = self.wall.elapsed();
        let cpu = cpu()?.saturating_sub(self.cpu);
        let faults = faults()?.saturating_sub(self.faults);
        let spent = durations.iter().map(Duration::as_secs_f64).sum::<f64>();
        ensure!(
            spent <= wall.as_secs_f64() * callers as f64,
            "the calls took longer than there was time: the clock did not run for all of them"
        );
        durations.sort_unstable();
        let at = |percent: usize| {
            let i = (durations.len() * percent / 100).min(durations.len().saturating_sub(1));
            durations.get(i).map(micros).context("no call was measured")
        };
        Ok(Report {
            calls: durations.len(),
            first_us: micros(&first),
            import_us: 0.0,
            median_us: at(50)?,
            p99_us: at(99)?,
            wall_us: micros(&wall),
            cpu_us: micros(&cpu),
            faults,
            rss_kib: resident()?,
        })
    }
}

fn micros(duration: &Duration) -> f64 {
    duration.as_secs_f64() * 1e6
}

fn cpu() -> Result<Duration> {
    Ok(clock_gettime(ClockId::ProcessCPUTime).try_into()?)
}

/// Minor page faults of all threads: the tenth field of `stat`, the eighth after the program's name.
fn faults() -> Result<u64> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let (_, after) = stat.rsplit_once(')').context("/proc/self/stat names no program")?;
    Ok(after.split_whitespace().nth(7).context("/proc/self/stat has no page faults")?.parse()?)
}

fn resident() -> Result<u64> {
    std::fs::read_to_string("/proc/self/status")?
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:")?.split_whitespace().next()?.parse().ok())
        .context("VmRSS is not in /proc/self/status")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_value_fails_the_run() {
        let error = warm(1, false, |_| Ok("other".into())).unwrap_err();
        assert_eq!(error.to_string(), "`s0` came back with another value");
    }

    #[test]
    fn different_names_are_asked_for() {
        let mut asked = Vec::new();
        let report = warm(2, true, |name| {
            asked.push(name.to_owned());
            Ok(value(name))
        });
        assert_eq!((asked.join(" "), report.unwrap().calls), ("s0 s1 s2".into(), 2));
    }

    #[test]
    fn threads_share_the_calls() {
        let report = threads(4, 100, || Ok(|name: &str| Ok(value(name)))).unwrap();
        assert_eq!(report.calls, 100);
    }

    #[test]
    fn calls_outside_the_clock_fail_the_run() {
        let late = Clock::start().unwrap().report(2, Duration::ZERO, vec![Duration::from_hours(1)]);
        assert!(late.unwrap_err().to_string().contains("the clock did not run"));
    }

    #[test]
    fn memory_that_is_touched_is_counted() {
        let before = faults().unwrap();
        let touched = vec![1_u8; 4 << 20];
        assert!(faults().unwrap() >= before + 4, "{}", touched.len());
    }

    #[test]
    fn one_failing_thread_does_not_hang_the_others() {
        let opened = AtomicUsize::new(0);
        let error = threads(4, 100, || {
            ensure!(opened.fetch_add(1, Ordering::Relaxed) > 0, "no connection");
            Ok(|name: &str| Ok(value(name)))
        });
        assert_eq!(error.unwrap_err().to_string(), "no connection");
    }
}
