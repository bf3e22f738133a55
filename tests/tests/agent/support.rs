//! An agent of a test, and requests to it, byte for byte.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;
use vaultlet_dev::{Local, Seed};
use vaultlet_tests::{Ended, kill, vaultlet};

pub(crate) const VALUE: &str = "v4lue-of-the-agent";
pub(crate) const MEMBER: &str = "m3mber-of-json";
pub(crate) const SECRETS: [&str; 2] = [VALUE, MEMBER];

/// A user of nobody.
pub(crate) const STRANGER: [&str; 3] = ["--reuid=61472", "--regid=61472", "--clear-groups"];

pub(crate) fn local() -> Local {
    Local::builder()
        .seed("s", VALUE)
        .seed("other", "an0ther-value")
        .seed("json", format!(r#"{{"user":"{MEMBER}","n":1}}"#))
        .seed("off", Seed::from("sw1tched-off").with_enabled(false))
        .seed("denied", "d3nied-value")
        .grant("managed:none:denied".parse().unwrap())
        .start()
        .unwrap()
}

/// A folder that other users may look into.
pub(crate) fn folder() -> TempDir {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

/// The program where every user can read it. Another process makes the copy: one that another test starts at this
/// moment would have the file open for writing for a while, and the system would not run it.
pub(crate) fn copy_of_program(folder: &Path) -> PathBuf {
    let copy = folder.join("vaultlet");
    let status = Command::new("cp").arg(vaultlet()).arg(&copy).status();
    assert!(status.unwrap().success());
    copy
}

/// A command with only `PATH` and the local Azure in its environment.
pub(crate) fn program(local: &Local, program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new(program);
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap()).stdin(Stdio::null());
    command.envs(local.environment().iter().cloned());
    command
}

/// An agent that serves.
pub(crate) struct Agent {
    pub(crate) child: Child,
    out: BufReader<ChildStdout>,
    /// What it printed first.
    pub(crate) line: String,
    pub(crate) socket: PathBuf,
    stderr: PathBuf,
    _folder: TempDir,
}

impl Agent {
    /// An agent on a socket of its own.
    #[track_caller]
    pub(crate) fn start(local: &Local, arguments: &[&str]) -> Self {
        Self::start_by(local, arguments, |_| {})
    }

    #[track_caller]
    pub(crate) fn start_by(
        local: &Local,
        arguments: &[&str],
        change: impl FnOnce(&mut Command),
    ) -> Self {
        let folder = folder();
        let socket = folder.path().join("agent.sock");
        Self::start_at(local, folder, &socket, arguments, change)
    }

    #[track_caller]
    pub(crate) fn start_at(
        local: &Local,
        folder: TempDir,
        socket: &Path,
        arguments: &[&str],
        change: impl FnOnce(&mut Command),
    ) -> Self {
        let stderr = folder.path().join("stderr");
        let mut command = program(local, vaultlet());
        command.arg("agent").arg("--socket").arg(socket).args(arguments);
        command.stdout(Stdio::piped()).stderr(File::create(&stderr).unwrap());
        change(&mut command);
        let mut child = command.spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        out.read_line(&mut line).unwrap();
        let socket = socket.to_owned();
        let mut agent = Self { child, out, line, socket, stderr, _folder: folder };
        if !agent.line.starts_with("export VAULTLET_AGENT=") {
            let _ = agent.child.wait();
            panic!("it did not serve: {}", agent.stderr());
        }
        agent
    }

    pub(crate) fn stderr(&self) -> String {
        std::fs::read_to_string(&self.stderr).unwrap()
    }

    pub(crate) fn signal(&self, signal: &str) {
        kill(self.child.id(), signal);
    }

    /// Waits for the end.
    pub(crate) fn ended(mut self) -> Ended {
        let mut stdout = String::new();
        self.out.read_to_string(&mut stdout).unwrap();
        let code = self.child.wait().unwrap();
        let stderr = self.stderr();
        let code = code.code().unwrap_or(-1);
        Ended { code, stdout, stderr }
    }

    #[track_caller]
    pub(crate) fn get(&self, target: &str) -> Answer {
        get(&self.socket, target)
    }

    #[track_caller]
    pub(crate) fn secret(&self, reference: &str) -> Answer {
        self.get(&format!("/v1/secret?reference={reference}"))
    }

    #[track_caller]
    pub(crate) fn post(&self, body: &str) -> Answer {
        let length = body.len();
        let head = "POST /v1/secrets HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n";
        send(&self.socket, &format!("{head}content-length: {length}\r\n\r\n{body}"))
    }

    #[track_caller]
    pub(crate) fn status(&self) -> Value {
        self.get("/v1/status").json()
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// A response.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// In lower case.
    pub(crate) headers: String,
    pub(crate) body: String,
}

impl Answer {
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The kind and the id of an error.
    #[track_caller]
    pub(crate) fn error(&self) -> (u16, String, String) {
        assert!(self.headers.contains("\ncontent-type: application/json"), "{self:?}");
        let error = self.json()["error"].clone();
        let text = |name: &str| error[name].as_str().unwrap_or_default().to_owned();
        assert!(!text("message").is_empty() && !text("help").is_empty(), "{self:?}");
        for secret in SECRETS {
            assert!(!self.body.contains(secret), "a value is in an error");
        }
        (self.status, text("kind"), text("id"))
    }

    #[track_caller]
    pub(crate) fn value(&self) -> String {
        assert_eq!(self.status, 200, "{self:?}");
        self.json()["value"].as_str().unwrap().to_owned()
    }
}

pub(crate) fn get(socket: &Path, target: &str) -> Answer {
    send(socket, &request(target, ""))
}

/// A request with these header lines, each ended by `\r\n`.
pub(crate) fn request(target: &str, headers: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nhost: localhost\r\n{headers}connection: close\r\n\r\n")
}

/// Sends exactly this text and reads to the end.
#[track_caller]
pub(crate) fn send(socket: &Path, text: &str) -> Answer {
    answer(UnixStream::connect(socket).unwrap(), text)
}

/// Sends exactly this text to a port and reads to the end.
#[track_caller]
pub(crate) fn send_to_port(address: &str, text: &str) -> Answer {
    answer(TcpStream::connect(address).unwrap(), text)
}

fn answer(mut stream: impl Read + Write, text: &str) -> Answer {
    // Whoever is refused early may not be able to write everything.
    let _ = stream.write_all(text.as_bytes());
    read(&mut stream).unwrap_or(Answer { status: 0, headers: String::new(), body: String::new() })
}

/// Reads a response to the end of the connection.
pub(crate) fn read(stream: &mut impl Read) -> io::Result<Answer> {
    let mut bytes = Vec::new();
    let read = stream.read_to_end(&mut bytes);
    if bytes.is_empty() {
        read?;
    }
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    Ok(Answer { status, headers: head.to_ascii_lowercase(), body: body.to_owned() })
}

/// Waits until something is so, which it must be soon.
#[track_caller]
pub(crate) fn until(what: &str, is_so: impl Fn() -> bool) {
    let late = Instant::now() + Duration::from_secs(60);
    while !is_so() {
        assert!(Instant::now() < late, "not within a minute: {what}");
        std::thread::yield_now();
    }
}
