//! The machine: its description, its other load, and how its processors are kept awake.

use std::{
    fs,
    path::Path,
    process::{Child, Command, Stdio},
    thread::{available_parallelism, sleep},
    time::{Duration, Instant},
};

use anyhow::{Context, Result};

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
