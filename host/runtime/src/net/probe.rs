//! A connection to a server, step by step, for people who look for what is wrong with it: the proxy, the
//! addresses of the name, the certificates that the server shows, and the time that it has. Nothing but a request
//! without headers of the caller is sent, and only to a server that is trusted.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use crate::call::{Call, Slot};
use crate::error::{Error, Kind};
use crate::limits;
use crate::system::sockets;

use super::client::Client;
use super::connect::{proxy, secured};
use super::connection::{Connection, Times};
use super::failure::Failure;
use super::log::log;
use super::message::{Method, Request};
use super::proxy::{UNREACHED, tunnel};
use super::server::{PlannedServer, Trust, is_localhost};
use super::special::{Reach, reach};
use super::stream::{Deadline, Late, Stream};
use super::tls;

/// What was seen of a server. The steps after the one that failed were not taken.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Seen {
    /// The proxy that the server is reached through, as `host:port`. It looks the server's name up itself.
    pub proxy: Option<String>,
    /// Whether a rule of the settings gives the address.
    pub is_overridden: bool,
    /// The addresses that the name leads to, in the order in which they are tried.
    pub addresses: Vec<Address>,
    /// The name that the server's name is an alias of.
    pub alias: Option<String>,
    /// The certificates that the server shows, in DER, its own first.
    pub certificates: Vec<Vec<u8>>,
    /// The time of the server (the header `date`), and of this machine when it came.
    pub date: Option<(String, SystemTime)>,
    /// The step that failed, and why.
    pub failed: Option<(Step, Error)>,
}

/// An address of a server.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Address {
    /// The address with the server's port.
    pub address: SocketAddr,
    /// Whether it belongs to this machine or a private network.
    pub is_private: bool,
}

/// A step on the way to a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Step {
    /// The proxy cannot be used.
    Proxy,
    /// The name has no address, or none that is allowed, or the proxy does not reach it.
    Name,
    /// No connection to any of the addresses.
    Connection,
    /// No TLS, or a certificate that is not trusted.
    Tls,
    /// No response to a request.
    Response,
}

impl Client {
    /// Takes the steps of a connection to a server, which is not kept.
    pub(crate) fn probe(&self, to: &PlannedServer, call: &Call) -> Seen {
        let mut seen = Seen::default();
        if let Err((step, failure)) = self.take_steps(to, call, &mut seen) {
            seen.failed = Some((step, error(to, step, failure)));
        }
        seen
    }

    /// The proxy that a server is reached through, as `host:port`.
    pub(crate) fn proxy_of(&self, to: &PlannedServer) -> Option<String> {
        proxy(&self.transport, to).map(ToString::to_string)
    }

    fn take_steps(
        &self,
        to: &PlannedServer,
        call: &Call,
        seen: &mut Seen,
    ) -> Result<(), (Step, Failure)> {
        let (transport, resolver) = (&self.transport, &self.resolver);
        seen.is_overridden = transport.overrides.iter().any(|it| it.is_for(&to.host, to.port));
        seen.proxy = self.proxy_of(to);
        if seen.proxy.is_none() {
            // The rest of what is known of the name comes first, as the addresses may not be allowed.
            if !seen.is_overridden {
                seen.alias = alias(&to.host, call);
            }
            let found = resolver.addresses(&transport.overrides, to, deadline(call));
            seen.addresses = found.map_err(|it| (Step::Name, it))?.into_iter().map(from).collect();
        }
        let stream = self.open(to, seen, call)?;
        let stream = match secured(stream, transport, to, deadline(call)) {
            Ok(stream) => stream,
            Err(failure) => {
                if matches!(failure, Failure::Certificate(_)) {
                    seen.certificates = self.shown_certificates(to, seen, call);
                }
                return Err((Step::Tls, failure));
            }
        };
        seen.certificates = stream.certificates();
        let request = request(to);
        let started = Instant::now();
        let response = Connection::new(stream).exchange(&request, &Times::new(call, &request));
        log(&request, to, started, &response);
        let response = response.map_err(|failure| (Step::Response, failure))?;
        let date = response.header("date").map(|date| (date.to_owned(), SystemTime::now()));
        seen.date = date;
        Ok(())
    }

    /// A connection without TLS, through the proxy if there is one.
    fn open(
        &self,
        to: &PlannedServer,
        seen: &Seen,
        call: &Call,
    ) -> Result<Stream, (Step, Failure)> {
        match proxy(&self.transport, to) {
            Some(proxy) => tunnel(proxy, &self.resolver, to, deadline(call)).map_err(|failure| {
                let is_beyond = matches!(failure, Failure::Proxy(_, help) if help == UNREACHED);
                (if is_beyond { Step::Name } else { Step::Proxy }, failure)
            }),
            None => {
                let addresses: Vec<_> = seen.addresses.iter().map(|it| it.address).collect();
                Stream::connect(&addresses, deadline(call)).map_err(|it| (Step::Connection, it))
            }
        }
    }

