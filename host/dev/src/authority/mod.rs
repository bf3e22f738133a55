//! The token authority: tenants, applications, and the protocols by which they get tokens.
//!
//! <https://learn.microsoft.com/entra/identity-platform/v2-protocols>

mod assertion;
mod client;
mod device;
mod discovery;
mod errors;
mod federation;
mod grants;
mod place;
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
    identity::{Who, token::Issuer},
    limits,
    message::{self, Answer, Query},
};
pub(crate) use device::{Devices, Verdict};
pub(crate) use errors::Code;
use errors::Trouble;
pub(crate) use federation::{AUDIENCE, Federation, Subject};
pub(crate) use place::{HOSTS, Place, is_host};
pub use registry::Application;
pub(crate) use registry::Registry;

/// All of it: what is registered, and what is under way.
pub(crate) struct Authority {
    pub(crate) registry: Registry,
    pub(crate) devices: Devices,
    pub(crate) federation: Federation,
    /// Where the doors on loopback are, in each spelling.
    loopback: Vec<String>,
    progress: Mutex<Progress>,
}

/// What earlier requests left for later ones.
#[derive(Default)]
struct Progress {
    /// The next token requests fail so.
    faults: VecDeque<Code>,
    /// By digest.
    refresh: HashMap<Digest, Refresh>,
    /// Assertions that were accepted, by digest.
    assertions: HashSet<Digest>,
}

type Digest = [u8; 32];

/// What a refresh token stands for.
#[derive(Clone)]
struct Refresh {
    app_id: &'static str,
    tenant: &'static str,
}

/// An answer, and what of it is counted.
pub(crate) struct Outcome {
    pub(crate) answer: Answer,
    pub(crate) operation: &'static str,
    /// Whose token was given out.
    pub(crate) who: Option<Who>,
    /// Whether it came with an assertion that was used before.
    pub(crate) is_reused: bool,
}

/// What an operation gives.
struct Given {
    operation: &'static str,
    result: Result<Done, Trouble>,
}

struct Done {
    answer: Answer,
    who: Option<Who>,
    is_reused: bool,
}

impl Done {
    fn plain(answer: Answer) -> Self {
        Self { answer, who: None, is_reused: false }
    }
}

impl Authority {
    /// `loopback` is where its doors on loopback are, the one with TLS first.
    pub(crate) fn new(
        registry: Registry,
        devices: Devices,
        federation: Federation,
        loopback: Vec<String>,
    ) -> Self {
        Self { registry, devices, federation, loopback, progress: Mutex::default() }
    }

    /// Lets the next token request fail.
    pub(crate) fn fail_next(&self, code: Code) {
        let mut progress = self.progress();
        if progress.faults.len() < limits::FAULTS {
            progress.faults.push_back(code);
        }
    }

    /// Answers one request.
    pub(crate) async fn answer(
        &self,
        issuer: &Issuer,
        place: &Place,
        request: Request<Incoming>,
    ) -> Outcome {
        let (parts, body) = request.into_parts();
        let body = match message::read(body, limits::TOKEN_BODY).await {
            Ok(body) => body,
            Err(_) => {
                let answer = message::empty(StatusCode::PAYLOAD_TOO_LARGE);
                return Outcome { answer, operation: "other", who: None, is_reused: false };
            }
        };
        let given = self.route(issuer, place, &parts, &body);
        let (mut answer, who, is_reused) = match given.result {
            Ok(done) => (done.answer, done.who, done.is_reused),
            Err(trouble) => (trouble.into_answer(correlation(&parts.headers)), None, false),
        };
        add_headers(&mut answer, &parts.headers);
        Outcome { answer, operation: given.operation, who, is_reused }
    }

    fn route(&self, issuer: &Issuer, place: &Place, parts: &Parts, body: &[u8]) -> Given {
        // The real one does not look at the case, and clients differ in it.
        let path = parts.uri.path().trim_matches('/').to_ascii_lowercase();
        let path: Vec<&str> = path.split('/').collect();
        let query = Query::parse(parts.uri.query());
        let (method, operation) = match path.as_slice() {
            ["device"] => {
                let answer = self.devices.page(&parts.method, place, &parts.headers, body);
                return Given { operation: "device", result: Ok(Done::plain(answer)) };
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
                let answer = message::empty(StatusCode::NOT_FOUND);
                return Given { operation: "other", result: Ok(Done::plain(answer)) };
            }
        };
        if parts.method != method {
            let answer = message::empty(StatusCode::METHOD_NOT_ALLOWED);
            return Given { operation, result: Ok(Done::plain(answer)) };
        }
        let tenant = path.first().copied().unwrap_or_default();
        let result = match operation {
            "token" => {
                let is_v1 = !path.contains(&"v2.0");
                return grants::answer(self, issuer, place, parts, tenant, is_v1, body);
            }
            "device-code" => grants::device_code(self, place, tenant, body),
            "federation" => Ok(self.federation.configuration()),
            "federation-keys" => Ok(self.federation.keys()),
            "instance" => discovery::instance(self, &query),
            "user-realm" => Ok(discovery::user_realm(path.last().copied().unwrap_or_default())),
            "keys" => Ok(discovery::keys(issuer, place, tenant)),
            _ => discovery::configuration(self, place, tenant, path.contains(&"v2.0")),
        };
        Given { operation, result: result.map(Done::plain) }
    }

    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether this assertion was accepted before; from now on it was.
    ///
    /// Entra accepts one again until it expires, and some clients count on it.
    fn is_reused(&self, assertion: &str) -> bool {
        let mut progress = self.progress();
        if progress.assertions.len() >= limits::VERIFIED_TOKENS {
            progress.assertions.clear();
        }
        !progress.assertions.insert(digest(assertion))
    }

    /// A refresh token for this user of this client.
    fn refresh_token(&self, refresh: Refresh) -> SecretString {
        let token = format!("1.{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
        let mut progress = self.progress();
        if progress.refresh.len() >= limits::VERIFIED_TOKENS {
            progress.refresh.clear();
        }
        progress.refresh.insert(digest(&token), refresh);
        token.into()
    }
}

fn digest(text: &str) -> Digest {
    let digest = ring::digest::digest(&ring::digest::SHA256, text.as_bytes());
    let mut bytes = Digest::default();
    bytes.copy_from_slice(digest.as_ref());
    bytes
}

/// The client's id of this request, if it has the form of one.
fn correlation(headers: &HeaderMap) -> Uuid {
    let given = message::header(headers, "client-request-id");
    given.and_then(|id| Uuid::try_parse(id).ok()).unwrap_or_else(Uuid::new_v4)
}

fn add_headers(answer: &mut Answer, asked: &HeaderMap) {
    let headers = answer.headers_mut();
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
    if let Some(id) = asked.get("client-request-id") {
        headers.insert("client-request-id", id.clone());
    }
}

/// A moment as Entra writes it: `2026-01-31 12:00:00Z`.
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
