//! Requests to the component, and its replies.

use alloc::{
    string::{String, ToString},
    vec::Vec,
};
use subtle::ConstantTimeEq;

use crate::{
    error::Error,
    words::{scrub::Scrubbed, secret::SecretString},
};

/// A request to the component. The body is never read.
#[derive(Debug)]
pub struct Incoming {
    /// Whether the method is `GET`.
    pub is_get: bool,
    /// The path and the query.
    pub target: String,
    /// The server that the request is addressed to, `host:port`.
    pub host: Option<String>,
    /// The headers, names in lower case. Values may be secrets.
    pub headers: Vec<(String, SecretString)>,
}

impl Incoming {
    /// The value of a header that occurs exactly once.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let mut found = self.headers.iter().filter(|(known, _)| known == name);
        match (found.next(), found.next()) {
            (Some((_, value)), None) => Some(value.reveal()),
            _ => None,
        }
    }

    /// Whether this header holds the secret, which proves who the caller is.
    pub(super) fn has_secret(&self, name: &str, secret: &SecretString) -> bool {
        self.header(name).is_some_and(|shown| equals_secret(shown, secret))
    }

    /// The query of a `GET` request for this path; for any other request, the reply that refuses it.
    pub(super) fn query(&self, expected: &str) -> Result<&str, Reply> {
        let (path, query) = self.target.split_once('?').unwrap_or((&self.target, ""));
        match path == expected {
            false => Err(Reply::without_body(404)),
            true if !self.is_get => Err(Reply::method_not_allowed()),
            true => Ok(query),
        }
    }

    /// Whether the caller asks for a token that comes from no cache, or from one that is quite new.
    pub(super) fn wants_fresh(&self) -> bool {
        let mut controls = self.headers.iter().filter(|(name, _)| name == "cache-control");
        controls.any(|(_, value)| {
            let value = value.reveal().to_ascii_lowercase();
            value.contains("no-cache") || value.contains("max-age")
        })
    }
}

/// The reply to a request.
#[derive(Debug)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// The headers, names in lower case.
    pub headers: Vec<(&'static str, String)>,
    /// The body, which may hold a token or a secret.
    pub body: Scrubbed<String>,
}

impl Reply {
    /// A reply without a body, which gives away no detail.
    pub(super) fn without_body(status: u16) -> Self {
        Self {
            status,
            headers: [("cache-control", "no-store".into())].into(),
            body: String::new().into(),
        }
    }

    /// The reply to any method but `GET`.
    pub(super) fn method_not_allowed() -> Self {
        let mut reply = Self::without_body(405);
        reply.headers.push(("allow", "GET".into()));
        reply
    }

    /// A reply with a JSON body; `cache` is the value of `cache-control`.
    pub(super) fn json(status: u16, cache: String, body: Scrubbed<String>) -> Self {
        Self::new("application/json", status, cache, body)
    }

    /// A reply with a body of this media type; `cache` is the value of `cache-control`.
    pub(super) fn new(kind: &str, status: u16, cache: String, body: Scrubbed<String>) -> Self {
        Self {
            status,
            headers: [("content-type", kind.into()), ("cache-control", cache)].into(),
            body,
        }
    }

    /// Adds `retry-after`, if the error has a time.
    pub(super) fn with_retry_after(mut self, error: &Error) -> Self {
        if let Some(ms) = error.retry_after_ms {
            self.headers.push(("retry-after", ms.div_ceil(1000).to_string()));
        }
        self
    }
}

/// Compares a text with a secret in constant time.
pub(super) fn equals_secret(shown: &str, secret: &SecretString) -> bool {
    shown.as_bytes().ct_eq(secret.reveal().as_bytes()).into()
}
