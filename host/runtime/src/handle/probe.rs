//! What a connection to a vault shows, for people who look for what is wrong with it.

use pkcs8::der::Decode as _;
use x509_cert::Certificate as X509;
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;

use crate::error::Error;
use crate::net::Seen;
use crate::visible::on_one_line;

use super::plan::Server;
use super::vaultlet::Vaultlet;

/// A vault, and what a connection to it shows. This is for the command line only, and no part of this crate's
/// stable interface.
#[derive(Debug)]
#[non_exhaustive]
pub struct Probe {
    /// The vault's server.
    pub server: Server,
    /// What was seen of it.
    pub seen: Seen,
}

/// What a certificate says of itself. Nothing of it is verified.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Certificate {
    /// The name of its owner.
    pub subject: String,
    /// The name of its issuer.
    pub issuer: String,
    /// The hosts that it is for.
    pub names: Vec<String>,
    /// The Unix times between which it is valid.
    pub valid: (i64, i64),
}

impl Vaultlet {
    /// Connects to the vault of a reference, without a token.
    #[doc(hidden)]
    pub fn probe_blocking(&self, reference: &str) -> Result<Probe, Error> {
        self.block("connecting to a vault", |source, call| {
            source.operations()?.probe(reference, call)
        })
    }

    /// The proxy that a server of a plan is reached through, as `host:port`. No network.
    #[doc(hidden)]
    pub fn proxy_of(&self, server: &Server) -> Result<Option<String>, Error> {
        self.block("finding the proxy", |source, _| Ok(source.operations()?.proxy_of(server)))
    }
}

impl Certificate {
    /// Reads a certificate in DER.
    pub fn parse(der: &[u8]) -> Option<Self> {
        let certificate = X509::from_der(der).ok()?.tbs_certificate;
        let names = certificate.get::<SubjectAltName>().ok().flatten();
        let names = names.map(|(_, names)| names.0).unwrap_or_default();
        let names = names.iter().filter_map(|name| match name {
            GeneralName::DnsName(name) => Some(shown(name.as_str())),
            _ => None,
        });
        let seconds = |time: x509_cert::time::Time| {
            i64::try_from(time.to_unix_duration().as_secs()).unwrap_or(i64::MAX)
        };
        let validity = certificate.validity;
        Some(Self {
            subject: shown(&certificate.subject.to_string()),
            issuer: shown(&certificate.issuer.to_string()),
            names: names.take(NAMES_MAX).collect(),
            valid: (seconds(validity.not_before), seconds(validity.not_after)),
        })
    }
}

/// The most names of a certificate that are shown.
const NAMES_MAX: usize = 100;
/// The most characters of a name that are shown.
const NAME_MAX: usize = 200;

/// A text of a certificate, which anybody may have made.
fn shown(text: &str) -> String {
    on_one_line(text).take(NAME_MAX).collect()
}
