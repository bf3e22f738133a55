//! The grammar of the variables that name a proxy, and those that say for which servers there is none.
//! The latter is that of Go's `httpproxy`: <https://pkg.go.dev/golang.org/x/net/http/httpproxy>

use std::fmt;
use std::net::IpAddr;

use base64ct::{Base64, Encoding as _};
use percent_encoding::percent_decode_str;
use zeroize::Zeroizing;

use super::server::{is_host, port_number, without_brackets};

/// Which servers are reached through a proxy, and which proxy.
#[derive(Default)]
pub(crate) struct Proxies {
    pub(crate) proxy: Option<Proxy>,
    pub(crate) direct: Direct,
}

impl Proxies {
    /// The proxy for a server, if any.
    pub(super) fn proxy(&self, host: &str, port: u16) -> Option<&Proxy> {
        self.proxy.as_ref().filter(|_| !self.direct.has(host, port))
    }
}

/// An HTTP proxy.
pub(crate) struct Proxy {
    /// Host name or IP literal, lower case, without brackets.
    pub(super) host: String,
    pub(super) port: u16,
    /// The value of the header `proxy-authorization`.
    pub(super) authorization: Option<Zeroizing<String>>,
}

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host.parse::<IpAddr>() {
            Ok(IpAddr::V6(_)) => write!(f, "[{}]:{}", self.host, self.port),
            _ => write!(f, "{}:{}", self.host, self.port),
        }
    }
}

impl Proxy {
    /// Parses the URL of a proxy: `http://[user[:password]@]host[:port]`, also without the scheme. The
    /// error does not quote the text, which may hold a password.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        let rest = match text.split_once("://") {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => rest,
            Some(_) => return Err("only `http://` proxies can be used"),
            None => text,
        };
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        if rest.contains(['/', '?', '#', '\\']) {
            return Err(
                "there is more than a host and a port in it (in a password, write `%2F` for `/`)",
            );
        }
        let (user, server) = match rest.rsplit_once('@') {
            Some((user, server)) => (Some(user), server),
            None => (None, rest),
        };
        let (host, port) = match server.strip_prefix('[') {
            Some(v6) => v6.split_once(']').ok_or("its host is malformed")?,
            None => server.split_at(server.find(':').unwrap_or(server.len())),
        };
        let port = match port.strip_prefix(':') {
            Some(port) => port_number(port).ok_or("its port is not a number from 1 to 65535")?,
            None if port.is_empty() => 80,
            None => return Err("its host is malformed"),
        };
        if !is_host(host) || (server.starts_with('[') != host.contains(':')) {
            return Err("its host is malformed");
        }
        let authorization = user.map(authorization).transpose()?;
        Ok(Self { host: host.to_ascii_lowercase(), port, authorization })
    }
}

/// Basic authorization for the user and password of a URL, in which only some characters may stand
/// (RFC 3986, section 3.2.1).
fn authorization(user: &str) -> Result<Zeroizing<String>, &'static str> {
    const WRONG: &str = "its user or password has a character that must be percent-encoded (write \
                         `%40` for `@`)";
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:%".contains(&byte);
    if !user.bytes().all(is_plain) {
        return Err(WRONG);
    }
    let (user, password) = user.split_once(':').unwrap_or((user, ""));
    let decoded = |text: &str| {
        let escapes = text.split('%').skip(1);
        let hex = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        let is_right = escapes.map(|rest| rest.get(..2)).all(|digits| digits.is_some_and(hex));
        let bytes = Zeroizing::new(percent_decode_str(text).collect::<Vec<u8>>());
        (is_right && !bytes.iter().any(u8::is_ascii_control)).then_some(bytes).ok_or(WRONG)
    };
    let (user, password) = (decoded(user)?, decoded(password)?);
    if user.contains(&b':') {
        return Err("its user has a colon in it");
    }
    let mut pair = Zeroizing::new(Vec::with_capacity(user.len() + 1 + password.len()));
    pair.extend_from_slice(&user);
    pair.push(b':');
    pair.extend_from_slice(&password);
    let encoded = Zeroizing::new(Base64::encode_string(&pair));
    Ok(Zeroizing::new(["Basic ", encoded.as_str()].concat()))
}

