//! Starting and stopping the local Azure, and what a test or a job must know of it.

use std::{
    collections::BTreeMap,
    fmt,
    net::{Ipv4Addr, TcpListener as StdListener},
    path::Path,
    sync::Arc,
    thread,
};

use serde_json::{Map, Value, json};
use tokio::{net::TcpListener, runtime::Runtime};

use crate::{
    Counters, Entry, Form, Grant, Seed, StartError, Who,
    ca::{Ca, CaFiles},
    control,
    doors::{identity, localhost, plain, proxy},
    identity::{Endpoints, token::Issuer},
    limits,
    state::State,
    vault::{self, Store, is_secret_name, is_vault_name},
};

const DEFAULT_VAULT: &str = "job";

/// A running local Azure; it ends when this is dropped.
pub struct Local {
    state: Arc<State>,
    files: CaFiles,
    vaults: BTreeMap<String, Vault>,
    proxy: String,
    control: String,
    environment: Vec<(String, String)>,
    runtime: Option<Runtime>,
}

/// Where a vault is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vault {
    url: String,
    localhost: String,
    http: String,
}

/// How the local Azure shall be.
#[derive(Debug, Clone)]
pub struct Builder {
    vaults: Vec<String>,
    seeds: Vec<(String, Seed)>,
    run_as: Who,
    form: Form,
    grants: Vec<Grant>,
    token_lifetime: u64,
}

