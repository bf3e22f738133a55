//! A running local Azure: its addresses, its control by a test, and its shutdown.

use std::{
    collections::BTreeMap,
    fmt,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    thread,
};

use secrecy::ExposeSecret as _;
use serde_json::{Map, Value, json};
use tokio::runtime::Runtime;

use crate::{
    authority::{Application, Decision},
    ca::CaFiles,
    counters::Counters,
    environment,
    files::Folder,
    limits,
    log::Entry,
    state::State,
    vault::Grant,
};

/// A running local Azure, which stops when this value is dropped.
///
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

/// The addresses of a vault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vault {
    pub(crate) url: String,
    pub(crate) localhost: String,
    pub(crate) http: String,
}

impl Local {
    /// The environment variables that a child process needs for the identity, the proxy and the CA.
    /// Most identity forms have a secret, or the path of one, among them.
    #[must_use]
    pub fn environment(&self) -> &[(String, String)] {
        &self.environment
    }

    /// Names of the variables that would give a child process another identity than the local one.
    ///
    /// Remove them from its environment before you add [`Local::environment`].
    #[must_use]
    pub fn foreign_variables() -> &'static [&'static str] {
        environment::FOREIGN
    }

    /// A JSON object with the vaults, proxy, authority, control port, CA file and environment.
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

    /// The vault with this name, in any case.
    #[must_use]
    pub fn vault(&self, name: &str) -> Option<&Vault> {
        self.vaults.get(&name.to_ascii_lowercase())
    }

    /// All vaults with their names, sorted by name.
    pub fn vaults(&self) -> impl Iterator<Item = (&str, &Vault)> {
        self.vaults.iter().map(|(name, vault)| (name.as_str(), vault))
    }

    /// The proxy that answers at the real names of vaults and authorities, as
    /// `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn proxy(&self) -> &str {
        &self.proxy
    }

    /// The token authority with TLS, as `https://localhost:PORT`, for `AZURE_AUTHORITY_HOST`.
    ///
    /// Through the proxy, the authority is reached at its real names.
    #[must_use]
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// The token authority without TLS, as `http://127.0.0.1:PORT`, for clients that cannot be
    /// configured to trust the CA.
    #[must_use]
    pub fn authority_http(&self) -> &str {
        &self.authority_http
    }

    /// The application and the user that are registered with the authority.
    #[must_use]
    pub fn application(&self) -> &Application {
        self.state.authority.registry.application()
    }

    /// A token from the OIDC issuer that the application trusts, with this subject and audience.
    ///
    /// `None` only if the system's random source fails.
    #[must_use]
    pub fn federated_token(&self, subject: &str, audience: &str) -> Option<String> {
        let lifetime = limits::FEDERATED_TOKEN_LIFETIME;
        let token = self.state.authority.federation.token(subject, audience, lifetime)?;
        Some(token.expose_secret().to_owned())
    }

    /// Makes the next token request fail with this code (`AADSTS53003`), as `POST /fault` does.
    ///
    /// Returns false if the local authority does not know the code.
    pub fn fail_next_token(&self, code: &str) -> bool {
        code.parse().map(|code| self.state.authority.fail_next(code)).is_ok()
    }

    /// Approves or declines a device code for the user, as `POST /device` does.
    ///
    /// Returns false if no such code is pending.
    pub fn decide_device(&self, user_code: &str, approve: bool) -> bool {
        let user_code = user_code.to_owned();
        self.state.authority.device_codes.decide(&Decision { user_code, approve })
    }

    /// The control port, as `http://127.0.0.1:PORT`: `GET /counters`, `GET /log`, `POST /reset`,
    /// `POST /grant`, `POST /device`, `POST /fault`.
    #[must_use]
    pub fn control(&self) -> &str {
        &self.control
    }

    /// Path of the CA certificate alone, in PEM.
    #[must_use]
    pub fn ca_file(&self) -> &Path {
        self.files.alone()
    }

    /// Path of the system's root certificates and the CA certificate, in PEM.
    #[must_use]
    pub fn ca_bundle(&self) -> &Path {
        self.files.bundle()
    }

    /// Assigns a role, which applies from the next request on.
    pub fn grant(&self, grant: Grant) {
        self.state.access.grant(grant);
    }

    /// Counts of connections, requests and tokens since the start or the last reset.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.state.counters()
    }

    /// The newest entries of the request log, oldest first.
    #[must_use]
    pub fn log(&self) -> Vec<Entry> {
        self.state.log()
    }

    /// Clears the counters and the log. Secrets and roles stay.
    pub fn reset_counters(&self) {
        self.state.reset();
    }
}

impl Drop for Local {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // On a separate thread, because a runtime may not be waited for inside another one.
            let runtime = Arc::new(Mutex::new(Some(runtime)));
            let take = |shared: &Mutex<Option<Runtime>>| {
                shared.lock().unwrap_or_else(PoisonError::into_inner).take()
            };
            let for_thread = Arc::clone(&runtime);
            let stop = move || {
                if let Some(runtime) = take(&for_thread) {
                    runtime.shutdown_timeout(limits::SHUTDOWN);
                }
            };
            match thread::Builder::new().spawn(stop) {
                // An error means that the thread panicked, and a drop must not panic again.
                Ok(stopping) => drop(stopping.join()),
                Err(_) => {
                    if let Some(runtime) = take(&runtime) {
                        runtime.shutdown_background();
                    }
                }
            }
        }
    }
}

impl fmt::Debug for Local {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Local").field("vaults", &self.vaults).field("proxy", &self.proxy).finish()
    }
}

impl Vault {
    /// URL of the vault at its real name, through the proxy: `https://NAME.vault.azure.net`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// URL of the vault over TLS without the proxy: `https://NAME.localhost:PORT`.
    #[must_use]
    pub fn localhost(&self) -> &str {
        &self.localhost
    }

    /// URL of the vault without TLS: `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn http(&self) -> &str {
        &self.http
    }

    fn description(&self) -> Value {
        json!({"url": self.url, "localhost": self.localhost, "http": self.http})
    }
}
