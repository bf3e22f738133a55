//! An agent of a test, `vaultlet agent`, and programs that find nothing but it.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;
use vaultlet_dev::Local;

use crate::{Ended, Run, vaultlet};

/// An agent that serves. It is killed when this is dropped.
pub struct Agent {
    child: Child,
    socket: PathBuf,
    _folder: TempDir,
}

impl Agent {
    /// Starts an agent in a local Azure.
    pub fn start(local: &Local, arguments: &[&str]) -> Self {
        let folder = TempDir::new().unwrap_or_else(|error| unreachable!("{error}"));
        let socket = folder.path().join("agent.sock");
        let child = serving(local, &socket, arguments);
        Self { child, socket, _folder: folder }
    }

    /// Its socket.
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// Kills it.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Starts it at the same place again.
    pub fn start_again(&mut self, local: &Local, arguments: &[&str]) {
        self.child = serving(local, &self.socket, arguments);
    }

    /// The variables of a program that finds this agent and no identity. With the last of them the component cannot
    /// be loaded.
    pub fn variables(&self) -> [(&'static str, String); 2] {
        let place = format!("unix:{}", self.socket.display());
        [("VAULTLET_AGENT", place), ("VAULTLET_CA_FILE", "/nowhere".to_owned())]
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        self.kill();
    }
}

fn serving(local: &Local, socket: &Path, arguments: &[&str]) -> Child {
    let mut command = Command::new(vaultlet());
    command.env_clear().envs(local.environment().iter().cloned()).arg("agent").arg("--socket");
    command.arg(socket).args(arguments);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap_or_else(|error| unreachable!("{error}"));
    let mut line = String::new();
    let _ = child.stdout.take().map(|out| BufReader::new(out).read_line(&mut line));
    assert!(line.starts_with("export VAULTLET_AGENT=unix:"), "it does not serve: {line}");
    child
}

/// Runs the job of a language with an agent that has the value of `akv://my-key-vault/db-password`, and no identity of
/// its own. It must not load the component.
pub fn runs_by_agent(job: Run, value: &str) -> Ended {
    let local = Local::builder().vault("my-key-vault").seed("db-password", value).start();
    let local = local.unwrap_or_else(|error| unreachable!("{error}"));
    let agent = Agent::start(&local, &[]);
    let ended = job.environment(agent.variables()).end();
    assert_eq!(ended.code, 0, "{}\n{}", ended.stdout, ended.stderr);
    assert!(local.counters().vault_requests() > 0, "it has asked somebody else");
    ended
}
