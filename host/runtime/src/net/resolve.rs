//! Name resolution: `--resolve` overrides, then the names of this machine, then the system's
//! resolver.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs as _};
use std::str::FromStr;
use std::sync::{Mutex, PoisonError};

use crate::call::Slot;
use crate::exhausted;

use super::failure::Failure;
use super::server::{PlannedServer, Trust, is_host, is_localhost, port_number, without_brackets};
use super::stream::Deadline;
use super::{egress, hosts};

/// `HOST:PORT:ADDR[:PORT]`: connect to this address instead of the host's; the certificate is still
/// checked against the host name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Override {
    host: String,
    port: u16,
    to: SocketAddr,
}

impl Override {
    pub(super) fn is_for(&self, host: &str, port: u16) -> bool {
        self.host == host && self.port == port
    }
}

impl FromStr for Override {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (host, rest) = match text.strip_prefix('[') {
            Some(v6) => v6.split_once("]:").ok_or(())?,
            None => text.split_once(':').ok_or(())?,
        };
        let (port, address) = rest.split_once(':').ok_or(())?;
        let port = port_number(port).ok_or(())?;
        let to = match address.parse::<SocketAddr>() {
            Ok(to) => to,
            Err(_) => SocketAddr::new(without_brackets(address).parse().map_err(|_| ())?, port),
        };
        let valid = is_host(host) && to.port() != 0;
        valid.then(|| Self { host: host.to_ascii_lowercase(), port, to }).ok_or(())
    }
}

/// Resolves names. Lookups of one name at the same time share one question to the system.
#[derive(Default)]
pub(super) struct Resolver {
    pending: Mutex<Vec<(String, Slot<Found>)>>,
}

type Found = Result<Vec<IpAddr>, Failure>;

impl Resolver {
    /// The addresses of a server to try, in order. An error when the name has no address, or none
    /// that is allowed.
    pub(super) fn addresses(
        &self,
        overrides: &[Override],
        server: &PlannedServer,
        deadline: Deadline<'_>,
    ) -> Result<Vec<SocketAddr>, Failure> {
        let PlannedServer { host, port, trust, purpose } = server;
        let (port, plain) = (*port, *trust == Trust::None);
        if let Some(fixed) = overrides.iter().find(|o| o.is_for(host, port)) {
            return Ok(vec![fixed.to]);
        }
        let found = self.any_addresses(host, port, deadline)?;
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

    /// The first address of a server, as far as it is known without asking anyone, and is allowed.
    pub(super) fn address_at_once(
        overrides: &[Override],
        server: &PlannedServer,
    ) -> Option<SocketAddr> {
        let PlannedServer { host, port, trust, purpose } = server;
        if let Some(fixed) = overrides.iter().find(|o| o.is_for(host, *port)) {
            return Some(fixed.to);
        }
        let first = *known_addresses(host)?.first()?;
        let allowed = egress::allows(*purpose, host, first, *trust == Trust::None);
        allowed.then(|| SocketAddr::new(first, *port))
    }

    /// All addresses of a name, whatever they are.
    pub(super) fn any_addresses(
        &self,
        host: &str,
        port: u16,
        deadline: Deadline<'_>,
    ) -> Result<Vec<SocketAddr>, Failure> {
        let found = match known_addresses(host) {
            Some(found) => found,
            None => self.ask_system(host, deadline)?,
        };
        Ok(found.into_iter().map(|ip| SocketAddr::new(ip, port)).collect())
    }

    /// Asks the system's resolver, on a thread of its own: it knows no deadline.
    fn ask_system(&self, host: &str, deadline: Deadline<'_>) -> Result<Vec<IpAddr>, Failure> {
        let slot = {
            let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
            pending.retain(|(_, slot)| !slot.is_set());
            match pending.iter().find(|(name, _)| name == host) {
                Some((_, slot)) => slot.clone(),
                None => {
                    let slot = Slot::default();
                    start_lookup(host.to_owned(), slot.clone())?;
                    pending.push((host.to_owned(), slot.clone()));
                    slot
                }
            }
        };
        match slot.get(deadline.call, deadline.until)? {
            Some(found) => found,
            None => Err(deadline.passed()),
        }
    }
}

/// The addresses of a literal, of this machine, or in the hosts file.
fn known_addresses(host: &str) -> Option<Vec<IpAddr>> {
    if let Ok(ip) = host.parse::<IpAddr>() {
        return Some(vec![ip]);
    }
    if is_localhost(host) {
        return Some(vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]);
    }
    hosts::lookup(host)
}

fn start_lookup(host: String, slot: Slot<Found>) -> Result<(), Failure> {
    let look_up = move || {
        let found = match (host.as_str(), 0).to_socket_addrs() {
            Ok(found) => Ok(found.map(|address| address.ip()).collect::<Vec<_>>()),
            // The system's text is "failed to lookup address information: …"; the reason is at its
            // end.
            Err(error) => {
                let text = error.to_string();
                let reason = text.rsplit(": ").next().unwrap_or(&text).to_lowercase();
                let missing = exhausted(&format!("looking up `{host}`"), &error);
                let missing = missing.or_else(|| exhausted::lookup(&host));
                Err(missing.map_or(Failure::Name(reason), Failure::from))
            }
        };
        slot.set(match found {
            Ok(found) if found.is_empty() => Err(Failure::Name("the name has no address".into())),
            found => found,
        });
    };
    let thread = std::thread::Builder::new().name("vaultlet-name".into());
    let started = thread.spawn(look_up);
    started.map(drop).map_err(|e| exhausted::thread(&e).into())
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
            ("kv:65536:127.0.0.1", None),
            ("kv:+443:127.0.0.1", None),
            ("kv:0x1:127.0.0.1", None),
            ("kv::127.0.0.1", None),
            ("kv:443:127.0.0.1:65536", None),
            ("kv:443:127.0.0.1:", None),
            ("kv:443:127.0.0.1:0x1", None),
            ("*:443:127.0.0.1", None),
            ("a b:443:127.0.0.1", None),
            ("user@kv:443:127.0.0.1", None),
            ("https://kv:443:127.0.0.1", None),
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
