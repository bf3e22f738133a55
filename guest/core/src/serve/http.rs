//! Requests that come in, and the replies to them.

use alloc::{
    string::{String, ToString},
    vec::Vec,
};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::{error::Error, words::secret::SecretString};

/// A request that came in. Its body is never read.
#[derive(Debug)]
pub struct Incoming {
    /// Whether its method is `GET`.
    pub is_get: bool,
    /// Path and query.
    pub target: String,
    /// The server that was asked for, `host:port`.
    pub authority: Option<String>,
    /// Header names in lower case; values may be secrets.
    pub headers: Vec<(String, SecretString)>,
}

impl Incoming {
    /// A header that is there once.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let mut found = self.headers.iter().filter(|(known, _)| known == name);
        match (found.next(), found.next()) {
            (Some((_, value)), None) => Some(value.reveal()),
            _ => None,
        }
    }

    /// Whether a header proves who asks.
    pub(super) fn shows(&self, name: &str, secret: &SecretString) -> bool {
        self.header(name).is_some_and(|shown| is_same(shown, secret))
    }

    /// The query of a request for what is at this path.
    pub(super) fn query(&self, at: &str) -> Result<&str, Reply> {
        let (path, query) = self.target.split_once('?').unwrap_or((&self.target, ""));
        match path == at {
            false => Err(Reply::bare(404)),
            true if !self.is_get => Err(Reply::only_get()),
            true => Ok(query),
        }
    }

    /// Whether no cache may answer.
    pub(super) fn wants_fresh(&self) -> bool {
        let mut controls = self.headers.iter().filter(|(name, _)| name == "cache-control");
        controls.any(|(_, value)| value.reveal().to_ascii_lowercase().contains("no-cache"))
    }
}

/// The answer.
#[derive(Debug)]
pub struct Reply {
    /// Its status.
    pub status: u16,
    /// Its headers.
    pub headers: Vec<(&'static str, String)>,
    /// Its body, which may hold a token.
    pub body: Zeroizing<String>,
}

impl Reply {
    /// Without a body, which is to say without any detail.
    pub(super) fn bare(status: u16) -> Self {
        Self {
            status,
            headers: [("cache-control", "no-store".into())].into(),
            body: String::new().into(),
        }
    }

    /// What is only asked for.
    pub(super) fn only_get() -> Self {
        let mut served = Self::bare(405);
        served.headers.push(("allow", "GET".into()));
        served
    }

    pub(super) fn json(status: u16, cache: String, body: Zeroizing<String>) -> Self {
        Self::new("application/json", status, cache, body)
    }

    pub(super) fn new(kind: &str, status: u16, cache: String, body: Zeroizing<String>) -> Self {
        Self {
            status,
            headers: [("content-type", kind.into()), ("cache-control", cache)].into(),
            body,
        }
    }

    /// When to ask again, if a service has said so.
    pub(super) fn after(mut self, error: &Error) -> Self {
        if let Some(ms) = error.retry_after_ms {
            self.headers.push(("retry-after", ms.div_ceil(1000).to_string()));
        }
        self
    }
}

/// In constant time.
pub(super) fn is_same(shown: &str, secret: &SecretString) -> bool {
    shown.as_bytes().ct_eq(secret.reveal().as_bytes()).into()
}
