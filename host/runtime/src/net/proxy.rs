//! A CONNECT tunnel through an HTTP proxy. Behind a proxy only the name can be checked, as the proxy
//! resolves it.
//! <https://www.rfc-editor.org/rfc/rfc9110#section-9.3.6>

use httparse::Status;
use zeroize::Zeroizing;

use crate::limits;

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
    let failed = |what: &str| Failure::Proxy(format!("the proxy {host}:{port}: {what}"));
    let connected = resolver.any_addresses(host, *port, deadline);
    let connected = connected.and_then(|addresses| Stream::connect(&addresses, deadline));
    let mut stream = connected.map_err(|failure| match failure {
        Failure::CallEnded(_) | Failure::Exhausted(_) | Failure::ConnectTimeout => failure,
        other => failed(&format!("failed to create underlying connection: {other}")),
    })?;
    // It may hold a password.
    let mut request = Zeroizing::new(String::with_capacity(limits::READ));
    request.push_str(&format!("CONNECT {to} HTTP/1.1\r\nhost: {to}\r\n"));
    if let Some(authorization) = authorization {
        for part in ["proxy-authorization: ", authorization, "\r\n"] {
            request.push_str(part);
        }
    }
    request.push_str("\r\n");
    stream.send(request.as_bytes(), deadline)?;
    let mut received = Vec::new();
    loop {
        if stream.receive(&mut received, deadline)? == 0 {
            return Err(failed("unexpected end of file"));
        }
        let mut headers = [httparse::EMPTY_HEADER; 64];
        let mut response = httparse::Response::new(&mut headers);
        match response.parse(&received) {
            Ok(Status::Complete(length))
                if response.code == Some(200) && length == received.len() =>
            {
                return Ok(stream);
            }
            Ok(Status::Complete(_)) if response.code == Some(407) => {
                return Err(failed("proxy authorization required"));
            }
            Ok(Status::Complete(_)) => return Err(failed("it refused to connect")),
            Ok(Status::Partial) if received.len() < limits::PROXY_RESPONSE_MAX => {}
            _ => return Err(failed("its response is not HTTP, or too long")),
        }
    }
}
