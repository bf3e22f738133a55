//! What all doors share.

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
    identity::{Endpoints, Who},
    log::{Entry, Log},
    vault::{Access, Vault},
};

/// Vaults, identities, roles, and the record of what was asked.
pub(crate) struct State {
    /// By lower-case name.
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

/// A request whose answer is still to come.
pub(crate) struct Pending {
    door: &'static str,
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

    pub(crate) fn connected(&self, door: &'static str) {
        *self.record().counters.connections.entry(door).or_default() += 1;
    }

    pub(crate) fn shook_hands(&self, door: &'static str) {
        *self.record().counters.handshakes.entry(door).or_default() += 1;
    }

    /// Records a CONNECT that was tunnelled, or could not be.
    pub(crate) fn tunnelled(&self, pending: Pending, status: StatusCode) {
        let mut record = self.record();
        record.counters.tunnels += u64::from(status == StatusCode::OK);
        record.log.push(pending.entry("tunnel", status, None));
    }

    /// Records an answer of an identity endpoint.
    pub(crate) fn identified(
        &self,
        pending: Pending,
        operation: &'static str,
        status: StatusCode,
        who: Option<Who>,
    ) {
        let mut record = self.record();
        *record.counters.identity.entry(operation).or_default() += 1;
        record.counters.tokens_issued += u64::from(who.is_some());
        record.log.push(pending.entry(operation, status, who));
    }

    /// Records an answer of the token authority.
    pub(crate) fn authorized(
        &self,
        pending: Pending,
        operation: &'static str,
        status: StatusCode,
        who: Option<Who>,
        is_reused: bool,
    ) {
        let mut record = self.record();
        let by_status = record.counters.authority.entry(operation).or_default();
        *by_status.entry(status.as_u16()).or_default() += 1;
        record.counters.tokens_issued += u64::from(who.is_some());
        record.counters.assertions_reused += u64::from(is_reused);
        record.log.push(pending.entry(operation, status, who));
    }

    /// Records an answer of a vault.
    pub(crate) fn answered(
        &self,
        pending: Pending,
        operation: &'static str,
        status: StatusCode,
        who: Option<Who>,
    ) {
        let mut record = self.record();
        let by_status = record.counters.vault.entry(operation).or_default();
        *by_status.entry(status.as_u16()).or_default() += 1;
        record.counters.challenges += u64::from(status == StatusCode::UNAUTHORIZED);
        record.log.push(pending.entry(operation, status, who));
    }

    pub(crate) fn counters(&self) -> Counters {
        self.record().counters.clone()
    }

    pub(crate) fn log(&self) -> Vec<Entry> {
        self.record().log.entries()
    }

    /// Forgets counters and log; secrets and roles stay.
    pub(crate) fn reset(&self) {
        let mut record = self.record();
        record.counters = Counters::default();
        record.log.clear();
    }

    fn record(&self) -> MutexGuard<'_, Record> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pending {
    pub(crate) fn new(door: &'static str, method: &Method, host: &str, uri: &Uri) -> Self {
        Self {
            door,
            method: method.clone(),
            host: host.to_owned(),
            path: uri.path().to_owned(),
            since: Instant::now(),
        }
    }

    fn entry(self, operation: &'static str, status: StatusCode, who: Option<Who>) -> Entry {
        Entry {
            at: clock::now_ms(),
            door: self.door,
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
