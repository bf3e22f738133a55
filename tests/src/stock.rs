//! Runs the component on the unmodified `wasmtime` command line, against the HTTP ports of a local
//! Azure.

#![allow(clippy::missing_panics_doc, clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use vaultlet_dev::Local;

use crate::sandbox::skipped;
use crate::{Ended, Run, root, target, vaultlet};

/// The value of the secrets `db` and `denied`, of which `denied` has no permission to be read.
pub const VALUE: &str = "correct horse battery staple é";
const VERSION: &str = "wasmtime 48.0.8";

/// Flags that compile a component in half the time.
pub const QUICKLY: [&str; 4] = ["-O", "opt-level=0", "-O", "regalloc-algorithm=single-pass"];

/// The component, as a build of the workspace leaves it.
pub fn component() -> PathBuf {
    target().join("vaultlet.wasm")
}

/// The component over WASI 0.3, which is built when it is asked for.
pub fn component_p3() -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    let built = || {
        let mut build = Command::new(root().join("guest/build/run"));
        // Not where the build script of the host that is being tested would put it.
        build.arg("--p3").env("CARGO_TARGET_DIR", target()).env_remove("OUT_DIR");
        let built = build.output().unwrap();
        assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
        target().join("vaultlet-p3.wasm")
    };
    BUILT.get_or_init(built).clone()
}

/// A version of WASI, which has a component of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wasi {
    /// WASI 0.2: `vaultlet.wasm`.
    P2,
    /// WASI 0.3: `vaultlet-p3.wasm`.
    P3,
}

impl Wasi {
    /// The component.
    pub fn component(self) -> PathBuf {
        match self {
            Self::P2 => component(),
            Self::P3 => component_p3(),
        }
    }

    /// The flags of `wasmtime` for this version.
    fn flags(self) -> &'static [&'static str] {
        match self {
            Self::P2 => &[],
            Self::P3 => &["-S", "p3", "-W", "component-model-async"],
        }
    }

    /// The exit code of a command that failed with this one: WASI 0.2 knows only that it failed.
    pub fn exit(self, code: i32) -> i32 {
        match self {
            Self::P2 => code.min(1),
            Self::P3 => code,
        }
    }
}

/// A local Azure for a job that runs in a stock runtime.
pub struct Job {
    /// The version of WASI.
    pub wasi: Wasi,
    /// The local Azure.
    pub local: Local,
}

impl Job {
    /// A job for `wasmtime` in each version of WASI; none if the program is missing and the test is skipped.
    pub fn each() -> Vec<Self> {
        let job = |wasi| Some(Self { wasi, ..Self::new()? });
        [job(Wasi::P2), job(Wasi::P3)].into_iter().flatten().collect()
    }

    /// A job for `wasmtime`; `None` if the program is missing and the test is skipped.
    pub fn new() -> Option<Self> {
        let version = Command::new("wasmtime").arg("--version").output().ok();
        let version = version.map(|o| String::from_utf8_lossy(&o.stdout).into_owned());
        if !version.is_some_and(|version| version.starts_with(VERSION)) {
            skipped("stock", "`wasmtime` 48.0.8 is not installed");
            return None;
        }
        Some(Self::anywhere())
    }

    /// A job for another runtime.
    pub fn anywhere() -> Self {
        // This builds the component, too.
        vaultlet();
        let local = Local::builder()
            .seed("db", VALUE)
            .seed("denied", VALUE)
            .seed("hub-token", "it's")
            .grant("managed:none:denied".parse().unwrap())
            .start()
            .unwrap();
        Self { wasi: Wasi::P2, local }
    }

    /// The URL of a secret.
    pub fn reference(&self, name: &str) -> String {
        format!("{}/secrets/{name}", self.local.vault("job").unwrap().http())
    }

    /// The port of the vault.
    pub fn port(&self) -> &str {
        self.local.vault("job").unwrap().http().rsplit(':').next().unwrap()
    }

    /// The variables that the component needs.
    pub fn variables(&self) -> Vec<(String, String)> {
        let mut variables = vec![("VAULTLET_ALLOW_HTTP_LOOPBACK".to_owned(), "true".to_owned())];
        let wanted = |(name, _): &&(String, String)| name.starts_with("MSI_");
        variables.extend(self.local.environment().iter().filter(wanted).cloned());
        variables
    }