    /// The certificates of a server that is not trusted, by a handshake that is always refused.
    fn shown_certificates(&self, to: &PlannedServer, seen: &Seen, call: &Call) -> Vec<Vec<u8>> {
        let shown = Arc::new(Mutex::new(Vec::new()));
        let refused = || -> Option<()> {
            let session = tls::refusing(Arc::clone(&shown), &to.host)?;
            let mut stream = self.open(to, seen, call).ok()?;
            stream.begin_tls(session, deadline(call)).ok()?;
            stream.finish_tls(deadline(call)).ok()
        };
        refused();
        std::mem::take(&mut shown.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn deadline(call: &Call) -> Deadline<'_> {
    Deadline::new(call, Instant::now() + limits::CONNECT, Late::Connecting)
}

fn from(address: SocketAddr) -> Address {
    Address { address, is_private: reach(address.ip()) != Reach::Public }
}

/// The name at the end of a chain of aliases, where it is another one. The system is asked on a thread of its own.
fn alias(host: &str, call: &Call) -> Option<String> {
    if host.parse::<IpAddr>().is_ok() || is_localhost(host) {
        return None;
    }
    let name = host.to_owned();
    let ask = move || {
        let hints = dns_lookup::AddrInfoHints {
            flags: sockets::CANONICAL_NAME,
            socktype: dns_lookup::SockType::Stream.into(),
            ..dns_lookup::AddrInfoHints::default()
        };
        let found = dns_lookup::getaddrinfo(Some(&name), None, Some(hints)).ok()?;
        found.flatten().find_map(|address| address.canonname)
    };
    let slot = Slot::default();
    let for_thread = slot.clone();
    let thread = std::thread::Builder::new().name("vaultlet-name".into());
    thread.spawn(move || for_thread.set(ask())).ok()?;
    let alias = slot.take(call, Instant::now() + limits::CONNECT).ok()???;
    (!alias.eq_ignore_ascii_case(host)).then_some(alias)
}

/// A request that needs no token, and whose response says what time it is there.
fn request(to: &PlannedServer) -> Request {
    let ms = |time: Duration| u32::try_from(time.as_millis()).unwrap_or(u32::MAX);
    Request {
        method: Method::Get,
        secure: to.trust != Trust::None,
        host: to.host.clone(),
        port: to.port,
        target: "/".into(),
        headers: Vec::new(),
        body: None,
        connect_ms: ms(limits::CONNECT),
        first_byte_ms: ms(limits::CONNECT),
        total_ms: ms(limits::CONNECT),
        max_body: u32::try_from(limits::BODY_MAX).unwrap_or(u32::MAX),
    }
}

/// The error for a step that failed.
fn error(to: &PlannedServer, step: Step, failure: Failure) -> Error {
    let help = failure.help();
    let (kind, id, usual) = match (&failure, step) {
        // The call's own words say how long it was, and not what has hung.
        (Failure::CallEnded(error), _) if error.kind == Kind::Timeout => {
            let (_, how_long) = error.message.split_once(": ").unwrap_or_default();
            let message = format!("{to}: {}: {how_long}", hung(step));
            return Error { message, ..(**error).clone() };
        }
        (Failure::CallEnded(error) | Failure::Exhausted(error), _) => return (**error).clone(),
        (Failure::ConnectTimeout, Step::Tls) => {
            let message = format!("{to}: {} within the time allowed", hung(step));
            return Error::new(Kind::Unavailable, "vault-unreachable", message, "");
        }
        (Failure::Denied(_), _) => (Kind::Denied, "egress-denied", ""),
        (Failure::Certificate(_), _) => (Kind::Configuration, "certificate-untrusted", ""),
        (_, Step::Response) => (Kind::Unavailable, "vault-unexpected", ""),
        _ => (Kind::Unavailable, "vault-unreachable", ""),
    };
    Error::new(kind, id, format!("{to}: {failure}"), help.unwrap_or(usual))
}

/// What a step waits for in vain.
fn hung(step: Step) -> &'static str {
    match step {
        Step::Proxy => "the proxy opens no connection to it",
        Step::Name => "no answer to the lookup of its name",
        Step::Connection => "no answer to a connection",
        Step::Tls => "it accepts the connection, and does not answer the TLS handshake",
        Step::Response => "no response to a request",
    }
}