impl Local {
    /// One vault, `job`, without secrets; Azure ML's managed identity; all roles given.
    #[must_use]
    pub fn builder() -> Builder {
        Builder {
            vaults: Vec::new(),
            seeds: Vec::new(),
            run_as: Who::Managed,
            form: Form::default(),
            grants: Vec::new(),
            token_lifetime: limits::TOKEN_LIFETIME,
        }
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
        &FOREIGN
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

    /// The control port, as `http://127.0.0.1:PORT`: `GET /counters`, `GET /log`, `POST /reset`,
    /// `POST /grant`.
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

impl Builder {
    /// Adds a vault; the first takes the place of `job`.
    #[must_use]
    pub fn vault(mut self, name: impl Into<String>) -> Self {
        self.vaults.push(name.into());
        self
    }

    /// Puts a secret into every vault; a second one of the same name is its next version.
    #[must_use]
    pub fn seed(mut self, name: impl Into<String>, seed: impl Into<Seed>) -> Self {
        self.seeds.push((name.into(), seed.into()));
        self
    }

    /// Which identity the job has. The managed one is always there; [`Who::User`] adds
    /// `OBO_ENDPOINT`, as `identity: type: user_identity` does in a job's definition.
    #[must_use]
    pub fn run_as(mut self, who: Who) -> Self {
        self.run_as = who;
        self
    }

    /// Which endpoint the environment names. All of them are served.
    #[must_use]
    pub fn identity_form(mut self, form: Form) -> Self {
        self.form = form;
        self
    }

    /// Gives a role; both identities are secrets officers of every vault before.
    #[must_use]
    pub fn grant(mut self, grant: Grant) -> Self {
        self.grants.push(grant);
        self
    }

    /// Seconds that tokens live: 86,400 unless told.
    #[must_use]
    pub fn token_lifetime(mut self, seconds: u64) -> Self {
        self.token_lifetime = seconds;
        self
    }

    /// Starts it, on threads of its own.
    ///
    /// # Errors
    /// Names or seeds that Key Vault does not allow, and what the system refuses.
    pub fn start(self) -> Result<Local, StartError> {
        let names = if self.vaults.is_empty() { vec![DEFAULT_VAULT.into()] } else { self.vaults };
        let vaults = make_vaults(names, &self.seeds)?;
        let endpoints = Endpoints::new(Issuer::new(self.token_lifetime)?);
        let state = Arc::new(State::new(vaults, endpoints));
        self.grants.into_iter().for_each(|grant| state.access.grant(grant));
        let (ca, files) = Ca::new()?;

        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(limits::THREADS)
            .thread_name("vaultlet-dev")
            .enable_all()
            .build()
            .map_err(StartError::system("starting threads"))?;
        let context = runtime.enter();
        let (_, authority) = proxy::CLOUDS[0];

        let (at_localhost, localhost_port) = bind()?;
        let mut urls = BTreeMap::new();
        let mut by_proxy = proxy::Doors::new();
        let mut by_localhost = localhost::Doors::new();
        for (name, vault) in &state.vaults {
            by_proxy.extend(proxy::doors(vault, &ca)?);
            by_localhost.extend([localhost::door(vault, localhost_port, authority)]);
            let (at, port) = bind()?;
            let door = plain::door(vault, port, authority);
            urls.insert(
                name.clone(),
                Vault {
                    url: format!("https://{name}.{}", proxy::CLOUDS[0].0),
                    localhost: format!("https://{}:{localhost_port}", localhost::host_of(name)),
                    http: door.place.origin.clone(),
                },
            );
            runtime.spawn(plain::run(at, Arc::clone(&state), door));
        }
        let tls = ca.server(by_localhost.keys().cloned().collect())?;
        runtime.spawn(localhost::run(at_localhost, Arc::clone(&state), by_localhost, tls));
        let (at, proxy_port) = bind()?;
        runtime.spawn(proxy::run(at, Arc::clone(&state), by_proxy));
        let (at, identity_port) = bind()?;
        runtime.spawn(identity::run(at, Arc::clone(&state)));
        let (at, control_port) = bind()?;
        runtime.spawn(control::run(at, Arc::clone(&state)));
        drop(context);

        let proxy = origin(proxy_port);
        let identity = origin(identity_port);
        let mut environment = state.endpoints.environment(self.form, &identity);
        if self.run_as == Who::User {
            environment.push(Endpoints::obo(&identity));
        }
        environment.extend(network(&proxy, &files));
        Ok(Local {
            vaults: urls,
            control: origin(control_port),
            runtime: Some(runtime),
            state,
            files,
            proxy,
            environment,
        })
    }
}

const FOREIGN: [&str; 18] = [
    "AZURE_AUTHORITY_HOST",
    "AZURE_CLIENT_CERTIFICATE_PATH",
    "AZURE_CLIENT_ID",
    "AZURE_CLIENT_SECRET",
    "AZURE_FEDERATED_TOKEN_FILE",
    "AZURE_PASSWORD",
    "AZURE_POD_IDENTITY_AUTHORITY_HOST",
    "AZURE_TENANT_ID",
    "AZURE_USERNAME",
    "AZUREML_DATAPREP_TOKEN_PROVIDER",
    "DEFAULT_IDENTITY_CLIENT_ID",
    "IDENTITY_ENDPOINT",
    "IDENTITY_HEADER",
    "IDENTITY_SERVER_THUMBPRINT",
    "IMDS_ENDPOINT",
    "MSI_ENDPOINT",
    "MSI_SECRET",
    "OBO_ENDPOINT",
];

fn make_vaults(
    names: Vec<String>,
    seeds: &[(String, Seed)],
) -> Result<BTreeMap<String, Arc<vault::Vault>>, StartError> {
    for (name, seed) in seeds {
        if !is_secret_name(name) {
            return Err(StartError::SecretName(name.clone()));
        }
        seed.check().map_err(|reason| StartError::Seed { name: name.clone(), reason })?;
    }
    names
        .into_iter()
        .map(|name| {
            if !is_vault_name(&name) {
                return Err(StartError::VaultName(name));
            }
            let store = Store::default();
            seeds.iter().for_each(|(name, seed)| store.set(name, seed.clone()));
            let key = name.to_ascii_lowercase();
            Ok((key, Arc::new(vault::Vault { name, store })))
        })
        .collect()
}

/// A loopback port of the system's choice; must be called in the runtime's context.
fn bind() -> Result<(TcpListener, u16), StartError> {
    let bound = || {
        let listener = StdListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let port = listener.local_addr()?.port();
        Ok((TcpListener::from_std(listener)?, port))
    };
    bound().map_err(StartError::system("opening a loopback port"))
}

fn origin(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}

/// The variables by which programs find the proxy and trust the CA.
fn network(proxy: &str, files: &CaFiles) -> Vec<(String, String)> {
    const DIRECT: &str = "127.0.0.1,localhost,169.254.169.254";
    let alone = files.alone().to_string_lossy();
    let bundle = files.bundle().to_string_lossy();
    let variables = [
        ("HTTPS_PROXY", proxy),
        ("https_proxy", proxy),
        ("NO_PROXY", DIRECT),
        ("no_proxy", DIRECT),
        // These replace the built-in roots.
        ("SSL_CERT_FILE", &bundle),
        ("REQUESTS_CA_BUNDLE", &bundle),
        ("CURL_CA_BUNDLE", &bundle),
        // These add to them.
        ("NODE_EXTRA_CA_CERTS", &alone),
        ("VAULTLET_CA_FILE", &alone),
    ];
    variables.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec()
}
