//! Configuration and start of the local Azure.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    net::{Ipv4Addr, TcpListener as StdListener},
    sync::{Arc, Mutex},
    thread,
};

use rustls::pki_types::CertificateDer;
use tokio::net::TcpListener;

use crate::{
    authority::{Authority, DeviceCodes, Registry},
    ca::{self, Ca},
    client_certificate,
    directory::{clouds::CLOUDS, federation::Federation, token::Issuer, who::Who},
    environment::{self, IdentityVariables},
    error::StartError,
    files,
    identity::{Agent, Endpoints, Form},
    limits,
    listeners::{authority, control, identity, localhost, plain, proxy},
    local::{Local, Vault},
    state::State,
    vault::{self, Grant, Seed, Store, Throttle, is_secret_name, is_vault_name},
};

const DEFAULT_VAULT: &str = "job";

/// Configuration of the local Azure.
#[derive(Debug, Clone)]
pub struct Builder {
    vaults: Vec<String>,
    seeds: Vec<(String, Seed)>,
    run_as: Who,
    form: Form,
    grants: Vec<Grant>,
    token_lifetime: u64,
    certificates: Vec<CertificateDer<'static>>,
    device_lifetime: u64,
    device_interval: u64,
    limit: Option<u32>,
}

impl Local {
    /// The default configuration: a vault `job` without secrets, the managed identity of an Azure
    /// ML job, and every role for every identity.
    #[must_use]
    pub fn builder() -> Builder {
        Builder::new()
    }
}

impl Builder {
    fn new() -> Self {
        Self {
            vaults: Vec::new(),
            seeds: Vec::new(),
            run_as: Who::Managed,
            form: Form::default(),
            grants: Vec::new(),
            token_lifetime: limits::TOKEN_LIFETIME,
            certificates: Vec::new(),
            device_lifetime: limits::DEVICE_LIFETIME,
            device_interval: limits::DEVICE_INTERVAL,
            limit: None,
        }
    }

    /// Adds a vault. Without a call of this function there is one vault, `job`.
    #[must_use]
    pub fn vault(mut self, name: impl Into<String>) -> Self {
        self.vaults.push(name.into());
        self
    }

    /// Sets a secret in every vault. A second seed of the same name becomes the next version.
    #[must_use]
    pub fn seed(mut self, name: impl Into<String>, seed: impl Into<Seed>) -> Self {
        self.seeds.push((name.into(), seed.into()));
        self
    }

    /// Sets whether the job may act on behalf of its user. [`Who::User`] adds `OBO_ENDPOINT` to the
    /// variables of the identity form, as `identity: type: user_identity` does in the definition of
    /// an Azure ML job.
    #[must_use]
    pub fn run_as(mut self, who: Who) -> Self {
        self.run_as = who;
        self
    }

    /// Sets the identity form: which variables [`Local::environment`] contains. All endpoints are
    /// served in any case.
    #[must_use]
    pub fn identity_form(mut self, form: Form) -> Self {
        self.form = form;
        self
    }

    /// Assigns a role. An identity without a grant is a secrets officer of every vault.
    #[must_use]
    pub fn grant(mut self, grant: Grant) -> Self {
        self.grants.push(grant);
        self
    }

    /// Sets the lifetime of tokens in seconds; the default is 86,400. Tokens from the authority
    /// live for an hour at most, unless the client announces that it handles claims challenges.
    #[must_use]
    pub fn token_lifetime(mut self, seconds: u64) -> Self {
        self.token_lifetime = seconds;
        self
    }

    /// Registers a client certificate, in DER, with the application.
    #[must_use]
    pub fn certificate(mut self, der: impl Into<Vec<u8>>) -> Self {
        self.certificates.push(CertificateDer::from(der.into()));
        self
    }

    /// Sets the lifetime of device codes and the interval between two polls, in seconds; the
    /// defaults are 900 and 1.
    #[must_use]
    pub fn device_code(mut self, lifetime: u64, interval: u64) -> Self {
        self.device_lifetime = lifetime;
        self.device_interval = interval;
        self
    }

    /// Limits the requests to each vault in 10 seconds: those beyond are answered with 429, as Key Vault
    /// does beyond 4,000. The default is no limit.
    #[must_use]
    pub fn limit(mut self, requests: u32) -> Self {
        self.limit = Some(requests);
        self
    }

