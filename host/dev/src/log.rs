//! The request log: what was asked and how it ended; never a value, a token or a secret header.

use std::collections::VecDeque;

use serde::Serialize;

use crate::{identity::Who, limits};

/// One request.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Entry {
    /// When it was answered, in milliseconds since 1970 UTC.
    pub at: u64,
    /// The way in: `proxy`, `localhost`, `http`, `identity`, `service-fabric`, `authority`,
    /// `authority-http`.
    pub door: &'static str,
    /// The operation of a vault or of the authority, or the form of an identity endpoint; `tunnel`
    /// for a CONNECT.
    pub operation: &'static str,
    /// The request's method.
    pub method: String,
    /// The host asked for, with its port if it was named.
    pub host: String,
    /// The path, without its query.
    pub path: String,
    /// Status of the answer.
    pub status: u16,
    /// Milliseconds from request to answer.
    pub ms: f64,
    /// Whose token came with it, or was given out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub who: Option<Who>,
}

/// The newest entries.
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
    fn oldest_entries_go_first() {
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
