//! The machine: its description, its other load, and how its processors are kept awake.

use std::{
    fs,
    path::Path,
    process::{Child, Command, Stdio},
    thread::{available_parallelism, sleep},
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use nix::sys::{
    resource::{UsageWho, getrusage},
    time::TimeValLike,
};

/// Processes of idle priority that keep the processors from halting. A halted virtual processor
/// takes long to wake, and a request and its response would mostly measure that.
pub(crate) struct Spinners(Vec<Child>);

impl Spinners {
    /// One per processor; `None` where `chrt` is missing.
    pub(crate) fn start(root: &Path) -> Option<Spinners> {
        let launch = root.join("target/bench/release/bench-launch");
        let mut spinners = Spinners(Vec::new());
        for _ in 0..processors() {
            let mut command = Command::new("chrt");
            command.args(["--idle", "0"]).arg(&launch).arg("--spin").stdin(Stdio::null());
            spinners.0.push(command.spawn().ok()?);
        }
        Some(spinners)
    }
}

impl Drop for Spinners {
    fn drop(&mut self) {
        for child in &mut self.0 {
            // Both fail only if the process has already ended.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Waits until the machine is mostly idle, at most `limit`; returns the remaining load, 0 to 1.
pub(crate) fn settle(limit: Duration) -> Result<f64> {
    let start = Instant::now();
    loop {
        let before = times()?;
        sleep(Duration::from_millis(80));
        let after = times()?;
        let (all, idle) = (after.0 - before.0, after.1 - before.1);
        let busy = if all > 0.0 { 1.0 - idle / all } else { 0.0 };
        if busy < 0.3 || start.elapsed() > limit {
            return Ok(busy);
        }
    }
}

/// Measures how much of the processors' time others use.
pub(crate) struct Meter {
    all: f64,
    busy: f64,
    own: f64,
}

impl Meter {
    pub(crate) fn start() -> Result<Meter> {
        let (all, idle) = times()?;
        Ok(Meter { all, busy: all - idle, own: own()? })
    }

    /// The processor time since the start that was neither idle nor used by the benchmark and by processes
    /// of its that have ended, as a share of all.
    pub(crate) fn other(self) -> Result<f64> {
        let now = Meter::start()?;
        let (all, busy) = (now.all - self.all, now.busy - self.busy);
        let share = (busy - (now.own - self.own)) / all;
        Ok(if share.is_nan() { 0.0 } else { share.clamp(0.0, 1.0) })
    }
}

/// The processor time of this process, and of its children that have ended, in clock ticks.
fn own() -> Result<f64> {
    /// Linux counts for programs in ticks of 10 ms, whatever its own are.
    const TICK_US: f64 = 10_000.0;
    let mut us = 0;
    for who in [UsageWho::RUSAGE_SELF, UsageWho::RUSAGE_CHILDREN] {
        let used = getrusage(who)?;
        us += used.user_time().num_microseconds() + used.system_time().num_microseconds();
    }
    Ok(us as f64 / TICK_US)
}

/// The processor and the kernel.
pub(crate) fn description() -> String {
    let read = |path| fs::read_to_string(path).unwrap_or_default();
    let cpus = read("/proc/cpuinfo");
    let model = cpus.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let model = model.map_or("unknown processor", |(_, model)| model);
    let kernel = read("/proc/sys/kernel/osrelease");
    format!("{} × {model}, Linux {}", processors(), kernel.trim())
}

fn processors() -> usize {
    available_parallelism().map_or(1, usize::from)
}

/// Clock ticks since boot: all, and idle ones.
fn times() -> Result<(f64, f64)> {
    let stat = fs::read_to_string("/proc/stat")?;
    let line = stat.lines().next().context("/proc/stat is empty")?;
    let ticks: Vec<f64> = line.split_whitespace().skip(1).map_while(|n| n.parse().ok()).collect();
    let idle = ticks.iter().skip(3).take(2).sum();
    Ok((ticks.iter().take(8).sum(), idle))
}