    /// Starts the local Azure, on threads of its own.
    ///
    /// # Errors
    /// refuses a port, a folder or a thread.
    pub fn start(mut self) -> Result<Local, StartError> {
        let names = if self.vaults.is_empty() { vec![DEFAULT_VAULT.into()] } else { self.vaults };
        let vaults = make_vaults(names, &self.seeds, self.limit)?;
        let folder = files::private().map_err(StartError::system("making a private folder"))?;
        let (ca, files) = Ca::new(&folder)?;
        let mut pem = None;
        if self.form == Form::ClientCertificate {
            let (text, der) = client_certificate::generate()?;
            self.certificates.push(der);
            pem = Some(text);
        }

        try_threads().map_err(StartError::system("starting threads"))?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(limits::THREADS)
            .thread_name("vaultlet-dev")
            .enable_all()
            .build()
            .map_err(StartError::system("starting threads"))?;
        let context = runtime.enter();

        let (authority_listener, authority_port) = bind()?;
        let (plain_authority_listener, plain_authority_port) = bind()?;
        let authority = format!("https://localhost:{authority_port}");
        let authority_http = origin(plain_authority_port);
        let device_page = format!("{authority_http}/device");
        let arc = files::subfolder(&folder, "arc")
            .map_err(StartError::system("making a private folder"))?;
        let endpoints = Endpoints::new(Issuer::new(self.token_lifetime)?, Agent::new(arc));
        let state = Arc::new(State::new(
            vaults,
            endpoints,
            Authority::new(
                Registry::new(self.certificates),
                DeviceCodes::new(self.device_lifetime, self.device_interval),
                Federation::new(&authority)?,
                authority::origins(authority_port, plain_authority_port),
            ),
        ));
        self.grants.into_iter().for_each(|grant| state.access.grant(grant));
        let shared = || Arc::clone(&state);

        let tls = ca.server(authority::certificate_names())?;
        let config = authority::Config::tls(authority_port, &device_page, tls);
        runtime.spawn(authority::run(authority_listener, shared(), config));
        let config = authority::Config::plain(plain_authority_port, &device_page);
        runtime.spawn(authority::run(plain_authority_listener, shared(), config));

        let (suffix, host) = CLOUDS[0];
        let (localhost_listener, localhost_port) = bind()?;
        let mut addresses = BTreeMap::new();
        let mut own_ports = BTreeSet::new();
        let mut proxy_hosts = proxy::VaultHosts::new();
        let mut localhost_hosts = localhost::Hosts::new();
        for (name, vault) in &state.vaults {
            proxy_hosts.extend(proxy::vault_hosts(vault, &ca)?);
            localhost_hosts.extend([localhost::vault_host(vault, localhost_port, host)]);
            let (listener, port) = bind()?;
            own_ports.insert(port);
            let plain_host = plain::vault_host(vault, port, host);
            addresses.insert(
                name.clone(),
                Vault {
                    url: format!("https://{name}.{suffix}"),
                    localhost: format!(
                        "https://{}:{localhost_port}",
                        localhost::host_of_vault(name)
                    ),
                    http: plain_host.endpoint.origin.clone(),
                },
            );
            runtime.spawn(plain::run(listener, shared(), plain_host));
        }
        let tls = ca.server(localhost_hosts.keys().cloned().collect())?;
        runtime.spawn(localhost::run(localhost_listener, shared(), localhost_hosts, tls));
        let (proxy_listener, proxy_port) = bind()?;
        let (identity_listener, identity_port) = bind()?;
        let (fabric_listener, fabric_port) = bind()?;
        let (control_listener, control_port) = bind()?;
        own_ports.extend([proxy_port, identity_port, fabric_port, control_port]);
        own_ports.extend([authority_port, plain_authority_port, localhost_port]);
        let hosts = proxy::Hosts {
            own_ports,
            vaults: proxy_hosts,
            authority: proxy::RealAuthority::new(&ca, &device_page)?,
        };
        runtime.spawn(proxy::run(proxy_listener, shared(), hosts));
        runtime.spawn(identity::run(identity_listener, shared(), identity_port));
        let (tls, thumbprint) = ca::self_signed(vec!["localhost".into(), "127.0.0.1".into()])?;
        runtime.spawn(identity::run_fabric(fabric_listener, shared(), fabric_port, tls));
        runtime.spawn(control::run(control_listener, shared(), control_port));
        drop(context);

        let proxy = origin(proxy_port);
        let variables = IdentityVariables {
            state: &state,
            folder: &folder,
            origin: &origin(identity_port),
            authority: &authority,
            fabric: &format!("https://localhost:{fabric_port}"),
            thumbprint: &thumbprint,
            certificate: pem.as_ref().map(|it| it.as_str()),
        };
        let mut environment = variables.for_form(self.form)?;
        if self.run_as == Who::User {
            environment.push(variables.obo());
        }
        environment.extend(environment::network(&proxy, proxy_port, &files)?);
        Ok(Local {
            vaults: addresses,
            control: origin(control_port),
            runtime: Some(runtime),
            state,
            files,
            proxy,
            authority,
            authority_http,
            environment,
            _folder: folder,
        })
    }
}

fn make_vaults(
    names: Vec<String>,
    seeds: &[(String, Seed)],
    limit: Option<u32>,
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
            Ok((key, Arc::new(vault::Vault { name, store, throttle: limit.map(Throttle::new) })))
        })
        .collect()
}

/// Listens on a loopback port that the system chooses. Must be called in the context of the
/// runtime.
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

/// Starts as many threads as the runtime needs, at once, which end right away: where the system has no room for
/// them the runtime would panic.
fn try_threads() -> io::Result<()> {
    let (stop, stopped) = std::sync::mpsc::channel::<()>();
    let stopped = Arc::new(Mutex::new(stopped));
    let started: io::Result<Vec<_>> = (0..=limits::THREADS)
        .map(|_| {
            let stopped = Arc::clone(&stopped);
            let wait = move || {
                // Ends with an error when the sender is dropped.
                let _ = stopped.lock().map(|stopped| stopped.recv());
            };
            thread::Builder::new().spawn(wait)
        })
        .collect();
    drop(stop);
    started.map(|threads| threads.into_iter().for_each(|thread| drop(thread.join())))
}
