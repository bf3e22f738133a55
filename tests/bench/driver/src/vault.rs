//! The servers: a Key Vault that responds as fast as it can, and the identity endpoints of Azure ML and
//! App Service.
//!
//! The vault has a secret of any name. Its responses look like the service's own
//! (<https://learn.microsoft.com/rest/api/keyvault/secrets/get-secret/get-secret>), and it counts the
//! requests of a peer.

use std::{
    convert::Infallible,
    future::Future,
    net::SocketAddr,
    ops::Sub,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use anyhow::{Context, Result};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use bytes::Bytes;
use http_body_util::Full;
use hyper::{Request, Response, StatusCode, body::Incoming, service::service_fn};
use hyper_util::rt::TokioIo;
use rustls::ServerConfig;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    runtime::{Builder, Runtime},
};
use tokio_rustls::TlsAcceptor;

use crate::delay::lengthen;

/// The secret that the identity endpoint requires in a header.
pub const IDENTITY_SECRET: &str = "bench-identity-secret";

/// Requests and connections since the start.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Counts {
    /// Tokens issued.
    pub tokens: u64,
    /// Vault requests without a valid token.
    pub challenges: u64,
    /// Secrets served.
    pub secrets: u64,
    /// All other requests.
    pub others: u64,
    /// TLS connections to the vault.
    pub connections: u64,
}

/// The running servers, which stop when this is dropped.
pub struct Vault {
    shared: Arc<Shared>,
    _runtime: Runtime,
}

impl Vault {
    /// Serves the vault, to which a round trip takes so much longer, and the identity endpoint.
    pub fn start(
        tls: ServerConfig,
        vault: SocketAddr,
        delay: Duration,
        identity: SocketAddr,
    ) -> Result<Vault> {
        let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        let shared = Arc::new(Shared { counters: Counters::default(), token: token() });
        let acceptor = TlsAcceptor::from(Arc::new(tls));
        let bind = |address| {
            let bound = runtime.block_on(TcpListener::bind(address));
            bound.with_context(|| format!("listening on {address}"))
        };
        let (vault, identity) = (bind(vault)?, bind(identity)?);
        let state = Arc::clone(&shared);
        runtime.spawn(accept(vault, move |stream| {
            let (acceptor, shared) = (acceptor.clone(), Arc::clone(&state));
            async move {
                if delay.is_zero() {
                    shared.vault(&acceptor, stream).await;
                } else {
                    shared.vault(&acceptor, lengthen(stream, delay)).await;
                }
            }
        }));
        let state = Arc::clone(&shared);
        runtime.spawn(accept(identity, move |stream| {
            let shared = Arc::clone(&state);
            async move { serve(stream, |request| shared.identity(request)).await }
        }));
        Ok(Vault { shared, _runtime: runtime })
    }

    /// The counts so far.
    pub fn counts(&self) -> Counts {
        let counters = &self.shared.counters;
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Counts {
            tokens: read(&counters.tokens),
            challenges: read(&counters.challenges),
            secrets: read(&counters.secrets),
            others: read(&counters.others),
            connections: read(&counters.connections),
        }
    }
}

impl Sub for Counts {
    type Output = Counts;

    fn sub(self, before: Counts) -> Counts {
        Counts {
            tokens: self.tokens - before.tokens,
            challenges: self.challenges - before.challenges,
            secrets: self.secrets - before.secrets,
            others: self.others - before.others,
            connections: self.connections - before.connections,
        }
    }
}

#[derive(Default)]
struct Counters {
    tokens: AtomicU64,
    challenges: AtomicU64,
    secrets: AtomicU64,
    others: AtomicU64,
    connections: AtomicU64,
}

struct Shared {
    counters: Counters,
    token: String,
}

impl Shared {
    /// Serves one connection to the vault.
    async fn vault(
        &self,
        acceptor: &TlsAcceptor,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send,
    ) {
        if let Ok(stream) = acceptor.accept(stream).await {
            self.counters.connections.fetch_add(1, Ordering::Relaxed);
            serve(stream, |request| self.secret(request)).await;
        }
    }

    fn secret(&self, request: &Request<Incoming>) -> Response<Full<Bytes>> {
        let bearer = header(request, "authorization").strip_prefix("Bearer ");
        if bearer != Some(&self.token) {
            self.counters.challenges.fetch_add(1, Ordering::Relaxed);
            let body = r#"{"error":{"code":"Unauthorized","message":"AKV10000: Request is missing a Bearer or PoP token."}}"#;
            let mut response = answer(StatusCode::UNAUTHORIZED, body.to_owned());
            response.headers_mut().insert("www-authenticate", CHALLENGE);
            return response;
        }
        let path = request.uri().path().trim_matches('/');
        let Some(path) = path.strip_prefix("secrets/").filter(|_| versioned(request)) else {
            return self.other();
        };
        self.counters.secrets.fetch_add(1, Ordering::Relaxed);
        let (name, version) = path.split_once('/').unwrap_or((path, VERSION));
        let (host, value) = (header(request, "host"), bench_measure::value(name));
        let body = format!(
            r#"{{"value":"{value}","contentType":"text/plain","id":"https://{host}/secrets/{name}/{version}","attributes":{{"enabled":true,"created":1712345678,"updated":1712345678,"recoveryLevel":"CustomizedRecoverable+Purgeable","recoverableDays":7}},"tags":{{}}}}"#
        );
        answer(StatusCode::OK, body)
    }

