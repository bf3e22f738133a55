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

    /// The number of its process.
    pub fn id(&self) -> u32 {
        self.child.id()
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

/// Options of a handle, as the variables that a program of [`has_options`] gives them from.
const OPTIONS: [&str; 4] =
    ["OPTION_AGENT", "OPTION_AGENT_TOKEN_FILE", "OPTION_AGENT_FALLBACK", "OPTION_POLICY"];

/// Gives a language's options about agent and policy to its handle. The program opens one with an option for each of the
/// variables `OPTIONS` that is set, gets `akv://my-key-vault/db-password`, and prints its value, or the id of the error.
pub fn has_options(program: impl Fn() -> Run, value: &str) {
    let local = Local::builder().vault("my-key-vault").seed("db-password", value).start();
    let local = local.unwrap_or_else(|error| unreachable!("{error}"));
    let folder = TempDir::new().unwrap_or_else(|error| unreachable!("{error}"));
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        let written = std::fs::write(&path, text);
        written.unwrap_or_else(|error| unreachable!("{error}"));
        path.to_str().unwrap_or_default().to_owned()
    };
    let token = file("token", "t0ken-of-the-agent");
    let other = file("other", "an0ther-token");
    let denying = file("policy.toml", "[[allow]]\nreference = \"akv://my-key-vault/other\"\n");
    let port = free_port();
    let http = format!("127.0.0.1:{port}");
    let agent = Agent::start(&local, &["--http", &http, "--token-file", &token]);
    let (socket, http) = (format!("unix:{}", agent.socket().display()), format!("http://{http}"));
    let identity = local.environment();
    for (options, has_identity, expected) in [
        ([&*socket, "", "", ""], false, value),
        ([&http, &token, "", ""], false, value),
        ([&http, &other, "", ""], false, "agent-token"),
        (["unix:/nowhere", "", "", ""], true, "agent-unreachable"),
        (["unix:/nowhere", "", "direct", ""], true, value),
        (["unix:/nowhere", "", "sometimes", ""], true, "setting-malformed"),
        ([&socket, "", "", &denying], false, "policy-denied"),
        (["", "", "", &denying], true, "policy-denied"),
        (["", "", "", ""], true, value),
    ] {
        let given = OPTIONS.into_iter().zip(options).filter(|(_, value)| !value.is_empty());
        let identity = identity.iter().filter(|_| has_identity).cloned();
        let ended = program().environment(identity).environment(given).end();
        let printed = ended.stdout.trim_end();
        assert_eq!(printed, expected, "{options:?}: {} {}", ended.code, ended.stderr);
        for secret in [value, "t0ken-of-the-agent", "an0ther-token"] {
            assert!(!ended.stderr.contains(secret), "{options:?}: a secret is on stderr");
        }
    }
}

/// A port that nobody listens on.
fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0");
    let address = listener.and_then(|it| it.local_addr());
    address.map(|it| it.port()).unwrap_or_else(|error| unreachable!("{error}"))
}
