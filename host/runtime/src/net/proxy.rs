//! A CONNECT tunnel through an HTTP proxy. Behind a proxy only the name can be checked, as the proxy
//! resolves it.
//! <https://www.rfc-editor.org/rfc/rfc9110#section-9.3.6>

use httparse::Status;
use zeroize::Zeroizing;

use crate::limits;
use crate::visible::on_one_line;

use super::failure::Failure;
use super::proxies::Proxy;
use super::resolve::Resolver;
use super::server::PlannedServer;
use super::stream::{Deadline, Stream};

/// Opens a tunnel to a server.
pub(super) fn tunnel(
    proxy: &Proxy,
    resolver: &Resolver,
    to: &PlannedServer,
    deadline: Deadline<'_>,
) -> Result<Stream, Failure> {
    let Proxy { host, port, authorization } = proxy;
    let failed =
        |what: &str, help| Failure::Proxy(format!("the proxy {host}:{port}: {what}"), help);
    let lost = |failure| match failure {
        Failure::CallEnded(_)
        | Failure::Exhausted(_)
        | Failure::ConnectTimeout
        | Failure::ResponseTimeout => failure,
        other => failed(&format!("it cannot be reached: {other}"), RUNNING),
    };
    let connected = resolver.any_addresses(host, *port, deadline);
    let connected = connected.and_then(|addresses| Stream::connect(&addresses, deadline));
    let mut stream = connected.map_err(lost)?;
    // It may hold a password.
    let mut request = Zeroizing::new(String::with_capacity(limits::READ));
    request.push_str(&format!("CONNECT {to} HTTP/1.1\r\nhost: {to}\r\n"));
    if let Some(authorization) = authorization {
        for part in ["proxy-authorization: ", authorization, "\r\n"] {
            request.push_str(part);
        }
    }
    request.push_str("\r\n");
    stream.send(request.as_bytes(), deadline).map_err(lost)?;
    let mut received = Vec::new();
    loop {
        if stream.receive(&mut received, deadline).map_err(lost)? == 0 {
            return Err(failed("it closed the connection without an answer", RUNNING));
        }
        let mut headers = [httparse::EMPTY_HEADER; 64];
        let mut response = httparse::Response::new(&mut headers);
        match (response.parse(&received), response.code) {
            (Ok(Status::Complete(length)), Some(200..=299)) if length == received.len() => {
                return Ok(stream);
            }
            (Ok(Status::Complete(_)), Some(status @ 300..=599)) => {
                let reason: String = on_one_line(response.reason.unwrap_or_default())
                    .take(limits::PROXY_REASON_MAX)
                    .collect();
                let answered = format!("it answered {status} {reason}");
                return Err(failed(answered.trim_end(), advice(status, authorization.is_some())));
            }
            (Ok(Status::Partial), _) if received.len() < limits::PROXY_RESPONSE_MAX => {}
            _ => return Err(failed("its response is not that of a proxy, or too long", SETTING)),
        }
    }
}

const SETTING: &str = "check `HTTPS_PROXY`, which names the proxy";
const RUNNING: &str = "check `HTTPS_PROXY`, which names the proxy, and that the proxy is running";

/// What to do about a proxy that does not reach the host.
pub(super) const UNREACHED: &str = "the proxy cannot reach this host: check the host's name, and that the proxy \
    can resolve and reach it, or list it in `NO_PROXY` if it can be reached without the proxy";

/// What to do about a proxy's refusal to connect.
fn advice(status: u16, has_credentials: bool) -> &'static str {
    match status {
        401 | 407 if has_credentials => {
            "the proxy refuses the authorization: correct the user and the password in `HTTPS_PROXY`"
        }
        401 | 407 => {
            "the proxy requires authorization: put its user and password into the URL in `HTTPS_PROXY`"
        }
        403 | 451 => {
            "the proxy's policy forbids this host: have it allowed there, or list it in `NO_PROXY` if it \
             can be reached without the proxy"
        }
        429 => "the proxy is throttling requests: try again later",
        500 | 502..=504 => UNREACHED,
        _ => "check that what `HTTPS_PROXY` names is a proxy that allows CONNECT to this port",
    }
}
