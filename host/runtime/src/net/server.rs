//! Servers, as a plan names them.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;

/// What an authority is for; it decides which addresses are plausible and whether a proxy is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Purpose {
    /// A local identity endpoint: on this machine or its private network, never through a proxy.
    IdentityEndpoint,
    /// What gives tokens over the network: public or private addresses.
    TokenAuthority,
    /// A vault: public or private addresses.
    Vault,
}

/// How a server is trusted.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Trust {
    /// Plain HTTP.
    None,
    /// TLS with the handle's roots.
    Roots,
    /// TLS with the certificate that has this SHA-1, whoever issued it.
    Pinned([u8; 20]),
    /// TLS with roots of its own.
    Private {
        /// Who may have issued its certificate.
        issuers: Issuers,
        /// The name to ask for and to find in it, where it is not the host's.
        name: Option<String>,
    },
}

/// Certificates in place of the handle's roots.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Issuers {
    /// A PEM file, read anew for each connection.
    File(PathBuf),
    /// PEM text.
    Text(String),
}

/// A server that a guest may talk to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct PlannedServer {
    /// Host name or IP literal, lower case, without brackets.
    pub(crate) host: String,
    /// TCP port.
    pub(crate) port: u16,
    /// How it is trusted.
    pub(crate) trust: Trust,
    /// What it is for.
    pub(crate) purpose: Purpose,
}

impl PlannedServer {
    /// Host and port of a request's target, with the scheme's default port.
    pub(crate) fn of(uri: &http::Uri) -> Option<(String, u16, bool)> {
        let tls = match uri.scheme_str()? {
            "https" => true,
            "http" => false,
            _ => return None,
        };
        let host = bare(uri.host()?).to_ascii_lowercase();
        Some((host, uri.port_u16().unwrap_or(if tls { 443 } else { 80 }), tls))
    }

    pub(crate) fn is(&self, host: &str, port: u16, tls: bool) -> bool {
        self.host == host && self.port == port && tls == (self.trust != Trust::None)
    }
}

impl fmt::Display for PlannedServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host.parse::<IpAddr>() {
            Ok(IpAddr::V6(_)) => write!(f, "[{}]:{}", self.host, self.port),
            _ => write!(f, "{}:{}", self.host, self.port),
        }
    }
}

/// `[::1]` as `::1`.
pub(crate) fn bare(host: &str) -> &str {
    host.strip_prefix('[').and_then(|h| h.strip_suffix(']')).unwrap_or(host)
}

/// Names that mean this machine (RFC 6761), which many systems' resolvers do not know.
pub(crate) fn is_localhost(host: &str) -> bool {
    host == "localhost" || host.ends_with(".localhost")
}
