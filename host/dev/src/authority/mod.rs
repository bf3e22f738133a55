//! The token authority: tenants, applications, and the OAuth flows by which they obtain tokens.
//!
//! <https://learn.microsoft.com/entra/identity-platform/v2-protocols>

mod assertion;
mod client;
mod device_code;
mod discovery;
mod endpoint;
mod errors;
mod grants;
mod registry;
mod scope;

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
};

use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, header, request::Parts};
use hyper::body::Incoming;
use secrecy::SecretString;
use uuid::Uuid;

use crate::{
    clock,
    directory::{federation::Federation, token::Issuer, who::Who},
    limits,
    log::Served,
    message::{self, Query, Response},
};
pub(crate) use device_code::{Decision, DeviceCodes};
pub(crate) use endpoint::Endpoint;
pub(crate) use errors::Code;
use errors::OAuthError;
pub use registry::Application;
pub(crate) use registry::Registry;

/// The authority: registered applications, device codes, the federated issuer, and what earlier
/// requests left behind.
pub(crate) struct Authority {
    pub(crate) registry: Registry,
    pub(crate) device_codes: DeviceCodes,
    pub(crate) federation: Federation,
    /// Origins of the loopback listeners, under all of their host names.
    loopback: Vec<String>,
    memory: Mutex<Memory>,
}

/// What the authority remembers between requests.
#[derive(Default)]
struct Memory {
    /// Failures for the next token requests.
    faults: VecDeque<Code>,
    /// Refresh tokens, by digest.
    refresh: HashMap<Digest, Refresh>,
    /// Assertions that were accepted, by digest.
    assertions: HashSet<Digest>,
}

type Digest = [u8; 32];

/// The client and the tenant for which a refresh token is valid.
#[derive(Clone)]
struct Refresh {
    app_id: &'static str,
    tenant: &'static str,
}

/// The result of an operation, and its name in counters and log.
struct Handled {
    operation: &'static str,
    result: Result<Granted, OAuthError>,
}

/// A successful response, and the identity whose token is in it.
struct Granted {
    response: Response,
    who: Option<Who>,
    is_reused: bool,
}

impl Granted {
    /// A response without a token.
    fn plain(response: Response) -> Self {
        Self { response, who: None, is_reused: false }
    }
}

impl Authority {
    /// `loopback` are the origins of the loopback listeners, those with TLS first.
    pub(crate) fn new(
        registry: Registry,
        device_codes: DeviceCodes,
        federation: Federation,
        loopback: Vec<String>,
    ) -> Self {
        Self { registry, device_codes, federation, loopback, memory: Mutex::default() }
    }

    /// Makes the next token request fail with this code.
    pub(crate) fn fail_next(&self, code: Code) {
        let mut memory = self.memory();
        if memory.faults.len() < limits::FAULTS {
            memory.faults.push_back(code);
        }
    }

    /// Answers a request.
    pub(crate) async fn respond(
        &self,
        issuer: &Issuer,
        endpoint: &Endpoint,
        request: Request<Incoming>,
    ) -> Served {
        let (parts, body) = request.into_parts();
        let body = match message::read(body, limits::TOKEN_BODY).await {
            Ok(body) => body,
            Err(_) => {
                let response = message::empty(StatusCode::PAYLOAD_TOO_LARGE);
                return Served { response, operation: "other", who: None, is_reused: false };
            }
        };
        let handled = self.route(issuer, endpoint, &parts, &body);
        let (mut response, who, is_reused) = match handled.result {
            Ok(granted) => (granted.response, granted.who, granted.is_reused),
            Err(error) => (error.into_response(correlation(&parts.headers)), None, false),
        };
        add_headers(&mut response, &parts.headers);
        Served { response, operation: handled.operation, who, is_reused }
    }

