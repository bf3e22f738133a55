//! A job with a scripted identity endpoint and a scripted vault.

use vaultlet_host::{Builder, Vaultlet};
use vaultlet_tests::server::{Answer, Request, Server};
use vaultlet_tests::tls::Ca;

use super::{MSI_SECRET, VALUE};

/// A scripted identity endpoint and a scripted vault behind real names.
pub(crate) struct Job {
    pub(crate) identity: Server,
    pub(crate) vault: Server,
    pub(crate) ca: Ca,
}

impl Job {
    pub(crate) fn new(
        identity: Server,
        vault: impl Fn(&Request) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let ca = Ca::default();
        let vault = Server::tls(&ca.leaf(&["job.vault.azure.net", "slow.vault.azure.net"]), vault);
        Self { identity, vault, ca }
    }

    pub(crate) fn builder(&self) -> Builder {
        let resolve =
            |name: &str| format!("{name}.vault.azure.net:443:127.0.0.1:{}", self.vault.port());
        let endpoint = format!("http://127.0.0.1:{}/msi/token", self.identity.port());
        Vaultlet::builder()
            .variables([("MSI_ENDPOINT", endpoint.as_str()), ("MSI_SECRET", MSI_SECRET)])
            .ca_file(self.ca.file())
            .resolve(resolve("job"))
            .resolve(resolve("slow"))
    }
}

pub(crate) fn token(request: &Request) -> Answer {
    assert_eq!(request.header("secret"), MSI_SECRET);
    Answer::json(200, r#"{"access_token":"e.y.J","expires_in":"86400","token_type":"Bearer"}"#)
}

pub(crate) fn secret(request: &Request) -> Answer {
    assert_eq!(request.header("authorization"), "Bearer e.y.J");
    Answer::json(200, format!(r#"{{"value":"{VALUE}"}}"#))
}
