//! A vault: authentication, then the route, then permission, then the operation.
//!
//! <https://learn.microsoft.com/rest/api/keyvault/secrets/operation-groups>

mod access;
mod challenge;
mod errors;
mod operations;
mod paging;
mod route;
mod store;

use http::{HeaderName, HeaderValue, Request, StatusCode, header, request::Parts};
use hyper::body::Incoming;
use uuid::Uuid;

pub(crate) use access::Access;
pub use access::{Grant, Role};
pub(crate) use challenge::Challenge;
pub use store::Seed;
pub(crate) use store::Store;

use crate::{
    identity::{Who, token::Issuer},
    message::{self, Answer, Query},
};
use errors::Problem;
use route::Operation;

/// One vault, by its name.
pub(crate) struct Vault {
    pub(crate) name: String,
    pub(crate) store: Store,
}

/// Where a request reached a vault: the same secret has another id behind each way in.
pub(crate) struct Place {
    /// Begins the ids: scheme, host and, where it is not the default, port.
    pub(crate) origin: String,
    /// Begins the next links, which name the port always.
    pub(crate) paging_origin: String,
    pub(crate) challenge: Challenge,
}

/// An answer, and what of it is counted.
pub(crate) struct Outcome {
    pub(crate) answer: Answer,
    pub(crate) operation: &'static str,
    pub(crate) who: Option<Who>,
}

/// A request that has passed authentication.
struct Call<'a> {
    vault: &'a Vault,
    place: &'a Place,
    access: &'a Access,
    who: Who,
    query: Query,
}

impl Vault {
    /// Answers one request.
    pub(crate) async fn answer(
        &self,
        place: &Place,
        access: &Access,
        issuer: &Issuer,
        request: Request<Incoming>,
    ) -> Outcome {
        let (parts, body) = request.into_parts();
        let routed = Operation::of(&parts.method, parts.uri.path());
        let operation = routed.as_ref().map_or("other", Operation::label);
        let (who, mut answer) = match place.challenge.authenticate(issuer, &parts.headers) {
            Err(problem) => (None, place.challenge.challenge(problem)),
            Ok(who) => {
                let query = Query::parse(parts.uri.query());
                let call = Call { vault: self, place, access, who, query };
                let answer = match routed {
                    Ok(operation) => call.run(operation, body).await,
                    Err(problem) => Err(problem),
                };
                (Some(who), answer.unwrap_or_else(Problem::into_answer))
            }
        };
        add_headers(&mut answer, &parts);
        Outcome { answer, operation, who }
    }
}

impl Call<'_> {
    async fn run(&self, operation: Operation<'_>, body: Incoming) -> Result<Answer, Problem> {
        route::check_version(self.query.get("api-version"))?;
        operation.check_name()?;
        self.check_permission(&operation)?;
        match operation {
            Operation::Set { name } => operations::set(self, name, body).await,
            Operation::Get { name, version } => operations::get(self, name, version),
            Operation::List => paging::secrets(self),
            Operation::Versions { name } => paging::versions(self, name),
            Operation::NotOffered { label, .. } => Err(Problem::not_offered(label)),
        }
    }

    fn check_permission(&self, operation: &Operation<'_>) -> Result<(), Problem> {
        let action = operation.action();
        if self.access.role(self.who, operation.name()).allows(action) {
            return Ok(());
        }
        Err(Problem::forbidden_by_rbac(self.who, action, &self.vault.name, operation.name()))
    }

    /// The api-version that the caller speaks.
    fn version(&self) -> &str {
        self.query.get("api-version").unwrap_or_default()
    }
}

/// The headers of the real service.
fn add_headers(answer: &mut Answer, request: &Parts) {
    const FIXED: [(HeaderName, &str); 5] = [
        (header::CACHE_CONTROL, "no-cache"),
        (header::PRAGMA, "no-cache"),
        (header::EXPIRES, "-1"),
        (header::STRICT_TRANSPORT_SECURITY, "max-age=31536000;includeSubDomains"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    const OURS: [(&str, &str); 3] = [
        ("x-ms-keyvault-region", "local"),
        ("x-ms-keyvault-service-version", "1.9.0.0"),
        ("x-ms-keyvault-network-info", "conn_type=Ipv4;addr=127.0.0.1;act_addr_fam=InterNetwork;"),
    ];
    const ECHOED: &str = "x-ms-client-request-id";
    let headers = answer.headers_mut();
    headers.extend(FIXED.map(|(name, value)| (name, HeaderValue::from_static(value))));
    for (name, value) in OURS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if let Ok(id) = HeaderValue::from_str(&Uuid::new_v4().to_string()) {
        headers.insert("x-ms-request-id", id);
    }
    if let Some(id) = request.headers.get(ECHOED) {
        headers.insert(ECHOED, id.clone());
    }
}

/// Whether Key Vault allows this name for a vault.
pub(crate) fn is_vault_name(name: &str) -> bool {
    (3..=24).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        && name.starts_with(|first: char| first.is_ascii_alphabetic())
        && !name.ends_with('-')
        && !name.contains("--")
}

/// Whether Key Vault allows this name for a secret.
pub(crate) fn is_secret_name(name: &str) -> bool {
    (1..=crate::limits::SECRET_NAME).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// An answer with this body, which shows so many bytes of secrets.
fn ok(body: &impl serde::Serialize, extra: usize) -> Answer {
    message::json(StatusCode::OK, body, extra)
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
