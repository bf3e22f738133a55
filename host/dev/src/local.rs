//! A running local Azure: what a test or a job must know of it, and its end.

use std::{collections::BTreeMap, fmt, path::Path, sync::Arc, thread};

use secrecy::ExposeSecret as _;
use serde_json::{Map, Value, json};
use tokio::runtime::Runtime;

use crate::{
    Application, Builder, Counters, Entry, Grant, authority::Verdict, ca::CaFiles, environment,
    files::Folder, limits, state::State,
};

/// A running local Azure; it ends when this is dropped.
pub struct Local {
    pub(crate) state: Arc<State>,
    pub(crate) files: CaFiles,
    pub(crate) vaults: BTreeMap<String, Vault>,
    pub(crate) proxy: String,
    pub(crate) control: String,
    pub(crate) authority: String,
    pub(crate) authority_http: String,
    pub(crate) environment: Vec<(String, String)>,
    pub(crate) runtime: Option<Runtime>,
    pub(crate) _folder: Folder,
}

/// Where a vault is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vault {
    pub(crate) url: String,
    pub(crate) localhost: String,
    pub(crate) http: String,
}

impl Local {
    /// One vault, `job`, without secrets; Azure ML's managed identity; all roles given.
    #[must_use]
    pub fn builder() -> Builder {
        Builder::new()
    }

    /// The variables that a child needs: identity endpoint, proxy and CA. One of them is a secret.
    #[must_use]
    pub fn environment(&self) -> &[(String, String)] {
        &self.environment
    }

    /// The variables that would lead a child to another identity than the local one, and are best
    /// removed from its environment before [`Local::environment`] is added.
    #[must_use]
    pub fn foreign_variables() -> &'static [&'static str] {
        environment::FOREIGN
    }

    /// All of this as JSON: vaults, proxy, control port, CA and environment.
    #[must_use]
    pub fn description(&self) -> Value {
        let vaults: Map<_, _> =
            self.vaults.iter().map(|(name, vault)| (name.clone(), vault.description())).collect();
        let environment: Map<_, _> = self
            .environment
            .iter()
            .map(|(name, value)| (name.clone(), Value::from(value.as_str())))
            .collect();
        json!({
            "vaults": vaults,
            "proxy": self.proxy,
            "authority": self.authority,
            "authorityHttp": self.authority_http,
            "control": self.control,
            "caFile": self.files.alone(),
            "env": environment,
        })
    }

    /// Where this vault is reached, by its name in any case.
    #[must_use]
    pub fn vault(&self, name: &str) -> Option<&Vault> {
        self.vaults.get(&name.to_ascii_lowercase())
    }

    /// All vaults by name.
    pub fn vaults(&self) -> impl Iterator<Item = (&str, &Vault)> {
        self.vaults.iter().map(|(name, vault)| (name.as_str(), vault))
    }

    /// The proxy that answers for the vaults' real names, as `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn proxy(&self) -> &str {
        &self.proxy
    }

    /// The token authority with TLS, as `https://localhost:PORT`: what `AZURE_AUTHORITY_HOST` takes.
    /// By the proxy it is at its real names.
    #[must_use]
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// The token authority without TLS, as `http://127.0.0.1:PORT`, for clients that can be given no
    /// CA.
    #[must_use]
    pub fn authority_http(&self) -> &str {
        &self.authority_http
    }

    /// The application that the authority knows, and its user.
    #[must_use]
    pub fn application(&self) -> &Application {
        self.state.authority.registry.application()
    }

    /// A token of the local OIDC issuer that the application trusts, for this subject and audience.
    /// `None` only if the system's random source fails.
    #[must_use]
    pub fn federated_token(&self, subject: &str, audience: &str) -> Option<String> {
        let lifetime = limits::FEDERATED_TOKEN_LIFETIME;
        let token = self.state.authority.federation.token(subject, audience, lifetime)?;
        Some(token.expose_secret().to_owned())
    }

    /// Lets the next token request fail with this code, as `POST /fault` does; false if the
    /// authority does not know it.
    pub fn fail_next_token(&self, code: &str) -> bool {
        code.parse().map(|code| self.state.authority.fail_next(code)).is_ok()
    }

    /// Says for the user whether a device that shows this code may have a token, as `POST /device`
    /// does; false if no such code waits.
    pub fn decide_device(&self, user_code: &str, approve: bool) -> bool {
        let user_code = user_code.to_owned();
        self.state.authority.devices.decide(&Verdict { user_code, approve })
    }

    /// The control port, as `http://127.0.0.1:PORT`: `GET /counters`, `GET /log`, `POST /reset`,
    /// `POST /grant`, `POST /device`, `POST /fault`.
    #[must_use]
    pub fn control(&self) -> &str {
        &self.control
    }

    /// The CA's certificate alone, in PEM.
    #[must_use]
    pub fn ca_file(&self) -> &Path {
        self.files.alone()
    }

    /// The system's roots and the CA's certificate, in PEM.
    #[must_use]
    pub fn ca_bundle(&self) -> &Path {
        self.files.bundle()
    }

    /// Gives a role from now on.
    pub fn grant(&self, grant: Grant) {
        self.state.access.grant(grant);
    }

    /// What was asked since the start or the last reset.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.state.counters()
    }

    /// The newest requests, oldest first.
    #[must_use]
    pub fn log(&self) -> Vec<Entry> {
        self.state.log()
    }

    /// Forgets counters and log; secrets and roles stay.
    pub fn reset_counters(&self) {
        self.state.reset();
    }
}

impl Drop for Local {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // On a thread of its own: a runtime must not be waited for inside another one.
            let stopping = thread::spawn(move || runtime.shutdown_timeout(limits::SHUTDOWN));
            // It can only have panicked, which must not happen a second time in a drop.
            let _ = stopping.join();
        }
    }
}

impl fmt::Debug for Local {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Local").field("vaults", &self.vaults).field("proxy", &self.proxy).finish()
    }
}

impl Vault {
    /// The real name, behind the proxy: `https://NAME.vault.azure.net`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// TLS without a proxy: `https://NAME.localhost:PORT`.
    #[must_use]
    pub fn localhost(&self) -> &str {
        &self.localhost
    }

    /// No TLS: `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn http(&self) -> &str {
        &self.http
    }

    fn description(&self) -> Value {
        json!({"url": self.url, "localhost": self.localhost, "http": self.http})
    }
}
