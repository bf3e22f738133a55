//! What the checks look at. Each thing is asked for once, when the first check needs it, and what failed is kept
//! for the checks that come after.

use std::cell::OnceCell;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use vaultlet_core::settings;
use vaultlet_host::{
    AGENT_VARIABLES, Agent, AgentStatus, Error, Kind, Probe, Secret, Seen, Step, Token,
    TokenRequest, Unrecorded, Vaultlet,
};

use super::finding::{Result as Found, fail};
use super::subjects::{Subject, Subjects};
use crate::failure::Failure;
use crate::options::Options;

pub(super) struct Facts<'a> {
    pub(super) options: &'a Options,
    /// The handle, or why it cannot be opened.
    pub(super) vaultlet: Result<Vaultlet, Failure>,
    /// What is wrong with settings, the handle's own error first, each with the check that it belongs to.
    faults: Vec<(&'static str, Failure)>,
    pub(super) subjects: Subjects,
    /// The env files.
    pub(super) files: &'a [PathBuf],
    until: Instant,
    agent: Option<Agent>,
    agent_status: OnceCell<Option<Result<AgentStatus, Error>>>,
    token: OnceCell<Option<Result<Token, Error>>>,
    vaults: OnceCell<Vec<Vault>>,
    secrets: OnceCell<Vec<(String, Result<Unrecorded, Error>)>>,
}

/// A vault, and what a connection to it shows.
pub(super) struct Vault {
    /// The host, with the port if it is not the usual one.
    pub(super) name: String,
    pub(super) probe: Result<Probe, Error>,
}

impl<'a> Facts<'a> {
    pub(super) fn new(options: &'a Options, subjects: Subjects, files: &'a [PathBuf]) -> Self {
        let vaultlet = options.open(CALLS);
        let until = Instant::now() + options.timeout();
        let mut faults: Vec<_> =
            vaultlet.as_ref().err().map(|it| (blame(None, it), it.clone())).into_iter().collect();
        if !faults.is_empty() {
            // Opening ends at the first, and does not say which variable it is about.
            for (name, fault) in options.faults().chain(agent_fault()) {
                let check = blame(Some(name), &fault);
                match faults.iter_mut().find(|(_, known)| known.message() == fault.message()) {
                    Some((known, _)) => *known = check,
                    None => faults.push((check, fault)),
                }
            }
        }
        let agent = vaultlet.as_ref().ok().and_then(|it| it.agent().ok().flatten());
        let (agent_status, token, vaults, secrets) = Default::default();
        Self {
            options,
            vaultlet,
            faults,
            subjects,
            files,
            until,
            agent,
            agent_status,
            token,
            vaults,
            secrets,
        }
    }