    fn route(&self, issuer: &Issuer, endpoint: &Endpoint, parts: &Parts, body: &[u8]) -> Handled {
        // Entra ignores the case of the path, and clients differ in it.
        let path = parts.uri.path().trim_matches('/').to_ascii_lowercase();
        let path: Vec<&str> = path.split('/').collect();
        let query = Query::parse(parts.uri.query());
        let (method, operation) = match path.as_slice() {
            ["device"] => {
                let response =
                    self.device_codes.page(&parts.method, endpoint, &parts.headers, body);
                return Handled { operation: "device", result: Ok(Granted::plain(response)) };
            }
            ["oidc", ".well-known", "openid-configuration"] => (Method::GET, "federation"),
            ["oidc", "keys"] => (Method::GET, "federation-keys"),
            ["common", "discovery", "instance"] => (Method::GET, "instance"),
            ["common", "userrealm", _] => (Method::GET, "user-realm"),
            [_, ".well-known", "openid-configuration"]
            | [_, "v2.0", ".well-known", "openid-configuration"] => (Method::GET, "discovery"),
            [_, "discovery", "keys"] | [_, "discovery", "v2.0", "keys"] => (Method::GET, "keys"),
            [_, "oauth2", "v2.0", "devicecode"] => (Method::POST, "device-code"),
            [_, "oauth2", "v2.0", "token"] | [_, "oauth2", "token"] => (Method::POST, "token"),
            _ => {
                let response = message::empty(StatusCode::NOT_FOUND);
                return Handled { operation: "other", result: Ok(Granted::plain(response)) };
            }
        };
        if parts.method != method {
            let response = message::empty(StatusCode::METHOD_NOT_ALLOWED);
            return Handled { operation, result: Ok(Granted::plain(response)) };
        }
        let tenant = path.first().copied().unwrap_or_default();
        let result = match operation {
            "token" => {
                let is_v1 = !path.contains(&"v2.0");
                return grants::respond(self, issuer, endpoint, parts, tenant, is_v1, body);
            }
            "device-code" => grants::device_code(self, endpoint, tenant, body),
            "federation" => Ok(message::json(StatusCode::OK, &self.federation.configuration(), 0)),
            "federation-keys" => Ok(message::json(StatusCode::OK, &self.federation.keys(), 0)),
            "instance" => discovery::instance(self, &query),
            "user-realm" => Ok(discovery::user_realm(path.last().copied().unwrap_or_default())),
            "keys" => Ok(discovery::keys(issuer, endpoint, tenant)),
            _ => discovery::configuration(self, endpoint, tenant, path.contains(&"v2.0")),
        };
        Handled { operation, result: result.map(Granted::plain) }
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether this assertion was accepted before. Records that it is accepted now.
    ///
    /// Entra accepts an assertion repeatedly until it expires, and some clients depend on it.
    fn is_reused(&self, assertion: &str) -> bool {
        let mut memory = self.memory();
        if memory.assertions.len() >= limits::VERIFIED_TOKENS {
            memory.assertions.clear();
        }
        !memory.assertions.insert(digest(assertion))
    }

    /// A new refresh token for the user, valid for one client and tenant.
    fn refresh_token(&self, refresh: Refresh) -> SecretString {
        let token = format!("1.{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
        let mut memory = self.memory();
        if memory.refresh.len() >= limits::VERIFIED_TOKENS {
            memory.refresh.clear();
        }
        memory.refresh.insert(digest(&token), refresh);
        token.into()
    }
}

fn digest(text: &str) -> Digest {
    let digest = ring::digest::digest(&ring::digest::SHA256, text.as_bytes());
    let mut bytes = Digest::default();
    bytes.copy_from_slice(digest.as_ref());
    bytes
}

/// The client's id of this request if it is a UUID, or else a new one.
fn correlation(headers: &HeaderMap) -> Uuid {
    let given = message::header(headers, "client-request-id");
    given.and_then(|id| Uuid::try_parse(id).ok()).unwrap_or_else(Uuid::new_v4)
}

/// Adds the headers that Entra sends.
fn add_headers(response: &mut Response, request: &HeaderMap) {
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CACHE_CONTROL, "no-store, no-cache"),
        (header::PRAGMA, "no-cache"),
        (header::EXPIRES, "-1"),
        (header::STRICT_TRANSPORT_SECURITY, "max-age=31536000; includeSubDomains"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if let Ok(id) = HeaderValue::from_str(&Uuid::new_v4().to_string()) {
        headers.insert("x-ms-request-id", id);
    }
    headers.insert("x-ms-ests-server", HeaderValue::from_static("2.1.0 - local"));
    if let Some(id) = request.get("client-request-id") {
        headers.insert("client-request-id", id.clone());
    }
}

/// The current time as Entra writes it: `2026-01-31 12:00:00Z`.
fn timestamp() -> String {
    let seconds = i64::try_from(clock::now()).unwrap_or_default();
    let now = time::OffsetDateTime::from_unix_timestamp(seconds)
        .unwrap_or(time::OffsetDateTime::UNIX_EPOCH);
    let (date, time) = (now.date(), now.time());
    format!(
        "{:04}-{:02}-{:02} {:02}:{:02}:{:02}Z",
        date.year(),
        u8::from(date.month()),
        date.day(),
        time.hour(),
        time.minute(),
        time.second()
    )
}
