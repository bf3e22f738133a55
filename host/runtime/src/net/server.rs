//! Servers, as the component's plan names them.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;

use super::message::Request;

/// What a server is for, which decides the addresses it may have and whether a proxy is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Purpose {
    /// A local identity endpoint: on this machine or its private network, never through a proxy.
    IdentityEndpoint,
    /// A token authority on the network: public or private addresses.
    TokenAuthority,
    /// A vault: public or private addresses.
    Vault,
}

/// How a server is trusted.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Trust {
    /// Plain HTTP, without TLS.
    None,
    /// TLS with the handle's roots.
    Roots,
    /// TLS with the one certificate whose SHA-1 this is, whoever issued it.
    Pinned([u8; 20]),
    /// TLS with roots for this server alone.
    Private {
        /// Who may have issued the server's certificate.
        issuers: Issuers,
        /// The name to send and to find in the certificate, where it is not the host's.
        name: Option<String>,
    },
}

/// Certificates that are trusted in place of the handle's roots.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Issuers {
    /// A PEM file, read again for each connection.
    File(PathBuf),
    /// Certificates as PEM text.
    Text(String),
}

/// A server that a role may talk to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct PlannedServer {
    /// Host name or IP literal, lower case, without brackets.
    pub(crate) host: String,
    /// TCP port.
    pub(crate) port: u16,
    /// How the server is trusted.
    pub(crate) trust: Trust,
    /// What the server is for.
    pub(crate) purpose: Purpose,
}

impl PlannedServer {
    /// Whether a request is one to this server.
    pub(crate) fn matches(&self, request: &Request) -> bool {
        let tls = self.trust != Trust::None;
        self.host == request.host && self.port == request.port && tls == request.secure
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

/// Where a request goes: the host, port and scheme of its URI.
pub(crate) struct Target {
    /// Host name or IP literal, lower case, without brackets.
    pub(crate) host: String,
    /// TCP port; the scheme's default where the URI has none.
    pub(crate) port: u16,
    /// Whether the scheme is `https`.
    pub(crate) tls: bool,
}

impl Target {
    /// The target of a URI; `None` unless it has a host and the scheme `http` or `https`, and its port
    /// is one.
    #[cfg(feature = "jit")]
    pub(crate) fn from_uri(uri: &http::Uri) -> Option<Self> {
        let tls = match uri.scheme_str()? {
            "https" => true,
            "http" => false,
            _ => return None,
        };
        let host = without_brackets(uri.host()?).to_ascii_lowercase();
        let authority = uri.authority()?.as_str();
        let server = authority.rsplit_once('@').map_or(authority, |(_, server)| server);
        let port = match server.strip_prefix(uri.host()?)? {
            "" if tls => 443,
            "" => 80,
            port => port_number(port.strip_prefix(':')?)?,
        };
        Some(Self { host, port, tls })
    }
}

impl From<&Request> for Target {
    fn from(request: &Request) -> Self {
        Self { host: request.host.clone(), port: request.port, tls: request.secure }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls { "https" } else { "http" };
        write!(f, "{scheme}://{}:{}", self.host, self.port)
    }
}

/// A host without the brackets of an IPv6 literal: `[::1]` as `::1`.
pub(super) fn without_brackets(host: &str) -> &str {
    host.strip_prefix('[').and_then(|h| h.strip_suffix(']')).unwrap_or(host)
}

/// A port in decimal digits, 1 to 65535.
pub(super) fn port_number(text: &str) -> Option<u16> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|port| digits && *port != 0)
}

/// Whether a text is a host's name or address, without brackets.
pub(super) fn is_host(text: &str) -> bool {
    let is_name = |text: &str| {
        !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b))
    };
    is_name(text) || text.parse::<IpAddr>().is_ok()
}

/// Whether a name means this machine (RFC 6761); many systems' resolvers do not know these names.
pub(super) fn is_localhost(host: &str) -> bool {
    host == "localhost" || host.ends_with(".localhost")
}

#[cfg(all(test, feature = "jit"))]
mod tests {
    use super::*;

    #[test]
    fn a_target_has_a_port_that_is_one() {
        for (uri, expected) in [
            ("https://host/x", Some(("host", 443))),
            ("http://Host:8080/x", Some(("host", 8080))),
            ("http://[::1]:1/", Some(("::1", 1))),
            ("http://[::1]/", Some(("::1", 80))),
            ("https://host:65536/", None),
            ("https://host:99999/", None),
            ("https://host:0/", None),
            ("https://host:/", None),
            ("ftp://host/", None),
        ] {
            let target = uri.parse().ok().and_then(|uri| Target::from_uri(&uri));
            let found = target.as_ref().map(|target| (target.host.as_str(), target.port));
            assert_eq!(found, expected, "{uri}");
        }
    }
}
