//! A vault: it authenticates a request, finds its operation, checks permission and runs it.
//!
//! <https://learn.microsoft.com/rest/api/keyvault/secrets/operation-groups>

mod access;
mod challenge;
mod errors;
mod operations;
mod paging;
mod route;
mod store;
mod throttle;

use std::time::Instant;

use http::{HeaderName, HeaderValue, Request, StatusCode, header, request::Parts};
use hyper::body::Incoming;
use uuid::Uuid;

pub(crate) use access::Access;
pub use access::{Grant, Role};
pub(crate) use challenge::Challenge;
pub use store::Seed;
pub(crate) use store::Store;
pub(crate) use throttle::Throttle;

use crate::{
    directory::{token::Issuer, who::Who},
    limits,
    log::Served,
    message::{self, Query, Response},
};
use errors::VaultError;
use route::Operation;

/// A vault with its secrets.
pub(crate) struct Vault {
    pub(crate) name: String,
    pub(crate) store: Store,
    /// The limit of requests, if there is one.
    pub(crate) throttle: Option<Throttle>,
}

/// An address at which a vault is reached. The ids of its secrets begin with it.
pub(crate) struct Endpoint {
    /// Scheme, host and, unless it is the default, port: the beginning of each id.
    pub(crate) origin: String,
    /// Scheme, host and port: the beginning of each link to a next page, which always has the port.
    pub(crate) paging_origin: String,
    pub(crate) challenge: Challenge,
}

/// A request whose caller is authenticated.
struct Authenticated<'a> {
    vault: &'a Vault,
    endpoint: &'a Endpoint,
    access: &'a Access,
    who: Who,
    query: Query,
}

impl Vault {
    /// Answers a request.
    pub(crate) async fn respond(
        &self,
        endpoint: &Endpoint,
        access: &Access,
        issuer: &Issuer,
        request: Request<Incoming>,
    ) -> Served {
        let (parts, mut body) = request.into_parts();
        let routed = Operation::parse(&parts.method, parts.uri.path());
        let operation = routed.as_ref().map_or("other", Operation::label);
        let is_throttled = || {
            let throttle = self.throttle.as_ref();
            throttle.is_some_and(|throttle| !throttle.admits(Instant::now()))
        };
        let (who, mut response) = match endpoint.challenge.authenticate(issuer, &parts.headers) {
            Err(error) => (None, endpoint.challenge.challenge(error)),
            Ok(who) if is_throttled() => (Some(who), throttled()),
            Ok(who) => {
                let query = Query::parse(parts.uri.query());
                let request = Authenticated { vault: self, endpoint, access, who, query };
                let result = match routed {
                    Ok(operation) => request.run(operation, &mut body).await,
                    Err(error) => Err(error),
                };
                (Some(who), result.unwrap_or_else(VaultError::into_response))
            }
        };
        // Over HTTP/2 a body that nobody reads ends the request with an error, whatever the answer says.
        message::discard(&mut body, limits::REQUEST_BODY).await;
        add_headers(&mut response, &parts);
        Served { response, operation, who, is_reused: false }
    }
}

impl Authenticated<'_> {
    async fn run(
        &self,
        operation: Operation<'_>,
        body: &mut Incoming,
    ) -> Result<Response, VaultError> {
        route::check_version(self.query.get("api-version"))?;
        operation.check_name()?;
        self.check_permission(&operation)?;
        match operation {
            Operation::Set { name } => operations::set(self, name, body).await,
            Operation::Get { name, version } => operations::get(self, name, version),
            Operation::List => paging::secrets(self),
            Operation::Versions { name } => paging::versions(self, name),
            Operation::NotOffered { label, .. } => Err(VaultError::not_offered(label)),
        }
    }

    fn check_permission(&self, operation: &Operation<'_>) -> Result<(), VaultError> {
        let action = operation.action();
        if self.access.role(self.who, operation.name()).allows(action) {
            return Ok(());
        }
        Err(VaultError::forbidden_by_rbac(self.who, action, &self.vault.name, operation.name()))
    }

    /// The api-version of the request.
    fn version(&self) -> &str {
        self.query.get("api-version").unwrap_or_default()
    }
}

/// Adds the headers that Key Vault sends.
fn add_headers(response: &mut Response, request: &Parts) {
    const FIXED: [(HeaderName, &str); 5] = [
        (header::CACHE_CONTROL, "no-cache"),
        (header::PRAGMA, "no-cache"),
        (header::EXPIRES, "-1"),
        (header::STRICT_TRANSPORT_SECURITY, "max-age=31536000;includeSubDomains"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    const LOCAL: [(&str, &str); 3] = [
        ("x-ms-keyvault-region", "local"),
        ("x-ms-keyvault-service-version", "1.9.0.0"),
        ("x-ms-keyvault-network-info", "conn_type=Ipv4;addr=127.0.0.1;act_addr_fam=InterNetwork;"),
    ];
    const ECHOED: &str = "x-ms-client-request-id";
    let headers = response.headers_mut();
    headers.extend(FIXED.map(|(name, value)| (name, HeaderValue::from_static(value))));
    for (name, value) in LOCAL {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if let Ok(id) = HeaderValue::from_str(&Uuid::new_v4().to_string()) {
        headers.insert("x-ms-request-id", id);
    }
    if let Some(id) = request.headers.get(ECHOED) {
        headers.insert(ECHOED, id.clone());
    }
}

/// The response to a request beyond the limit. What Key Vault sends besides the status is not documented.
fn throttled() -> Response {
    let mut response = Response::default();
    *response.status_mut() = StatusCode::TOO_MANY_REQUESTS;
    response
}

/// Whether Key Vault allows this vault name.
pub(crate) fn is_vault_name(name: &str) -> bool {
    (3..=24).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        && name.starts_with(|first: char| first.is_ascii_alphabetic())
        && !name.ends_with('-')
        && !name.contains("--")
}

/// Whether Key Vault allows this secret name.
pub(crate) fn is_secret_name(name: &str) -> bool {
    (1..=limits::SECRET_NAME).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// A successful response with this body; `secret_bytes` is the total length of the secrets in it.
fn ok(body: &impl serde::Serialize, secret_bytes: usize) -> Response {
    message::json(StatusCode::OK, body, secret_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_key_vault() {
        for (name, good) in [
            ("job", true),
            ("my-key-vault", true),
            ("a234567890123456789012-4", true),
            ("ab", false),
            ("a2345678901234567890123-5", false),
            ("1job", false),
            ("a--b", false),
            ("ab-", false),
            ("a_b", false),
            ("a.b", false),
        ] {
            assert_eq!(is_vault_name(name), good, "{name}");
        }
        for (name, good) in [
            ("a", true),
            ("0-9-A", true),
            (&*"x".repeat(127), true),
            (&*"x".repeat(128), false),
            ("", false),
            ("a_b", false),
            ("a.b", false),
            ("ä", false),
        ] {
            assert_eq!(is_secret_name(name), good, "{name}");
        }
    }
}
