//! `vaultlet agent`.

mod flags;
mod place;

use std::ffi::OsString;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use vaultlet_agent::{
    Agent as Serving, CacheSettings, Listener, Loaded, RuleSources, Server, manager,
};

use crate::child::{self, Attend, Signals, ToServer};
use crate::failure::Failure;
use crate::given_flags::GivenFlags;
use crate::options::Options;
use crate::output;
use crate::trimmed;

use flags::{Address, Rate, Seconds};

/// Hold secrets for the programs of this machine, and ask each vault once for all of them
///
/// The programs ask the agent when VAULTLET_AGENT says where it is: `vaultlet get`, `vaultlet run` and the
/// packages of each language, without an identity of their own. A secret is read when it is first asked for,
/// and then kept and read anew in the background. When the vault or the identity cannot be reached, an old value
/// serves for a while; after the vault has refused, it never does.
///
/// Only programs of this user are answered, and of the users that the policy names. The socket is
/// $XDG_RUNTIME_DIR/vaultlet.sock, or /run/vaultlet.sock of root, unless --socket, --http or the service manager
/// (LISTEN_FDS) says otherwise.
///
/// SIGHUP reads the policy and the token again, and asks for all secrets anew. SIGTERM ends the agent when all
/// requests are answered. With a COMMAND, vaultlet runs it with VAULTLET_AGENT set, and ends with its exit code.
#[derive(Args)]
#[command(after_help = "\
Examples:
  vaultlet agent -- torchrun --nproc-per-node 8 train.py
  vaultlet agent --socket /run/vaultlet/agent.sock --policy /etc/vaultlet/policy.toml
  vaultlet agent --allow 'akv://team-kv/*' --metrics 127.0.0.1:9464 &
  curl --unix-socket /run/vaultlet.sock 'http://localhost/v1/secret?reference=akv://team-kv/hub-token'")]
pub(crate) struct Agent {
    #[command(flatten)]
    given: GivenFlags,
    /// The unix socket to serve on [default: $XDG_RUNTIME_DIR/vaultlet.sock; /run/vaultlet.sock of root]
    #[arg(long, value_name = "PATH")]
    socket: Option<PathBuf>,
    /// Serve HTTP on this port of loopback, for programs that have the token; needs --token-file
    #[arg(long, value_name = "ADDR:PORT", value_parser = trimmed::parsed::<Address>())]
    http: Option<Address>,
    /// The file with the token that programs show on --http (`Authorization: Bearer`)
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// The policy: who may have which secrets, and where it is written down who had them
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// Allow these secrets alone: akv://VAULT/NAME, where * is any characters but /; may be repeated. With a
    /// policy, both must allow
    #[arg(long, value_name = "PATTERN", value_parser = trimmed::text())]
    allow: Vec<String>,
    /// How long a secret is kept before it is read anew, give or take a tenth
    #[arg(long, value_name = "SECONDS", default_value = "300", value_parser = trimmed::parsed::<Seconds<100, { 30 * DAY }>>())]
    ttl: Seconds<100, { 30 * DAY }>,
    /// How much longer an old value serves while the vault or the identity cannot be reached
    #[arg(long, value_name = "SECONDS", default_value = "86400", value_parser = trimmed::parsed::<Seconds<0, { 365 * DAY }>>())]
    stale: Seconds<0, { 365 * DAY }>,
    /// Wait a random part of this time before the first request to a vault, where many machines start at once
    #[arg(long, value_name = "SECONDS", default_value = "0", value_parser = trimmed::parsed::<Seconds<0, DAY>>())]
    splay: Seconds<0, DAY>,
    /// Requests a second to one vault at most, with a burst of as many; 0: no limit
    #[arg(long, value_name = "NUMBER", default_value = "50", value_parser = trimmed::parsed::<Rate>())]
    rate: Rate,
    /// Serve /metrics (Prometheus) and /healthz, and nothing else, on this port, without a token
    #[arg(long, value_name = "ADDR:PORT", value_parser = trimmed::parsed::<Address>())]
    metrics: Option<Address>,
    #[command(flatten)]
    options: Options,
    /// Run this command with VAULTLET_AGENT set, and end with its exit code
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

const DAY: u64 = 86_400;

/// Calls to vaults at once; further ones wait.
const CALLS: usize = 32;

/// The time that requests have to be answered when the command has ended.
const AFTER_COMMAND: Duration = Duration::from_millis(500);

/// The time that a client has, beside the vault's, to take its response when the agent was asked to end.
const AFTER_UPSTREAM: Duration = Duration::from_secs(10);

impl Agent {
    pub(crate) fn run(self) -> Result<ExitCode, Failure> {
        // Before anything else: a thread that is started earlier would get the signals.
        let signals = Signals::block();
        let inherited = Listener::inherited()?;
        self.check(&inherited)?;
        let socket = self.socket(&inherited)?;
        child::raise_descriptor_limit();
        let rules = RuleSources {
            policy: self.policy.clone(),
            allow: self.allow.clone(),
            token_file: self.token_file.clone(),
        };
        let rules = Loaded::read(rules)?;
        let vaultlet = self.options.open_for_agent(CALLS, self.rate.of_handle())?;
        let mut cache = CacheSettings::default();
        cache.ttl = self.ttl.duration();
        cache.stale = self.stale.duration();
        cache.splay = self.splay.duration();
        cache.timeout = self.options.timeout();
        let settings = self.options.settings()?;
        if cache.splay > cache.timeout {
            let _ = writeln!(
                std::io::stderr(),
                "vaultlet agent: `--splay` is longer than `--timeout` ({} s): until the first request to a vault was \
                 sent, programs may be told `timeout`",
                cache.timeout.as_secs_f64()
            );
        }
        let listeners = self.listeners(socket, inherited, rules.names_other_users())?;
        let address = listeners.iter().find_map(Listener::address);
        let ports: Vec<_> = listeners.iter().filter_map(told).collect();
        let agent =
            Serving { cache, vaultlet, settings, rules, version: env!("CARGO_PKG_VERSION") };
        let server = Server::start(agent, listeners)?;
        manager::ready();
        match child::command(&self.command) {
            Some(mut command) => {
                place::tell(&mut command, address.as_deref(), self.token_file.as_deref());
                let running = child::start(&mut command, &signals)?;
                let mut reloading = Reloading(&server);
                let ended = running.wait_with(&signals, &mut reloading);
                manager::stopping();
                server.stop(AFTER_COMMAND);
                Ok(ExitCode::from(ended.code))
            }
            None => {
                if !manager::is_told() {
                    place::print(address.as_deref(), self.token_file.as_deref())?;
                    output::serving("agent");
                }
                for line in ports {
                    let _ = writeln!(std::io::stderr(), "vaultlet agent: {line}");
                }
                serve(server, &signals, self.options.timeout() + AFTER_UPSTREAM)
            }
        }
    }

