//! URLs with the scheme `http` or `https`.

use alloc::{
    borrow::Cow,
    format,
    string::{String, ToString},
};
use core::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};
use fluent_uri::{
    Uri,
    component::{Authority, Host},
};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// All characters but the unreserved ones of RFC 3986, which a query may have unescaped.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// An absolute `http` or `https` URL without user or fragment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    /// Whether the scheme is `https`.
    pub secure: bool,
    /// The host name in lower case, or an IP address without brackets.
    pub host: String,
    /// The port, never 0.
    pub port: u16,
    /// The path and the query as they are sent, beginning with `/`.
    pub target: String,
}

impl Url {
    /// An `https` URL with the target `/`.
    pub(crate) fn https(host: String, port: u16) -> Self {
        Self { secure: true, host, port, target: "/".to_string() }
    }

    /// Parses a URL. The error says what the text is not, in words that fit after "is not".
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let uri = Uri::parse(text).map_err(|_| "a URL")?;
        let secure = match uri.scheme().as_str() {
            scheme if scheme.eq_ignore_ascii_case("https") => true,
            scheme if scheme.eq_ignore_ascii_case("http") => false,
            _ => return Err("an `http` or `https` URL"),
        };
        let authority = uri.authority().ok_or("a URL with a host")?;
        if authority.userinfo().is_some() || uri.has_fragment() {
            return Err("a URL without user and fragment");
        }
        let (host, port) = host_and_port(authority)?;
        let mut target = match uri.path().as_str() {
            "" => "/".to_string(),
            path => path.to_string(),
        };
        if let Some(query) = uri.query() {
            target.push('?');
            target.push_str(query.as_str());
        }
        Ok(Self { secure, host, port: port.unwrap_or(if secure { 443 } else { 80 }), target })
    }

    /// Adds a parameter to the query and escapes the value.
    pub fn push(&mut self, name: &str, value: &str) {
        self.target.push(if self.target.contains('?') { '&' } else { '?' });
        self.target.push_str(name);
        self.target.push('=');
        escape(&mut self.target, value);
    }

    /// Appends a path to the URL's own.
    pub fn below(&self, path: &str) -> Self {
        let mut url = self.clone();
        while url.target.ends_with('/') {
            url.target.pop();
        }
        url.target.push('/');
        url.target.push_str(path);
        url
    }

    /// Whether both URLs have the same origin: scheme, host and port.
    pub fn has_origin_of(&self, other: &Self) -> bool {
        (self.secure, self.port, &self.host) == (other.secure, other.port, &other.host)
    }

    /// The origin: `<scheme>://<host>`, with the port unless it is the scheme's default.
    pub fn origin(&self) -> String {
        let scheme = if self.secure { "https" } else { "http" };
        format!("{scheme}://{}", self.short_host_and_port())
    }

    /// The server as `host:port`, always with the port.
    pub fn host_and_port(&self) -> String {
        format!("{}:{}", bracketed(&self.host), self.port)
    }

    /// The server as `host`, with the port unless it is the scheme's default.
    pub fn short_host_and_port(&self) -> String {
        if self.port == if self.secure { 443 } else { 80 } {
            bracketed(&self.host)
        } else {
            self.host_and_port()
        }
    }

    /// Whether the host is this machine: `localhost` or a loopback address.
    pub fn is_loopback(&self) -> bool {
        is_loopback(&self.host)
    }

    /// Whether the host is near enough for plain `http` to an identity endpoint: a loopback,
    /// link-local or private address.
    pub fn is_near(&self) -> bool {
        if self.is_loopback() {
            return true;
        }
        match canonical(&self.host) {
            Some(IpAddr::V4(ip)) => ip.is_private() || ip.is_link_local(),
            Some(IpAddr::V6(ip)) => ip.is_unique_local() || ip.is_unicast_link_local(),
            None => false,
        }
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.origin())?;
        f.write_str(&self.target)
    }
}

/// Appends a value, escaped for a query, a form or a segment of a path.
pub(crate) fn escape(to: &mut String, value: &str) {
    to.extend(utf8_percent_encode(value, ESCAPED));
}

/// Decodes an escaped value; none if it is not UTF-8.
pub(crate) fn unescaped(value: &str) -> Option<Cow<'_, str>> {
    percent_decode_str(value).decode_utf8().ok()
}

/// Whether a host is `localhost`, a name below it (RFC 6761) or a loopback address.
pub fn is_loopback(host: &str) -> bool {
    host == "localhost"
        || host.ends_with(".localhost")
        || canonical(host).is_some_and(|ip| ip.is_loopback())
}

/// Whether a host is an IP address.
pub(crate) fn is_address(host: &str) -> bool {
    canonical(host).is_some()
}

/// Splits `host[:port]` and checks both. The host is returned in lower case, without brackets.
pub fn split_host_and_port(text: &str) -> Result<(String, Option<u16>), &'static str> {
    let url = format!("a://{text}");
    let uri = Uri::parse(url.as_str()).map_err(|_| "a host")?;
    let parsed = uri.authority().filter(|authority| authority.as_str() == text).ok_or("a host")?;
    if parsed.userinfo().is_some() {
        return Err("a host without user");
    }
    host_and_port(parsed)
}

fn host_and_port(parsed: Authority<'_>) -> Result<(String, Option<u16>), &'static str> {
    let port = match parsed.port().map(|port| port.as_str()) {
        None => None,
        Some(port) => Some(port.parse::<u16>().ok().filter(|p| *p != 0).ok_or("a valid port")?),
    };
    let host = match parsed.host_parsed() {
        Host::Ipv4(_) | Host::Ipv6(_) => {
            parsed.host().trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase()
        }
        Host::RegName(name) if is_name(name.as_str()) => name.as_str().to_ascii_lowercase(),
        _ => return Err("a valid host name"),
    };
    Ok((host, port))
}

/// Whether a text is a host's DNS name: labels of letters, digits and inner hyphens, without a
/// trailing dot.
fn is_name(name: &str) -> bool {
    name.len() <= 253
        && name.split('.').all(|label| {
            (1..=63).contains(&label.len())
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        })
        // Many resolvers take `127.1` and `0x7f000001` for addresses.
        && !name
            .get(name.rfind('.').map_or(0, |dot| dot + 1)..)
            .is_some_and(|last| last.starts_with(|c: char| c.is_ascii_digit()))
}

/// Parses an IP address; an IPv4 address in IPv6 form becomes IPv4.
fn canonical(host: &str) -> Option<IpAddr> {
    if let Ok(ip) = host.parse::<Ipv4Addr>() {
        return Some(IpAddr::V4(ip));
    }
    host.parse::<Ipv6Addr>().ok().map(|ip| ip.to_canonical())
}

fn bracketed(host: &str) -> String {
    if host.contains(':') { format!("[{host}]") } else { host.to_string() }
}
