//! The request log: requests and their status, never a secret's value, a token or a secret header.

use std::collections::VecDeque;

use serde::Serialize;

use crate::{directory::who::Who, limits, message::Response};

/// An entry of the request log.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Entry {
    /// When the request was answered, in milliseconds since 1970 UTC.
    pub at: u64,
    /// The listener that took the request: `proxy`, `localhost`, `http`, `identity`,
    /// `service-fabric`, `authority`, `authority-http`.
    pub door: &'static str,
    /// The operation of a vault or of the authority, or the kind of identity endpoint; `tunnel` for
    /// a CONNECT.
    pub operation: &'static str,
    /// The HTTP method of the request.
    pub method: String,
    /// The host that the request named, with the port if it named one.
    pub host: String,
    /// The request path, without the query.
    pub path: String,
    /// The status of the response.
    pub status: u16,
    /// Milliseconds from request to response.
    pub ms: f64,
    /// The identity whose token the request carried, or whose token was issued.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub who: Option<Who>,
}

/// A response, and what the log and the counters record of it.
pub(crate) struct Served {
    pub(crate) response: Response,
    /// Name of the operation in counters and log.
    pub(crate) operation: &'static str,
    /// The identity whose token the request carried, or whose token was issued.
    pub(crate) who: Option<Who>,
    /// Whether the request carried an assertion that was used before.
    pub(crate) is_reused: bool,
}

/// The newest entries of the request log.
#[derive(Debug, Default)]
pub(crate) struct Log(VecDeque<Entry>);

impl Log {
    pub(crate) fn push(&mut self, entry: Entry) {
        let Entry { method, host, path, status, ms, .. } = &entry;
        tracing::info!(target: "vaultlet::dev", method, host, path, status, ms);
        if self.0.len() >= limits::LOG_ENTRIES {
            self.0.pop_front();
        }
        self.0.push_back(entry);
    }

    pub(crate) fn entries(&self) -> Vec<Entry> {
        self.0.iter().cloned().collect()
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_entries_are_dropped_first() {
        let mut log = Log::default();
        for at in 0..limits::LOG_ENTRIES as u64 + 2 {
            log.push(Entry {
                at,
                door: "http",
                operation: "get",
                method: "GET".into(),
                host: "h".into(),
                path: "/".into(),
                status: 200,
                ms: 0.1,
                who: None,
            });
        }
        let entries = log.entries();
        assert_eq!(entries.len(), limits::LOG_ENTRIES);
        assert_eq!(entries[0].at, 2);
    }
}
