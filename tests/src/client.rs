//! HTTP requests to a loopback port, written byte by byte, so that no HTTP library stands between a
//! test and the wire.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

/// A response to a request of the test.
#[derive(Debug)]
pub struct Response {
    /// The status.
    pub status: u16,
    /// The headers, in lower case.
    pub headers: String,
    /// The body, as it arrived.
    pub body: String,
}

/// Sends a `GET` with the given header lines, each ended by `\r\n`, and the right `Host`.
pub fn get(authority: &str, target: &str, headers: &str) -> Response {
    send(
        authority,
        &format!(
            "GET {target} HTTP/1.1\r\nhost: {authority}\r\n{headers}connection: close\r\n\r\n"
        ),
    )
}

/// Sends exactly the given text, and reads until the other side closes.
pub fn send(authority: &str, text: &str) -> Response {
    let sent = || -> std::io::Result<String> {
        let mut stream = TcpStream::connect(authority)?;
        stream.write_all(text.as_bytes())?;
        let mut answer = Vec::new();
        // A request that is refused early may end in a reset after the response.
        let _ = stream.read_to_end(&mut answer);
        Ok(String::from_utf8_lossy(&answer).into_owned())
    };
    let answer = sent().unwrap_or_else(|error| unreachable!("{authority}: {error}"));
    let (headers, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let status = headers.split(' ').nth(1).and_then(|status| status.parse().ok());
    Response {
        status: status.unwrap_or_default(),
        headers: headers.to_ascii_lowercase(),
        body: body.to_owned(),
    }
}