    /// The check that says why there is no handle, if there is none.
    pub(super) fn blamed(&self) -> Option<&'static str> {
        self.faults.first().map(|(check, _)| *check)
    }

    /// What is wrong with settings that belong to this check.
    pub(super) fn wrong(&self, check: &str) -> Vec<Found> {
        let faults = self.faults.iter().filter(|(belongs_to, _)| *belongs_to == check);
        faults.map(|(_, fault)| fail("", fault)).collect()
    }

    /// The error because this process lacks a resource, wherever it came up.
    pub(super) fn exhausted(&self) -> Option<Failure> {
        let token = || self.token()?.as_ref().err();
        let probes = || {
            self.vaults().iter().find_map(|vault| {
                match &vault.probe {
                    Ok(probe) => probe.seen.failed.as_ref().map(|(_, error)| error),
                    Err(error) => Some(error),
                }
                .filter(|error| is_exhausted(&error.id))
            })
        };
        let secrets = || {
            let all = self.secrets.get()?.iter();
            all.filter_map(|(_, secret)| secret.as_ref().err()).find(|it| is_exhausted(&it.id))
        };
        let found = token().filter(|error| is_exhausted(&error.id));
        found.or_else(probes).or_else(secrets).map(|error| Failure::from(error.clone()))
    }

    /// The agent that secrets come from.
    pub(super) fn agent(&self) -> Option<&Agent> {
        self.agent.as_ref()
    }

    /// Whether secrets come from an agent alone.
    pub(super) fn is_by_agent(&self) -> bool {
        self.agent.as_ref().is_some_and(|agent| !agent.falls_back)
    }

    /// What the agent says of itself; `None` without one.
    pub(super) fn agent_status(&self) -> Option<&Result<AgentStatus, Error>> {
        let get = || self.handle()?.agent_status_blocking().transpose();
        self.agent_status.get_or_init(get).as_ref()
    }

    /// The check that says why there is no agent, if nobody else is asked.
    pub(super) fn agentless(&self) -> Option<&'static str> {
        if self.is_by_agent() { self.agent_status()?.is_err().then_some("agent") } else { None }
    }

    /// The token, or why there is none; `None` without a handle.
    pub(super) fn token(&self) -> Option<&Result<Token, Error>> {
        let get = || {
            if self.is_by_agent() {
                return None;
            }
            // For the first vault, which may be of another cloud than the settings say.
            let resource = self.subjects.usable().find_map(|it| it.resource).map(str::to_owned);
            let request = TokenRequest { resource, ..TokenRequest::default() };
            Some(self.handle()?.token_blocking(request))
        };
        self.token.get_or_init(get).as_ref()
    }

    /// Each vault of a reference, once.
    pub(super) fn vaults(&self) -> &[Vault] {
        self.vaults.get_or_init(|| {
            let Ok(handle) = &self.vaultlet else { return Vec::new() };
            if self.is_by_agent() {
                return Vec::new();
            }
            let mut subjects: Vec<&Subject> = Vec::new();
            for subject in self.subjects.usable() {
                if !subjects.iter().any(|it| it.vault == subject.vault) {
                    subjects.push(subject);
                }
            }
            // A vault that hangs takes its part of half the time: the token and the secrets need the rest.
            let until = Instant::now() + self.left() / 2;
            let mut waiting = u32::try_from(subjects.len()).unwrap_or(u32::MAX);
            let probe = |subject: &Subject| {
                let left = until.saturating_duration_since(Instant::now()) / waiting.max(1);
                waiting = waiting.saturating_sub(1);
                let handle = handle.with_timeout(rounded(left));
                let probe = handle.probe_blocking(&subject.secret);
                Vault { name: subject.vault.clone(), probe }
            };
            subjects.into_iter().map(probe).collect()
        })
    }

    /// The secret of a reference, or why it cannot be read; `None` where the way to it has failed before.
    pub(super) fn secret(&self, subject: &Subject) -> Option<Result<&Secret, &Error>> {
        let secrets = self.secrets.get_or_init(|| self.all_secrets());
        let (_, got) = secrets.iter().find(|(reference, _)| *reference == subject.secret)?;
        Some(got.as_ref().map(Unrecorded::secret))
    }

    /// All secrets. None is given out, so that none is recorded.
    fn all_secrets(&self) -> Vec<(String, Result<Unrecorded, Error>)> {
        let reachable = self.subjects.usable().filter(|it| self.unreached(&it.vault).is_none());
        let mut names: Vec<_> = reachable.map(|it| it.secret.clone()).collect();
        names.sort_unstable();
        names.dedup();
        // Asking once more would take as long, and end as it did.
        let handle = self.handle();
        let handle = handle.filter(|_| self.agentless().or_else(|| self.tokenless()).is_none());
        let Some(handle) = handle else { return Vec::new() };
        match handle.get_each_blocking(&names) {
            Ok(results) => names.into_iter().zip(results).collect(),
            Err(error) => names.into_iter().map(|name| (name, Err(error.clone()))).collect(),
        }
    }

    /// The check that says why there is no token, if there is none.
    pub(super) fn tokenless(&self) -> Option<&'static str> {
        match self.token()? {
            Ok(_) => None,
            Err(error) if is_exhausted(&error.id) => Some("limits"),
            Err(error) if is_about_identity(error) => Some("identity"),
            Err(_) => Some("token"),
        }
    }

    /// The check that says why a vault cannot be reached, if it cannot.
    pub(super) fn unreached(&self, vault: &str) -> Option<&'static str> {
        let vault = self.vaults().iter().find(|it| it.name == vault)?;
        match &vault.probe {
            Ok(probe) => failed_step(&probe.seen).map(|(check, _)| check),
            Err(error) if is_exhausted(&error.id) => Some("limits"),
            Err(_) => Some("name"),
        }
    }

    /// The handle, with the time that is left.
    fn handle(&self) -> Option<Vaultlet> {
        let handle = self.vaultlet.as_ref().ok()?;
        Some(handle.with_timeout(rounded(self.left())))
    }

    fn left(&self) -> Duration {
        self.until.saturating_duration_since(Instant::now())
    }
}

