//! What the checks look at. Each thing is asked for once, when the first check needs it, and what failed is kept
//! for the checks that come after.

use std::cell::OnceCell;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use vaultlet_host::{Error, Kind, Probe, Secret, Seen, Step, Token, TokenRequest, Vaultlet};

use super::subjects::{Subject, Subjects};
use crate::failure::Failure;
use crate::options::Options;

pub(super) struct Facts<'a> {
    pub(super) options: &'a Options,
    /// The handle, or why it cannot be opened.
    pub(super) vaultlet: Result<Vaultlet, Failure>,
    pub(super) subjects: Subjects,
    /// The env files.
    pub(super) files: &'a [PathBuf],
    until: Instant,
    token: OnceCell<Option<Result<Token, Error>>>,
    vaults: OnceCell<Vec<Vault>>,
    secrets: OnceCell<Vec<(String, Result<Secret, Error>)>>,
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
        let (token, vaults, secrets) = Default::default();
        Self { options, vaultlet, subjects, files, until, token, vaults, secrets }
    }

    /// The check that says why there is no handle, if there is none.
    pub(super) fn blamed(&self) -> Option<&'static str> {
        let failure = self.vaultlet.as_ref().err()?;
        let is_about = |words: &[&str]| words.iter().any(|word| failure.message().contains(word));
        Some(match failure.id() {
            "descriptor-limit" | "process-limit" | "memory-limit" | "system-descriptors"
            | "address-space" | "memory-file" | "code-memory" => "limits",
            "ca-file" => "tls",
            "settings-conflict" | "identity-id-unsupported" | "credential-file" => "identity",
            _ if is_about(&["_PROXY", "_proxy"]) => "proxy",
            _ if is_about(&IDENTITY) => "identity",
            _ => "settings",
        })
    }

    /// The token, or why there is none; `None` without a handle.
    pub(super) fn token(&self) -> Option<&Result<Token, Error>> {
        let get = || {
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
            let mut vaults: Vec<Vault> = Vec::new();
            for subject in self.subjects.usable() {
                let Some(handle) = self.handle() else { break };
                if !vaults.iter().any(|vault| vault.name == subject.vault) {
                    let probe = handle.probe_blocking(&subject.secret);
                    vaults.push(Vault { name: subject.vault.clone(), probe });
                }
            }
            vaults
        })
    }

    /// The secret of a reference, or why it cannot be read; `None` where the way to it has failed before.
    pub(super) fn secret(&self, subject: &Subject) -> Option<&Result<Secret, Error>> {
        let secrets = self.secrets.get_or_init(|| self.all_secrets());
        secrets.iter().find(|(reference, _)| *reference == subject.secret).map(|(_, secret)| secret)
    }

    fn all_secrets(&self) -> Vec<(String, Result<Secret, Error>)> {
        let reachable = self.subjects.usable().filter(|it| self.unreached(&it.vault).is_none());
        let mut names: Vec<_> = reachable.map(|it| it.secret.clone()).collect();
        names.sort_unstable();
        names.dedup();
        // Asking once more would take as long, and end as it did.
        let handle = self.handle().filter(|_| self.tokenless().is_none());
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
            Err(error) if is_about_identity(error) => Some("identity"),
            Err(_) => Some("token"),
        }
    }

    /// The check that says why a vault cannot be reached, if it cannot.
    pub(super) fn unreached(&self, vault: &str) -> Option<&'static str> {
        let vault = self.vaults().iter().find(|it| it.name == vault)?;
        match &vault.probe {
            Ok(probe) => failed_step(&probe.seen).map(|(check, _)| check),
            Err(_) => Some("name"),
        }
    }

    /// The handle, with the time that is left.
    fn handle(&self) -> Option<Vaultlet> {
        let left = self.until.saturating_duration_since(Instant::now());
        let handle = self.vaultlet.as_ref().ok()?;
        Some(handle.with_timeout(left.max(Duration::from_millis(1))))
    }
}

/// Words that stand in messages about settings of the identity.
const IDENTITY: [&str; 9] = [
    "AZURE_",
    "VAULTLET_IDENTITY",
    "VAULTLET_EXCLUDE",
    "_ID`",
    "--identity",
    "--exclude",
    "--client-id",
    "--object-id",
    "--resource-id",
];

/// The calls that are made at once.
const CALLS: usize = 8;

/// Whether there is no token because of what the identity is, and not because of a server.
pub(super) fn is_about_identity(error: &Error) -> bool {
    matches!(error.kind, Kind::NotConfigured | Kind::Configuration)
        && error.id != "certificate-untrusted"
}

/// The check that a step on the way to a vault belongs to, for the step that failed.
pub(super) fn failed_step(seen: &Seen) -> Option<(&'static str, &Error)> {
    let (step, error) = seen.failed.as_ref()?;
    let check = match step {
        Step::Proxy => "proxy",
        Step::Name => "name",
        Step::Tls => "tls",
        Step::Connection => "connection",
        // It says nothing of requests of another kind.
        _ => return None,
    };
    Some((check, error))
}