    /// The secret of the identity endpoint, which must not be shown.
    pub fn msi_secret(&self) -> &str {
        let environment = self.local.environment().iter();
        environment.filter(|(name, _)| name == "MSI_SECRET").map(|(_, v)| v).next().unwrap()
    }

    /// Runs the component as a command.
    pub fn run<A: AsRef<str>>(&self, arguments: &[A]) -> Ended {
        let arguments: Vec<_> = arguments.iter().map(AsRef::as_ref).collect();
        self.wasmtime(&QUICKLY, &self.wasi.component(), &arguments)
    }

    /// Runs `wasmtime run`. Variables are passed by name, so that no value is on the command line.
    pub fn wasmtime(&self, flags: &[&str], component: &Path, arguments: &[&str]) -> Ended {
        self.wasmtime_with(&[], flags, component, arguments)
    }

    /// Runs `wasmtime run` with more variables.
    pub fn wasmtime_with(
        &self,
        more: &[(&str, &str)],
        flags: &[&str],
        component: &Path,
        arguments: &[&str],
    ) -> Ended {
        let mut variables = self.variables();
        variables.extend(more.iter().map(|(name, value)| ((*name).into(), (*value).into())));
        let names = variables.iter().flat_map(|(name, _)| ["--env", name]);
        Run::program("wasmtime")
            .arguments(["run", "-S", "http"])
            .arguments(self.wasi.flags())
            .arguments(names)
            .arguments(flags)
            .arguments([component])
            .arguments(arguments)
            .environment(variables.iter().cloned())
            .end()
    }
}

/// A running `wasmtime serve`, which is killed when it is dropped.
pub struct Served {
    child: Child,
    at: String,
}

impl Served {
    /// Starts `wasmtime serve` with the job's variables and some more.
    pub fn start(job: &Job, more: &[(&str, &str)]) -> Self {
        let mut variables = job.variables();
        variables.extend(more.iter().map(|(name, value)| ((*name).into(), (*value).into())));
        let mut command = Command::new("wasmtime");
        command.args(["serve", "-S", "cli", "--addr", "127.0.0.1:0"]).args(job.wasi.flags());
        command.args(variables.iter().flat_map(|(name, _)| ["--env", name]));
        command.args(QUICKLY).arg(job.wasi.component()).envs(variables.iter().cloned());
        command.stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // `Serving HTTP on http://127.0.0.1:PORT/`
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let line = lines.find_map(|line| line.ok().filter(|l| l.contains("http://"))).unwrap();
        // The output is read to its end, so that the program never blocks on a full pipe.
        std::thread::spawn(move || lines.for_each(drop));
        let at = line.split("http://").nth(1).unwrap().trim_end_matches('/').to_owned();
        Self { child, at }
    }

    /// Sends a `GET`; returns status, headers in lower case, and body.
    pub fn get(&self, path: &str, header: &str) -> (u16, String, String) {
        self.ask("GET", path, header)
    }

    /// Sends a request; returns status, headers in lower case, and body.
    pub fn ask(&self, method: &str, path: &str, header: &str) -> (u16, String, String) {
        let mut stream = TcpStream::connect(&self.at).unwrap();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\n{header}connection: close\r\n\r\n",
            self.at
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (headers, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = headers.split(' ').nth(1).unwrap().parse().unwrap();
        (status, headers.to_ascii_lowercase(), unchunked(body))
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The body of a chunked response.
fn unchunked(body: &str) -> String {
    let mut whole = String::new();
    let mut rest = body;
    while let Some((size, after)) = rest.split_once("\r\n") {
        let Ok(size) = usize::from_str_radix(size.trim(), 16) else { return body.to_owned() };
        let Some((chunk, next)) = after.split_at_checked(size) else { return body.to_owned() };
        whole.push_str(chunk);
        rest = next.strip_prefix("\r\n").unwrap_or(next);
    }
    if whole.is_empty() { rest.to_owned() } else { whole }
}
