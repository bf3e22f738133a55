//! What a handle would read and whom it would talk to, for people and policies.

use crate::authority::{PlannedServer, Purpose, Trust};
use crate::error::Error;
use crate::planner::{File, Planner, Subject};
use crate::settings::Settings;

/// What the credentials need of this machine, as the component says it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Plan {
    /// The vault of the reference that was asked about.
    pub vault: Option<Server>,
    /// Environment variables that decide which source is used, whether set or not.
    pub variables: Vec<String>,
    /// Servers that the sources may ask, in their order.
    pub servers: Vec<Server>,
    /// Files that may be read; one with `*` is all of a folder with that ending.
    pub files: Vec<String>,
    /// Files with a key that may sign.
    pub keys: Vec<String>,
    /// Programs that may be run.
    pub programs: Vec<String>,
}

/// A server that may be talked to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Server {
    /// Host name or IP literal.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// Whether by TLS.
    pub tls: bool,
    /// What it is for: `vault`, `token-authority` or `identity-endpoint`.
    pub purpose: &'static str,
}

impl Plan {
    pub(crate) async fn of(
        planner: &Planner,
        settings: &Settings,
        reference: Option<&str>,
    ) -> Result<Self, Error> {
        let vault = match reference {
            Some(reference) => {
                let what = Subject::Secret(reference.to_owned());
                Some(planner.vault(&what, &settings.of_guest()).await?.into())
            }
            None => None,
        };
        let (needs, values) = planner.of(settings).await?;
        let file = |file| match file {
            File::Path(path) => path,
            File::Folder((folder, ending)) => format!("{folder}/*{ending}"),
        };
        Ok(Self {
            vault,
            variables: values.into_iter().map(|(name, _)| name).collect(),
            servers: needs.servers.into_iter().map(Into::into).collect(),
            files: needs.files.into_iter().map(file).collect(),
            keys: needs.keys.into_iter().map(|key| key.path).collect(),
            programs: needs.programs.into_iter().map(|program| program.command).collect(),
        })
    }
}

impl From<PlannedServer> for Server {
    fn from(authority: PlannedServer) -> Self {
        let purpose = match authority.purpose {
            Purpose::IdentityEndpoint => "identity-endpoint",
            Purpose::TokenAuthority => "token-authority",
            Purpose::Vault => "vault",
        };
        let tls = authority.trust != Trust::None;
        Self { host: authority.host, port: authority.port, tls, purpose }
    }
}