/// Servers that are reached without a proxy.
#[derive(Default)]
pub(crate) struct Direct {
    all: bool,
    networks: Vec<(IpAddr, u8)>,
    addresses: Vec<(IpAddr, Option<u16>)>,
    domains: Vec<Domain>,
}

/// A name, and what it stands for.
struct Domain {
    /// With a leading dot: `.example.com`.
    suffix: String,
    port: Option<u16>,
    /// Whether the name itself is meant, besides names below it.
    itself: bool,
}

impl Direct {
    /// Parses a list. What is malformed in it matches nothing, as in other programs.
    pub(crate) fn parse(list: &str) -> Self {
        let mut direct = Self::default();
        for entry in list.split(|c: char| c == ',' || c.is_whitespace()) {
            direct.add(&entry.to_ascii_lowercase());
        }
        direct
    }

    fn add(&mut self, entry: &str) {
        if entry == "*" {
            self.all = true;
        }
        if let Some((network, bits)) = entry.split_once('/') {
            if let (Ok(network), Ok(bits)) = (network.parse(), bits.parse()) {
                self.networks.push((network, bits));
            }
            return;
        }
        let (host, port) = match split_port(entry) {
            Some((host, port)) => match port_number(port) {
                Some(port) => (host, Some(port)),
                None => return,
            },
            None => (entry, None),
        };
        if let Ok(address) = without_brackets(host).parse::<IpAddr>() {
            self.addresses.push((address.to_canonical(), port));
            return;
        }
        // `*.example.com` is the same as `.example.com`: names below it, and not itself.
        let name = host.strip_prefix('*').filter(|rest| rest.starts_with('.')).unwrap_or(host);
        let below = name.strip_prefix('.');
        let bare = below.unwrap_or(name);
        if !bare.is_empty() {
            let suffix = format!(".{bare}");
            self.domains.push(Domain { suffix, port, itself: below.is_none() });
        }
    }

    fn has(&self, host: &str, port: u16) -> bool {
        let is_port = |wanted: Option<u16>| wanted.is_none_or(|wanted| wanted == port);
        if self.all {
            return true;
        }
        if let Ok(address) = host.parse::<IpAddr>() {
            let address = address.to_canonical();
            return self.addresses.iter().any(|(one, at)| *one == address && is_port(*at))
                || self.networks.iter().any(|(network, bits)| contains(*network, *bits, address));
        }
        self.domains.iter().any(|Domain { suffix, port, itself }| {
            let is_itself = *itself && suffix.get(1..) == Some(host);
            (is_itself || host.ends_with(suffix.as_str())) && is_port(*port)
        })
    }
}

/// Splits `host:port`; `None` for an IPv6 address without brackets, and for a host without a port.
fn split_port(entry: &str) -> Option<(&str, &str)> {
    let (host, port) = entry.rsplit_once(':')?;
    (!host.contains(':') || host.ends_with(']')).then_some((host, port))
}

