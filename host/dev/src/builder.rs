//! How the local Azure shall be, and its start.

use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, TcpListener as StdListener},
    sync::Arc,
};

use rustls::pki_types::CertificateDer;
use tokio::net::TcpListener;

use crate::{
    Form, Grant, Local, Seed, StartError, Vault, Who,
    authority::{Authority, Devices, Federation, Registry},
    ca::{self, Ca},
    client_certificate, control,
    doors::{authority, identity, localhost, plain, proxy},
    environment::{self, Identity},
    files::Folder,
    identity::{Agent, Endpoints, token::Issuer},
    limits,
    state::State,
    vault::{self, Store, is_secret_name, is_vault_name},
};

const DEFAULT_VAULT: &str = "job";

/// How the local Azure shall be.
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
}

impl Builder {
    pub(crate) fn new() -> Self {
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
        }
    }

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

    /// Which identity the job has. The one of its form is always there; [`Who::User`] adds
    /// `OBO_ENDPOINT`, as `identity: type: user_identity` does in a job's definition.
    #[must_use]
    pub fn run_as(mut self, who: Who) -> Self {
        self.run_as = who;
        self
    }

    /// Which identity the environment leads to, and how. All endpoints are served.
    #[must_use]
    pub fn identity_form(mut self, form: Form) -> Self {
        self.form = form;
        self
    }

    /// Gives a role; all identities are secrets officers of every vault before.
    #[must_use]
    pub fn grant(mut self, grant: Grant) -> Self {
        self.grants.push(grant);
        self
    }

    /// Seconds that tokens live: 86,400 unless told. Those of the authority live an hour at most,
    /// unless their client announces that it understands claims challenges.
    #[must_use]
    pub fn token_lifetime(mut self, seconds: u64) -> Self {
        self.token_lifetime = seconds;
        self
    }

    /// Registers a certificate, in DER, with the application.
    #[must_use]
    pub fn certificate(mut self, der: impl Into<Vec<u8>>) -> Self {
        self.certificates.push(CertificateDer::from(der.into()));
        self
    }

    /// How many seconds a device code can be approved, and how many must be between two polls:
    /// 900 and 1 unless told.
    #[must_use]
    pub fn device_code(mut self, lifetime: u64, interval: u64) -> Self {
        self.device_lifetime = lifetime;
        self.device_interval = interval;
        self
    }

    /// Starts it, on threads of its own.
    ///
    /// # Errors
    /// Names or seeds that Key Vault does not allow, and what the system refuses.
    pub fn start(mut self) -> Result<Local, StartError> {
        let names = if self.vaults.is_empty() { vec![DEFAULT_VAULT.into()] } else { self.vaults };
        let vaults = make_vaults(names, &self.seeds)?;
        let folder = Folder::new().map_err(StartError::system("making a private folder"))?;
        let (ca, files) = Ca::new(&folder)?;
        let mut pem = None;
        if self.form == Form::ClientCertificate {
            let (text, der) = client_certificate::make()?;
            self.certificates.push(der);
            pem = Some(text);
        }

        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(limits::THREADS)
            .thread_name("vaultlet-dev")
            .enable_all()
            .build()
            .map_err(StartError::system("starting threads"))?;
        let context = runtime.enter();

        let (at_authority, authority_port) = bind()?;
        let (at_plain_authority, plain_authority_port) = bind()?;
        let authority = format!("https://localhost:{authority_port}");
        let authority_http = origin(plain_authority_port);
        let device_page = format!("{authority_http}/device");
        let arc = folder.folder("arc").map_err(StartError::system("making a private folder"))?;
        let endpoints = Endpoints::new(Issuer::new(self.token_lifetime)?, Agent::new(arc));
        let directory = Authority::new(
            Registry::new(self.certificates),
            Devices::new(self.device_lifetime, self.device_interval),
            Federation::new(&authority)?,
            authority::origins(authority_port, plain_authority_port),
        );
        let state = Arc::new(State::new(vaults, endpoints, directory));
        self.grants.into_iter().for_each(|grant| state.access.grant(grant));
        let shared = || Arc::clone(&state);

        let tls = ca.server(authority::names())?;
        let door = authority::Door::tls(authority_port, &device_page, tls);
        runtime.spawn(authority::run(at_authority, shared(), door));
        let door = authority::Door::plain(plain_authority_port, &device_page);
        runtime.spawn(authority::run(at_plain_authority, shared(), door));

        let (_, host) = proxy::CLOUDS[0];
        let (at_localhost, localhost_port) = bind()?;
        let mut urls = BTreeMap::new();
        let mut by_proxy = proxy::Doors::new();
        let mut by_localhost = localhost::Doors::new();
        for (name, vault) in &state.vaults {
            by_proxy.extend(proxy::doors(vault, &ca)?);
            by_localhost.extend([localhost::door(vault, localhost_port, host)]);
            let (at, port) = bind()?;
            let door = plain::door(vault, port, host);
            urls.insert(
                name.clone(),
                Vault {
                    url: format!("https://{name}.{}", proxy::CLOUDS[0].0),
                    localhost: format!("https://{}:{localhost_port}", localhost::host_of(name)),
                    http: door.place.origin.clone(),
                },
            );
            runtime.spawn(plain::run(at, shared(), door));
        }
        let tls = ca.server(by_localhost.keys().cloned().collect())?;
        runtime.spawn(localhost::run(at_localhost, shared(), by_localhost, tls));
        let (at, proxy_port) = bind()?;
        let door = proxy::AuthorityDoor::new(&ca, &device_page)?;
        let ours = proxy::Ours { vaults: by_proxy, authority: door };
        runtime.spawn(proxy::run(at, shared(), ours));
        let (at, identity_port) = bind()?;
        runtime.spawn(identity::run(at, shared(), identity_port));
        let (at, fabric_port) = bind()?;
        let (tls, thumbprint) = ca::self_signed(vec!["localhost".into(), "127.0.0.1".into()])?;
        runtime.spawn(identity::run_fabric(at, shared(), fabric_port, tls));
        let (at, control_port) = bind()?;
        runtime.spawn(control::run(at, shared(), control_port));
        drop(context);

        let proxy = origin(proxy_port);
        let identity = Identity {
            state: &state,
            folder: &folder,
            origin: &origin(identity_port),
            authority: &authority,
            fabric: &format!("https://localhost:{fabric_port}"),
            thumbprint: &thumbprint,
            certificate: pem.as_ref().map(|it| it.as_str()),
        };
        let mut environment = identity.variables(self.form)?;
        if self.run_as == Who::User {
            environment.push(identity.obo());
        }
        environment.extend(environment::network(&proxy, proxy_port, &files));
        Ok(Local {
            vaults: urls,
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
