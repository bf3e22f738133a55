//! The state that all listeners share.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use http::{Method, StatusCode, Uri};

use crate::{
    authority::Authority,
    clock,
    counters::Counters,
    directory::who::Who,
    identity::Endpoints,
    log::{Entry, Log, Served},
    message::Response,
    vault::{Access, Vault},
};

/// Vaults, roles, identity endpoints and authority, with the counters and the log of their
/// requests.
pub(crate) struct State {
    /// Vaults by lower-case name.
    pub(crate) vaults: BTreeMap<String, Arc<Vault>>,
    pub(crate) access: Access,
    pub(crate) endpoints: Endpoints,
    pub(crate) authority: Authority,
    record: Mutex<Record>,
}

#[derive(Default)]
struct Record {
    counters: Counters,
    log: Log,
}

/// A request that has not been answered yet.
pub(crate) struct Pending {
    listener: &'static str,
    method: Method,
    host: String,
    path: String,
    since: Instant,
}

impl State {
    pub(crate) fn new(
        vaults: BTreeMap<String, Arc<Vault>>,
        endpoints: Endpoints,
        authority: Authority,
    ) -> Self {
        Self { vaults, access: Access::default(), endpoints, authority, record: Mutex::default() }
    }

    /// Records a TCP connection.
    pub(crate) fn record_connection(&self, listener: &'static str) {
        *self.record().counters.connections.entry(listener).or_default() += 1;
    }

    /// Records a completed TLS handshake.
    pub(crate) fn record_handshake(&self, listener: &'static str) {
        *self.record().counters.handshakes.entry(listener).or_default() += 1;
    }

    /// Records a CONNECT that was tunnelled or refused.
    pub(crate) fn record_tunnel(&self, pending: Pending, status: StatusCode) {
        let mut record = self.record();
        record.counters.tunnels += u64::from(status == StatusCode::OK);
        record.log.push(pending.entry("tunnel", status, None));
    }

    /// Records a response of an identity endpoint, and returns it.
    pub(crate) fn record_identity(&self, pending: Pending, served: Served) -> Response {
        let mut record = self.record();
        *record.counters.identity.entry(served.operation).or_default() += 1;
        record.counters.tokens_issued += u64::from(served.who.is_some());
        record.end(pending, served)
    }

    /// Records a response of the token authority, and returns it.
    pub(crate) fn record_authority(&self, pending: Pending, served: Served) -> Response {
        let mut record = self.record();
        let by_status = record.counters.authority.entry(served.operation).or_default();
        *by_status.entry(served.response.status().as_u16()).or_default() += 1;
        record.counters.tokens_issued += u64::from(served.who.is_some());
        record.counters.assertions_reused += u64::from(served.is_reused);
        record.end(pending, served)
    }

    /// Records a response of a vault, and returns it.
    pub(crate) fn record_vault(&self, pending: Pending, served: Served) -> Response {
        let mut record = self.record();
        let status = served.response.status();
        let by_status = record.counters.vault.entry(served.operation).or_default();
        *by_status.entry(status.as_u16()).or_default() += 1;
        record.counters.challenges += u64::from(status == StatusCode::UNAUTHORIZED);
        record.end(pending, served)
    }

    pub(crate) fn counters(&self) -> Counters {
        self.record().counters.clone()
    }

    pub(crate) fn log(&self) -> Vec<Entry> {
        self.record().log.entries()
    }

    /// Clears the counters and the log; secrets and roles stay.
    pub(crate) fn reset(&self) {
        let mut record = self.record();
        record.counters = Counters::default();
        record.log.clear();
    }

    fn record(&self) -> MutexGuard<'_, Record> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Record {
    /// Writes the log entry of a request, whose response it returns.
    fn end(&mut self, pending: Pending, served: Served) -> Response {
        self.log.push(pending.entry(served.operation, served.response.status(), served.who));
        served.response
    }
}

impl Pending {
    pub(crate) fn new(listener: &'static str, method: &Method, host: &str, uri: &Uri) -> Self {
        Self {
            listener,
            method: method.clone(),
            host: host.to_owned(),
            path: uri.path().to_owned(),
            since: Instant::now(),
        }
    }

    fn entry(self, operation: &'static str, status: StatusCode, who: Option<Who>) -> Entry {
        Entry {
            at: clock::now_ms(),
            door: self.listener,
            operation,
            method: self.method.to_string(),
            host: self.host,
            path: self.path,
            status: status.as_u16(),
            ms: self.since.elapsed().as_secs_f64() * 1000.0,
            who,
        }
    }
}