/// Whether a network contains an address.
fn contains(network: IpAddr, bits: u8, address: IpAddr) -> bool {
    let (network, address, length) = match (network, address) {
        (IpAddr::V4(network), IpAddr::V4(address)) => {
            (u128::from(network.to_bits()), u128::from(address.to_bits()), 32)
        }
        (IpAddr::V6(network), IpAddr::V6(address)) => (network.to_bits(), address.to_bits(), 128),
        _ => return false,
    };
    match u32::from(bits) {
        0 => true,
        bits if bits <= length => network >> (length - bits) == address >> (length - bits),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_is_parsed_whole_or_refused() {
        for (text, expected) in [
            ("http://proxy:3128", Some(("proxy", 3128, None))),
            ("HTTP://Proxy:3128/", Some(("proxy", 3128, None))),
            ("proxy", Some(("proxy", 80, None))),
            ("proxy:3128", Some(("proxy", 3128, None))),
            ("10.0.0.1:8080", Some(("10.0.0.1", 8080, None))),
            ("http://[fd00::1]:8080", Some(("fd00::1", 8080, None))),
            ("http://u:p@proxy", Some(("proxy", 80, Some("Basic dTpw")))),
            ("u:p@proxy:1", Some(("proxy", 1, Some("Basic dTpw")))),
            ("http://u@proxy", Some(("proxy", 80, Some("Basic dTo=")))),
            ("http://u:p%40%3a@proxy", Some(("proxy", 80, Some("Basic dTpwQDo=")))),
            ("http://user:pw@127.0.0.1:99999", None),
            ("http://user:pw@127.0.0.1:65536", None),
            ("http://proxy:0", None),
            ("http://proxy:", None),
            ("http://proxy:0x1", None),
            ("http://proxy:+80", None),
            ("http://proxy:80:80", None),
            ("http://proxy: 80", None),
            ("http://u@ser:pw@proxy", None),
            ("http://user:p@ss:w@proxy:80", None),
            ("http://user:p/w@proxy", None),
            ("http://user:p#w@proxy", None),
            ("http://user:p?w@proxy", None),
            ("http://user:p w@proxy", None),
            ("http://user:p%4@proxy", None),
            ("http://user:p%0a@proxy", None),
            ("http://user:p%zz@proxy", None),
            ("http://us%3aer:p@proxy", None),
            ("http://user:p\u{e9}@proxy", None),
            ("http://DOMAIN\\user:p@proxy", None),
            ("http://proxy/path", None),
            ("http://", None),
            ("", None),
            ("http://:3128", None),
            ("http://fd00::1:8080", None),
            ("http://[proxy]:1", None),
            ("http://[fd00::1", None),
            ("http://[fd00::1]8080", None),
            ("http://a b:80", None),
            ("https://proxy:3128", None),
            ("socks5://proxy:1080", None),
            ("http:/proxy", None),
        ] {
            let parsed = Proxy::parse(text);
            let parsed = parsed.as_ref().ok().map(|proxy| {
                let authorization = proxy.authorization.as_ref().map(|it| it.as_str());
                (proxy.host.as_str(), proxy.port, authorization)
            });
            assert_eq!(parsed, expected, "{text}");
        }
    }

    /// The matches are those of `go doc golang.org/x/net/http/httpproxy.Config` and its tests.
    #[test]
    fn servers_without_a_proxy_are_those_of_go() {
        let kv = "kv.vault.azure.net";
        for (list, host, port, expected) in [
            ("*", kv, 443, true),
            ("x,*", kv, 443, true),
            ("*.vault.azure.net", kv, 443, true),
            ("*.vault.azure.net", "vault.azure.net", 443, false),
            (".vault.azure.net", kv, 443, true),
            (".vault.azure.net", "vault.azure.net", 443, false),
            ("vault.azure.net", kv, 443, true),
            ("vault.azure.net", "vault.azure.net", 443, true),
            ("ault.azure.net", kv, 443, false),
            ("KV.Vault.Azure.NET", kv, 443, true),
            ("kv.vault.azure.net:443", kv, 443, true),
            ("kv.vault.azure.net:8443", kv, 443, false),
            ("*.vault.azure.net:443", kv, 443, true),
            (".vault.azure.net:444", kv, 443, false),
            ("*vault.azure.net", kv, 443, false),
            ("*.*", kv, 443, false),
            (" a , kv.vault.azure.net ", kv, 443, true),
            ("a kv.vault.azure.net", kv, 443, true),
            ("kv.vault.azure.net:99999", kv, 443, false),
            ("kv.vault.azure.net:", kv, 443, false),
            (",,", kv, 443, false),
            (".", kv, 443, false),
            ("*.", kv, 443, false),
            (":443", kv, 443, false),
            ("https://kv.vault.azure.net", kv, 443, false),
            ("10.0.0.0/8", "10.1.2.3", 443, true),
            ("10.0.0.0/8", "11.1.2.3", 443, false),
            ("10.0.0.0/33", "10.0.0.0", 443, false),
            ("0.0.0.0/0", "11.1.2.3", 443, true),
            ("10.1.2.3", "10.1.2.3", 443, true),
            ("10.1.2.3:443", "10.1.2.3", 443, true),
            ("10.1.2.3:80", "10.1.2.3", 443, false),
            ("10.1.2", "10.1.2.3", 443, false),
            ("fd00::/8", "fd12::1", 443, true),
            ("fd00::1", "fd00::1", 443, true),
            ("[fd00::1]:443", "fd00::1", 443, true),
            ("[fd00::1]:80", "fd00::1", 443, false),
            ("[fd00::1]", "fd00::1", 443, true),
            ("fd00::/8", "10.1.2.3", 443, false),
        ] {
            assert_eq!(Direct::parse(list).has(host, port), expected, "{list} {host}:{port}");
        }
    }
}
