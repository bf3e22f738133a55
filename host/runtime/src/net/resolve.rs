//! Name resolution: `--resolve` overrides, then the names of this machine, then the system's
//! resolver.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

use super::egress;
use super::failure::Failure;
use super::server::{PlannedServer, Trust, is_localhost, without_brackets};

/// `HOST:PORT:ADDR[:PORT]`: connect to this address instead of the host's; the certificate is still
/// checked against the host name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Override {
    host: String,
    port: u16,
    to: SocketAddr,
}

impl FromStr for Override {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (host, rest) = match text.strip_prefix('[') {
            Some(v6) => v6.split_once("]:").ok_or(())?,
            None => text.split_once(':').ok_or(())?,
        };
        let (port, address) = rest.split_once(':').ok_or(())?;
        let port: u16 = port.parse().map_err(|_| ())?;
        let to = match address.parse::<SocketAddr>() {
            Ok(to) => to,
            Err(_) => SocketAddr::new(without_brackets(address).parse().map_err(|_| ())?, port),
        };
        let valid = !host.is_empty() && port != 0 && to.port() != 0;
        valid.then(|| Self { host: host.to_ascii_lowercase(), port, to }).ok_or(())
    }
}

/// The addresses to try, in order. An error when the name has no address, or none that is allowed.
pub(crate) async fn addresses(
    overrides: &[Override],
    server: &PlannedServer,
) -> Result<Vec<SocketAddr>, Failure> {
    let PlannedServer { host, port, trust, purpose } = server;
    let (port, plain) = (*port, *trust == Trust::None);
    if let Some(fixed) = overrides.iter().find(|o| o.host == *host && o.port == port) {
        return Ok(vec![fixed.to]);
    }
    let found = lookup(host, port).await?;
    let allows = |a: &SocketAddr| egress::allows(*purpose, host, a.ip(), plain);
    let allowed: Vec<_> = found.iter().copied().filter(allows).collect();
    match found.first() {
        Some(first) if allowed.is_empty() => Err(Failure::Denied(format!(
            "{host} leads to {}, an address that is not allowed for it",
            first.ip()
        ))),
        _ => Ok(allowed),
    }
}

async fn lookup(host: &str, port: u16) -> Result<Vec<SocketAddr>, Failure> {
    if let Ok(ip) = host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(ip, port)]);
    }
    if is_localhost(host) {
        let loopback = [IpAddr::from(Ipv4Addr::LOCALHOST), IpAddr::from(Ipv6Addr::LOCALHOST)];
        return Ok(loopback.map(|ip| SocketAddr::new(ip, port)).to_vec());
    }
    match tokio::net::lookup_host((host, port)).await {
        Ok(found) => {
            let found: Vec<_> = found.collect();
            if found.is_empty() {
                return Err(Failure::Name("the name has no address".into()));
            }
            Ok(found)
        }
        // The system's text is "failed to lookup address information: …"; the reason is at its end.
        Err(error) => {
            let text = error.to_string();
            Err(Failure::Name(text.rsplit(": ").next().unwrap_or(&text).to_lowercase()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overrides_are_parsed_whole_or_refused() {
        for (text, expected) in [
            (
                "my.vault.azure.net:443:127.0.0.1:8443",
                Some(("my.vault.azure.net", 443, "127.0.0.1:8443")),
            ),
            ("My.Vault.Azure.Net:443:10.0.0.4", Some(("my.vault.azure.net", 443, "10.0.0.4:443"))),
            ("169.254.169.254:80:127.0.0.1:1234", Some(("169.254.169.254", 80, "127.0.0.1:1234"))),
            ("[fd00::1]:443:[::1]:9", Some(("fd00::1", 443, "[::1]:9"))),
            ("kv:443:[fd00::2]", Some(("kv", 443, "[fd00::2]:443"))),
            ("kv:443", None),
            ("kv:443:", None),
            ("kv:443:name", None),
            ("kv:0:127.0.0.1", None),
            ("kv:443:127.0.0.1:0", None),
            (":443:127.0.0.1", None),
            ("kv:99999:127.0.0.1", None),
            ("", None),
        ] {
            let expected = expected.map(|(host, port, to)| Override {
                host: host.into(),
                port,
                to: to.parse().unwrap(),
            });
            assert_eq!(text.parse::<Override>().ok(), expected, "{text}");
        }
    }
}
