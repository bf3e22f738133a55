//! One run of one peer.

use std::{fs, path::Path, process::Stdio, time::Duration};

use anyhow::{Context, Result, bail, ensure};
use bench_measure::{Report, Task, value};
use nix::{sys::signal::Signal, unistd::Pid};
use tokio::{process::Command, time::timeout};

use crate::{
    peers::Id,
    phases::{self, Phase},
    sandbox::Trust,
    trace::{self, Calls},
};

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
    /// Minor page faults.
    pub(crate) faults: f64,
    /// Context switches, voluntary and involuntary ones.
    pub(crate) switches: f64,
}

/// What a run of a process left.
struct Ended {
    stdout: String,
    /// Without the launcher's line.
    stderr: String,
    used: Used,
}

/// Starts peers.
pub(crate) struct Launcher<'a> {
    pub(crate) root: &'a Path,
    pub(crate) trust: &'a Trust,
}

impl Launcher<'_> {
    /// Runs a process that prints one secret, and checks the value.
    pub(crate) fn cold(&self, id: Id, name: &str) -> Result<Used> {
        let command = id.command(self.root, &cold(name));
        Ok(match id.prints() {
            true => self.printing(id, name, &command, &[])?.used,
            false => self.start(id, &command, &[])?.used,
        })
    }

    /// Runs a process that makes many calls.
    pub(crate) fn report(&self, id: Id, task: &Task) -> Result<Report> {
        let ended = self.start(id, &id.command(self.root, task), &[])?;
        serde_json::from_str(&ended.stdout).with_context(|| format!("reading the report of {id}"))
    }

    /// Runs the program that has marks in it; returns its phases.
    pub(crate) fn phases(&self, name: &str) -> Result<Vec<Phase>> {
        let mut command = Id::Vaultlet.command(self.root, &cold(name));
        if let Some(program) = command.first_mut() {
            *program = phases::program(self.root).to_string_lossy().into_owned();
        }
        let variable = [(phases::VARIABLE, "1".to_owned())];
        let ended = self.printing(Id::Vaultlet, name, &command, &variable)?;
        phases::read(&ended.stderr, ended.used.wall_us)
    }

    /// Counts the system calls of a run, which takes many times longer than it otherwise would.
    pub(crate) fn traced(&self, id: Id, task: &Task) -> Result<Calls> {
        let file = self.trust.folder().join("system-calls");
        let mut command = trace::command(&file);
        command.extend(id.command(self.root, task));
        self.start(id, &command, &[])?;
        trace::read(&fs::read_to_string(file)?)
    }

    fn printing(
        &self,
        id: Id,
        name: &str,
        command: &[String],
        variables: &[(&str, String)],
    ) -> Result<Ended> {
        let ended = self.start(id, command, variables)?;
        let is_right = ended.stdout.trim_end() == value(name);
        ensure!(is_right, "{id} printed something else than the secret");
        Ok(ended)
    }

    fn start(&self, id: Id, command: &[String], variables: &[(&str, String)]) -> Result<Ended> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let child = Command::new(self.root.join("target/bench/release/bench-launch"))
                .args(command)
                .env_clear()
                .envs(id.environment(self.trust))
                .envs(variables.iter().cloned())
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
            let [status, wall_us, cpu_us, peak_kib, faults, switches] = numbers[..] else {
                bail!("{id} could not be started: {line}");
            };
            if status != 0.0 {
                let said: String = said.split_whitespace().collect::<Vec<_>>().join(" ");
                let said: String = said.chars().take(300).collect();
                bail!("{id} ended with {status}: {said}");
            }
            Ok(Ended {
                stdout: String::from_utf8(output.stdout)?,
                stderr: said.to_owned(),
                used: Used { wall_us, cpu_us, peak_kib, faults, switches },
            })
        })
    }
}

fn cold(name: &str) -> Task {
    Task::Cold { name: name.to_owned() }
}
