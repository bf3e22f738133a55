//! Roles and grants: what the host allows each role of the component. This is where a request that
//! is not granted is denied; addresses are checked later, in `net/egress.rs`.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::call::Call;
use crate::internal::files::Files;
use crate::internal::{Served, Service, ServiceError};
use crate::limits;
use crate::net::{Client, Failure, PlannedServer, Request, Target};
use crate::settings::OnLine;

/// A role in which the component runs. An instance serves one role only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Role {
    /// Says what the other roles need. Pure functions, without any capability.
    #[default]
    Planner,
    /// Gets tokens: reaches the planned identity endpoints, token authorities, files, keys and
    /// programs.
    Broker,
    /// Reads secrets: reaches one vault and the in-process identity endpoint.
    Vault,
    /// Serves lent requests: reaches the in-process identity endpoint.
    #[cfg_attr(not(feature = "lend"), allow(dead_code, reason = "nothing is lent"))]
    Front,
}

impl Role {
    /// The role's name in the log.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Planner => "planner",
            Self::Broker => "broker",
            Self::Vault => "vault",
            Self::Front => "front",
        }
    }

    /// How many instances of the role run at once in a handle that runs this many calls at once.
    pub(crate) fn instances(self, concurrency: usize) -> usize {
        match self {
            Self::Planner => concurrency.min(limits::PLANNERS_MAX),
            Self::Broker => concurrency.min(limits::BROKERS_MAX),
            Self::Vault | Self::Front => concurrency,
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a role may see and do. The instances of a role share one grant; the default grant allows
/// nothing.
#[derive(Default)]
pub(crate) struct Grant {
    pub(crate) role: Role,
    /// The whole environment of an instance. Some of it is secret; it is passed on without copies.
    pub(crate) variables: Arc<[(String, String)]>,
    /// Servers that the role may reach, and the client that reaches them.
    pub(crate) servers: Vec<PlannedServer>,
    pub(crate) client: Option<Arc<Client>>,
    /// Services inside this process that the role may reach.
    pub(crate) services: Vec<Arc<dyn Service>>,
    /// Files that the role may read.
    pub(crate) files: Arc<Files>,
    /// The listener for what the role must tell a person.
    pub(crate) on_prompt: Option<OnLine>,
}

impl fmt::Debug for Grant {
    // Variables hold secrets; a constant is all that may be shown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Grant")
    }
}

impl Grant {
    /// Sends a request to a granted server or service; any other request is denied.
    pub(crate) fn send(&self, request: &Request, call: &Call) -> Result<Served, Failure> {
        if let Some(service) = self.services.iter().find(|service| service.serves(request)) {
            return service.respond(request, call).map_err(|error| match error {
                ServiceError::NotGranted(what) => self.denied(&what),
                ServiceError::Failed(failure) => failure,
            });
        }
        let server = self.servers.iter().find(|server| server.matches(request));
        let (Some(server), Some(client)) = (server, &self.client) else {
            return Err(self.denied(&Target::from(request).to_string()));
        };
        let started = Instant::now();
        let result = client.exchange(server, request, call);
        if tracing::enabled!(target: "vaultlet", tracing::Level::INFO) {
            crate::net::log(request, server, started, &result);
        }
        Ok(result?.into())
    }

    /// The time that the role waits before it retries, where it would wait for this time.
    pub(crate) fn wait_before_retry(&self, wait: Duration) -> Duration {
        match (self.role, &self.client) {
            (Role::Vault, Some(client)) => client.spread(wait),
            _ => wait,
        }
    }

    /// The failure of a request for what is not granted.
    pub(crate) fn denied(&self, what: &str) -> Failure {
        tracing::warn!(target: "vaultlet", "denied {what} to the {} role", self.role);
        Failure::Denied(format!("{what} is not granted to the {} role", self.role))
    }
}
