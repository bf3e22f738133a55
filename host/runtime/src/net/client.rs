//! The HTTP client: kept connections, each for one server with its purpose and trust, so that no
//! request reuses a connection that the rules of another allowed.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::call::Call;
use crate::limits;

use super::connect::{Prepared, connect, finish, prepare};
use super::connection::{Connection, Times};
use super::failure::Failure;
use super::message::{Request, Response};
use super::resolve::Resolver;
use super::server::{PlannedServer, Purpose};
use super::stream::{Deadline, Late, Stream};
use super::traffic::{Traffic, VaultTraffic};
use super::transport::Transport;

/// Sends requests that the grant allows.
pub(crate) struct Client {
    pub(super) transport: Transport,
    pub(super) resolver: Resolver,
    idle: Mutex<Vec<Idle>>,
    /// Requests to vaults: how many there were, and how many there may be.
    traffic: VaultTraffic,
    /// Servers that a connection was prepared for, with that connection until it is used.
    prepared: Mutex<Vec<First>>,
}

/// The first connection to a server.
struct First {
    server: PlannedServer,
    connection: Option<Prepared>,
    since: Instant,
}

/// The idle connections to one server, the newest last.
struct Idle {
    server: PlannedServer,
    connections: Vec<Connection>,
}

impl Client {
    pub(crate) fn new(transport: Transport) -> Self {
        Self {
            traffic: VaultTraffic::new(transport.rate),
            transport,
            resolver: Resolver::default(),
            idle: Mutex::default(),
            prepared: Mutex::default(),
        }
    }

    /// Sends one request and reads the whole response. Follows no redirect.
    pub(crate) fn exchange(
        &self,
        to: &PlannedServer,
        request: &Request,
        call: &Call,
    ) -> Result<Response, Failure> {
        let exchange = || self.exchange_traced(to, request, call);
        if to.purpose == Purpose::Vault {
            return self.traffic.exchange(to, call, exchange);
        }
        exchange()
    }

    fn exchange_traced(
        &self,
        to: &PlannedServer,
        request: &Request,
        call: &Call,
    ) -> Result<Response, Failure> {
        let span = call.span().request(request.method.as_str(), &to.host, Some(to.port));
        let result = self.exchange_now(to, request, call);
        match &result {
            Ok(response) => span.responded(response.status),
            Err(failure) => span.failed(failure.name()),
        }
        result
    }

    fn exchange_now(
        &self,
        to: &PlannedServer,
        request: &Request,
        call: &Call,
    ) -> Result<Response, Failure> {
        let times = Times::new(call, request);
        let mut connection = match self.take(to) {
            Some(connection) => connection,
            None => Connection::new(self.connect(to, times.connect())?),
        };
        crate::phases::mark(format_args!("{:?}: connected", to.purpose));
        let response = connection.exchange(request, &times);
        crate::phases::mark(format_args!("{:?}: response received", to.purpose));
        if connection.keeps_open() {
            self.keep(to, connection);
        }
        response
    }

    /// The time to wait before a retry, where the component would wait for this time.
    pub(crate) fn spread(&self, wait: Duration) -> Duration {
        self.traffic.spread(wait)
    }

    /// Requests to vaults until now.
    pub(crate) fn traffic(&self) -> Traffic {
        self.traffic.counts()
    }

    /// Begins the first connection to a server that there will be a request for, as far as that needs
    /// no waiting. Whether it can be made is found out by the request.
    pub(crate) fn prepare(&self, to: &PlannedServer, call: &Call) {
        {
            let mut prepared = self.lock_prepared();
            if prepared.len() >= limits::VAULTS_KEPT || prepared.iter().any(|f| f.server == *to) {
                return;
            }
            let since = Instant::now();
            prepared.push(First { server: to.clone(), connection: None, since });
        }
        let until = Instant::now() + limits::CONNECT;
        let begun = prepare(&self.transport, to, Deadline::new(call, until, Late::Connecting));
        if let Some(first) = self.lock_prepared().iter_mut().find(|f| f.server == *to) {
            first.connection = begun;
        }
    }

    fn connect(&self, to: &PlannedServer, deadline: Deadline<'_>) -> Result<Stream, Failure> {
        let prepared = {
            let mut prepared = self.lock_prepared();
            let first = prepared.iter_mut().find(|first| first.server == *to);
            first.and_then(|first| first.connection.take())
        };
        if let Some(prepared) = prepared {
            match finish(prepared, &self.transport, to, deadline) {
                Ok(stream) => return Ok(stream),
                // The usual way says what is wrong.
                Err(_) => deadline.check()?,
            }
        }
        connect(&self.transport, &self.resolver, to, deadline)
    }

    fn lock_prepared(&self) -> MutexGuard<'_, Vec<First>> {
        self.prepared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Closes connections that have been idle for too long. Returns when that is next due.
    pub(crate) fn close_idle(&self) -> Option<Duration> {
        let mut idle = self.lock();
        let now = Instant::now();
        let mut next = None;
        for Idle { connections, .. } in idle.iter_mut() {
            connections.retain(|c| now.saturating_duration_since(c.idle_since) < limits::IDLE);
            let ages = connections.iter().map(|c| now.saturating_duration_since(c.idle_since));
            let due = ages.max().map(|age| limits::IDLE.saturating_sub(age));
            next = next.into_iter().chain(due).min();
        }
        idle.retain(|idle| !idle.connections.is_empty());
        for first in self.lock_prepared().iter_mut() {
            let age = now.saturating_duration_since(first.since);
            if first.connection.is_some() && age >= limits::IDLE {
                first.connection = None;
            } else if first.connection.is_some() {
                next = next.into_iter().chain([limits::IDLE.saturating_sub(age)]).min();
            }
        }
        next
    }

    fn take(&self, to: &PlannedServer) -> Option<Connection> {
        loop {
            let mut connection = {
                let mut idle = self.lock();
                let idle = idle.iter_mut().find(|idle| idle.server == *to)?;
                idle.connections.pop()?
            };
            if connection.is_usable() {
                return Some(connection);
            }
        }
    }

    fn keep(&self, to: &PlannedServer, connection: Connection) {
        let mut idle = self.lock();
        match idle.iter_mut().find(|idle| idle.server == *to) {
            Some(idle) if idle.connections.len() >= limits::IDLE_PER_SERVER => {}
            Some(idle) => idle.connections.push(connection),
            None => idle.push(Idle { server: to.clone(), connections: vec![connection] }),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Idle>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