    fn identity(&self, request: &Request<Incoming>) -> Response<Full<Bytes>> {
        let secret = match request.uri().path() {
            "/MSI/auth" => header(request, "secret"),
            "/msi/token" => header(request, "x-identity-header"),
            _ => "",
        };
        if secret != IDENTITY_SECRET || !versioned(request) {
            return self.other();
        }
        self.counters.tokens.fetch_add(1, Ordering::Relaxed);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let (token, expires) = (&self.token, now + Duration::from_hours(24));
        let body = format!(
            r#"{{"access_token":"{token}","expires_on":"{}","resource":"https://vault.azure.net","token_type":"Bearer"}}"#,
            expires.as_secs()
        );
        answer(StatusCode::OK, body)
    }

    fn other(&self) -> Response<Full<Bytes>> {
        self.counters.others.fetch_add(1, Ordering::Relaxed);
        let body = r#"{"error":{"code":"BadParameter","message":"not served here"}}"#;
        answer(StatusCode::BAD_REQUEST, body.to_owned())
    }
}

const VERSION: &str = "6d8b2d4f0c7e4a9bb3a5c1d2e3f40516";
const CHALLENGE: hyper::header::HeaderValue = hyper::header::HeaderValue::from_static(
    r#"Bearer authorization="https://login.microsoftonline.com/72f988bf-86f1-41af-91ab-2d7cd011db47", resource="https://vault.azure.net""#,
);

/// A token with the size and form of a real one.
fn token() -> String {
    let claims = serde_json::json!({
        "aud": "https://vault.azure.net",
        "iss": "https://sts.windows.net/72f988bf-86f1-41af-91ab-2d7cd011db47/",
        "iat": 1_700_000_000, "nbf": 1_700_000_000, "exp": 4_102_444_800_u64,
        "aio": "k".repeat(120), "rh": "r".repeat(80), "uti": "u".repeat(22),
        "appid": "11111111-2222-3333-4444-555555555555", "appidacr": "2",
        "idp": "https://sts.windows.net/72f988bf-86f1-41af-91ab-2d7cd011db47/",
        "oid": "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee",
        "sub": "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee",
        "tid": "72f988bf-86f1-41af-91ab-2d7cd011db47", "ver": "1.0",
        "xms_mirid": "m".repeat(180),
    });
    let header = br#"{"typ":"JWT","alg":"RS256","x5t":"benchbenchbenchbenchbenchbe"}"#;
    let part = |bytes: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(bytes);
    format!("{}.{}.{}", part(header), part(claims.to_string().as_bytes()), part(&[0x5a; 256]))
}

fn header<'a>(request: &'a Request<Incoming>, name: &str) -> &'a str {
    request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

fn versioned(request: &Request<Incoming>) -> bool {
    // The SDK for Node escapes the hyphen.
    let names = ["api-version=", "api%2Dversion="];
    request.uri().query().is_some_and(|query| names.iter().any(|name| query.contains(name)))
}

fn answer(status: StatusCode, body: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    for (name, value) in [
        ("content-type", "application/json; charset=utf-8"),
        ("cache-control", "no-cache"),
        ("pragma", "no-cache"),
        ("expires", "-1"),
        ("x-ms-keyvault-region", "westeurope"),
        ("x-ms-request-id", "7b8e3c0e-0000-4f7e-8888-0123456789ab"),
        ("x-ms-keyvault-service-version", "1.9.2000.1"),
        ("x-content-type-options", "nosniff"),
        ("strict-transport-security", "max-age=31536000;includeSubDomains"),
    ] {
        response.headers_mut().insert(name, hyper::header::HeaderValue::from_static(value));
    }
    response
}

async fn accept<S>(listener: TcpListener, connection: impl Fn(TcpStream) -> S)
where
    S: Future<Output = ()> + Send + 'static,
{
    loop {
        if let Ok((stream, _)) = listener.accept().await {
            let _ = stream.set_nodelay(true);
            tokio::spawn(connection(stream));
        }
    }
}

async fn serve(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    answer: impl Fn(&Request<Incoming>) -> Response<Full<Bytes>>,
) {
    let service = service_fn(|request| {
        let response = answer(&request);
        async { Ok::<_, Infallible>(response) }
    });
    // A peer that disconnects early is not an error of the benchmark.
    let _ = hyper::server::conn::http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await;
}
