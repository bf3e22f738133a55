//! One run of one peer.

use std::{path::Path, process::Stdio, time::Duration};

use anyhow::{Context, Result, bail, ensure};
use bench_measure::{Report, Task, value};
use nix::{sys::signal::Signal, unistd::Pid};
use tokio::{process::Command, time::timeout};

use crate::{peers::Id, sandbox::Trust};

/// The longest run of a peer; a hung peer must not block the benchmark.
const LIMIT: Duration = Duration::from_secs(300);

/// The resources that a process used.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Used {
    /// From its start to its end, in µs.
    pub(crate) wall_us: f64,
    /// User and system time in µs.
    pub(crate) cpu_us: f64,
    /// Peak resident memory in KiB.
    pub(crate) peak_kib: f64,
}

/// Starts peers.
pub(crate) struct Launcher<'a> {
    pub(crate) root: &'a Path,
    pub(crate) trust: &'a Trust,
}

impl Launcher<'_> {
    /// Runs a process that prints one secret, and checks the value.
    pub(crate) fn cold(&self, id: Id, name: &str) -> Result<Used> {
        let (stdout, used) = self.start(id, &Task::Cold { name: name.to_owned() })?;
        ensure!(stdout.trim_end() == value(name), "{id} printed something else than the secret");
        Ok(used)
    }

    /// Runs a process that makes many calls.
    pub(crate) fn report(&self, id: Id, task: &Task) -> Result<Report> {
        let (stdout, _) = self.start(id, task)?;
        serde_json::from_str(&stdout).with_context(|| format!("reading the report of {id}"))
    }

    fn start(&self, id: Id, task: &Task) -> Result<(String, Used)> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let child = Command::new(self.root.join("target/bench/release/bench-launch"))
                .args(id.command(self.root, task))
                .env_clear()
                .envs(id.environment(self.trust))
                .current_dir(self.trust.folder())
                .stdin(Stdio::null())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .process_group(0)
                .spawn()?;
            let group = child.id().and_then(|id| i32::try_from(id).ok()).context("it is gone")?;
            let Ok(output) = timeout(LIMIT, child.wait_with_output()).await else {
                nix::sys::signal::killpg(Pid::from_raw(group), Signal::SIGKILL)?;
                bail!("{id} took more than {} s", LIMIT.as_secs());
            };
            let output = output?;
            let stderr = String::from_utf8_lossy(&output.stderr);
            let (said, line) = stderr.trim_end().rsplit_once('\n').unwrap_or(("", &stderr));
            let numbers: Vec<f64> = line.split(' ').map_while(|n| n.trim().parse().ok()).collect();
            let [status, wall_us, cpu_us, peak_kib] = numbers[..] else {
                bail!("{id} could not be started: {line}");
            };
            let said: String = said.split_whitespace().collect::<Vec<_>>().join(" ");
            let said: String = said.chars().take(300).collect();
            ensure!(status == 0.0, "{id} ended with {status}: {said}");
            let stdout = String::from_utf8(output.stdout)?;
            Ok((stdout, Used { wall_us, cpu_us, peak_kib }))
        })
    }
}