    /// Fails if a flag has no meaning without another one. A variable may stand for it all the same.
    fn check(&self, inherited: &[Listener]) -> Result<(), Failure> {
        let has_port = self.http.is_some() || inherited.iter().any(|it| it.port().is_some());
        if has_port && self.token_file.is_none() {
            let name = if self.http.is_some() { "`--http`" } else { "a port of `LISTEN_FDS`" };
            return Err(Failure::usage(&format!("{name} needs `--token-file`")));
        }
        if !has_port && self.given.has("--token-file") {
            return Err(Failure::usage("`--token-file` needs `--http`"));
        }
        if let Some(Address(address)) = self.http
            && !address.ip().is_loopback()
        {
            let what = "is not on loopback: say 127.0.0.1:PORT";
            return Err(match self.given.has("--http") {
                true => Failure::usage(&format!("`--http` {what}")),
                false => Failure::variable("VAULTLET_HTTP", &format!("it {what}")),
            });
        }
        Ok(())
    }

    /// The unix socket to serve on: the one that is named, else the default one if there is no other place.
    fn socket(&self, inherited: &[Listener]) -> Result<Option<PathBuf>, Failure> {
        match &self.socket {
            Some(path) => Ok(Some(path.clone())),
            None if self.http.is_some() || !inherited.is_empty() => Ok(None),
            None => place::default_socket().map(Some),
        }
    }

    /// Listens at all places.
    fn listeners(
        &self,
        socket: Option<PathBuf>,
        inherited: Vec<Listener>,
        is_open: bool,
    ) -> Result<Vec<Listener>, Failure> {
        let address = |address: &Option<Address>| address.as_ref().map(|it| it.0);
        let mut listeners = Vec::new();
        if let Some(path) = socket {
            listeners.push(Listener::unix(&path, is_open)?);
        }
        listeners.extend(inherited);
        if let Some(address) = address(&self.http) {
            listeners.push(Listener::http(address)?);
        }
        if let Some(address) = address(&self.metrics) {
            listeners.push(Listener::metrics(address)?);
        }
        Ok(listeners)
    }
}

/// Serves until a signal says that it is enough, and then for as long as requests are answered within this time.
fn serve(server: Server, signals: &Signals, within: Duration) -> Result<ExitCode, Failure> {
    loop {
        match signals.wait_as_server() {
            ToServer::Reload => reload(&server),
            ToServer::End => {
                manager::stopping();
                signals.let_abort();
                server.stop(within);
                return Ok(ExitCode::SUCCESS);
            }
            ToServer::Abort(code) => return Ok(ExitCode::from(code)),
        }
    }
}

fn reload(server: &Server) {
    manager::reloading();
    for error in server.reload() {
        Failure::from(error).tell("agent: going on with what was read before: ");
    }
    manager::ready();
}

/// Reads policy and token again when the command is told to do such a thing.
struct Reloading<'a>(&'a Server);

impl Attend for Reloading<'_> {
    fn hang_up(&mut self) {
        reload(self.0);
    }
}

/// What a person is told of a listener whose port may have been chosen by the system.
fn told(listener: &Listener) -> Option<String> {
    let port: SocketAddr = listener.port()?;
    match listener.address() {
        Some(_) => Some(format!("serving at http://{port}")),
        None => Some(format!("metrics at http://{port}/metrics")),
    }
}
