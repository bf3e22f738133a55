//! What a handle would read and which servers it would talk to, for people and policies.

use std::sync::Arc;

use serde::Serialize;

use crate::bindings::exports::vaultlet::keyvault::plan::File;
use crate::call::Call;
use crate::error::Error;
use crate::net::{PlannedServer, Purpose, Trust};
use crate::role::Planner;
use crate::settings::Settings;

/// What the credentials need of this machine, as the component states it. The host grants exactly
/// this.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Plan {
    /// The agent that secrets are got from: `unix:PATH` or `http://127.0.0.1:PORT`. The rest is of what only this
    /// process can do, and of secrets where the agent may be passed over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// The vault of the reference, if one was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vault: Option<Server>,
    /// Environment variables that decide which source is used, whether they are set or not.
    pub variables: Vec<String>,
    /// The environment variables that hold a secret, name the file of one, or name the endpoint that one of them
    /// is for. Take these from a child process that must not have this machine's identity.
    pub secrets: Vec<String>,
    /// Servers that the sources may ask, in the order of the chain.
    pub servers: Vec<Server>,
    /// Files that the sources may read. A path with `*` means all files of a folder with that
    /// ending.
    pub files: Vec<String>,
    /// Files with a key that may sign for the sources.
    pub keys: Vec<String>,
    /// Programs that may be run for the sources.
    pub programs: Vec<String>,
}

/// A server that may be talked to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Server {
    /// Host name or IP literal.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// Whether the connection uses TLS.
    pub tls: bool,
    /// What the server is for: `vault`, `token-authority` or `identity-endpoint`.
    pub purpose: &'static str,
}

impl Plan {
    pub(super) fn new(
        planner: &Planner,
        settings: &Settings,
        reference: Option<&str>,
        call: &Arc<Call>,
    ) -> Result<Self, Error> {
        let vault = match reference {
            Some(reference) => {
                let variables = settings.component_variables()?;
                let secret = planner.route(reference, &variables, call).map(|(vault, _)| vault);
                // The vault alone is enough. What names neither is told as what a secret's reference lacks.
                let vault = secret
                    .or_else(|error| planner.vault(reference, &variables, call).map_err(|_| error));
                Some(vault?.into())
            }
            None => None,
        };
        let (plan, values) = planner.credentials(settings, call)?;
        let file = |file| match file {
            File::Path(path) => path,
            File::Folder((folder, ending)) => format!("{folder}/*{ending}"),
        };
        Ok(Self {
            agent: None,
            vault,
            secrets: plan.secrets,
            variables: values.into_iter().map(|(name, _)| name).collect(),
            servers: plan.servers.into_iter().map(Into::into).collect(),
            files: plan.files.into_iter().map(file).collect(),
            keys: plan.keys.into_iter().map(|key| key.path).collect(),
            programs: plan.programs.into_iter().map(|program| program.command).collect(),
        })
    }
}

impl Server {
    /// The server as far as its proxy depends on it.
    pub(super) fn planned(&self) -> PlannedServer {
        PlannedServer {
            host: self.host.clone(),
            port: self.port,
            trust: if self.tls { Trust::Roots } else { Trust::None },
            purpose: match self.purpose {
                "vault" => Purpose::Vault,
                "token-authority" => Purpose::TokenAuthority,
                _ => Purpose::IdentityEndpoint,
            },
        }
    }
}

impl From<PlannedServer> for Server {
    fn from(server: PlannedServer) -> Self {
        let purpose = match server.purpose {
            Purpose::IdentityEndpoint => "identity-endpoint",
            Purpose::TokenAuthority => "token-authority",
            Purpose::Vault => "vault",
        };
        let tls = server.trust != Trust::None;
        Self { host: server.host, port: server.port, tls, purpose }
    }
}