/// A time in tenths of a second, for people, and never none.
fn rounded(time: Duration) -> Duration {
    let tenths = u64::try_from((time.as_millis() + 50) / 100).unwrap_or(u64::MAX);
    Duration::from_millis(tenths.max(1).saturating_mul(100))
}

/// The check that a failure to open a handle belongs to, by the variable that it is about.
fn blame(variable: Option<&str>, failure: &Failure) -> &'static str {
    let of_identity = [
        settings::ADDITIONAL_TENANTS,
        settings::CLIENT_ID,
        settings::EXCLUDE,
        settings::IDENTITY,
        settings::OBJECT_ID,
        settings::RESOURCE_ID,
        settings::USER_ASSERTION_FILE,
    ];
    match (failure.id(), variable) {
        (id, _) if is_exhausted(id) => "limits",
        ("ca-file", _) => "tls",
        ("settings-conflict" | "identity-id-unsupported" | "credential-file", _) => "identity",
        (_, Some(name)) if AGENT_VARIABLES.contains(&name) => "agent",
        (_, Some(name)) if name.to_ascii_uppercase().ends_with("_PROXY") => "proxy",
        (_, Some(name)) if name.starts_with("AZURE_") => "identity",
        (_, Some(name)) if of_identity.iter().any(|it| it.variable == name) => "identity",
        _ => "settings",
    }
}

/// Whether an error is because this process or machine lacks a resource, or may not use one.
pub(super) fn is_exhausted(id: &str) -> bool {
    id == "code-memory" || vaultlet_host::is_exhausted(id)
}

/// What is wrong with the variables about the agent, which belong together.
fn agent_fault() -> Option<(&'static str, Failure)> {
    let [name, ..] = AGENT_VARIABLES;
    let given = AGENT_VARIABLES.iter().filter_map(|it| Some((*it, std::env::var(it).ok()?)));
    let error = Vaultlet::builder().variables(given).concurrency(1).open().err()?;
    Some((name, error.into()))
}

/// The calls that are made at once.
const CALLS: usize = 8;

/// Whether there is no token because of what the identity is, and not because of a server.
pub(super) fn is_about_identity(error: &Error) -> bool {
    matches!(error.kind, Kind::NotConfigured | Kind::Configuration)
        && error.id != "certificate-untrusted"
        && !is_exhausted(&error.id)
}

/// The check that a step on the way to a vault belongs to, for the step that failed.
pub(super) fn failed_step(seen: &Seen) -> Option<(&'static str, &Error)> {
    let (step, error) = seen.failed.as_ref()?;
    let check = match step {
        _ if is_exhausted(&error.id) => "limits",
        Step::Proxy => "proxy",
        Step::Name => "name",
        Step::Tls => "tls",
        Step::Connection => "connection",
        // It says nothing of requests of another kind.
        _ => return None,
    };
    Some((check, error))
}
