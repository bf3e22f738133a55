//! A plain HTTP request to a loopback port, written out, so that nothing stands between a test and the
//! wire.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

/// What was answered.
#[derive(Debug)]
pub struct Told {
    /// The status.
    pub status: u16,
    /// The headers, in lower case.
    pub headers: String,
    /// The body as it came.
    pub body: String,
}

/// Sends `GET` with these header lines, each ended by `\r\n`, and the right `Host`.
pub fn get(authority: &str, target: &str, headers: &str) -> Told {
    send(
        authority,
        &format!(
            "GET {target} HTTP/1.1\r\nhost: {authority}\r\n{headers}connection: close\r\n\r\n"
        ),
    )
}

/// Sends exactly this, and reads until the other side closes.
pub fn send(authority: &str, text: &str) -> Told {
    let sent = || -> std::io::Result<String> {
        let mut stream = TcpStream::connect(authority)?;
        stream.write_all(text.as_bytes())?;
        let mut answer = Vec::new();
        // What was refused early may end in a reset, after its answer.
        let _ = stream.read_to_end(&mut answer);
        Ok(String::from_utf8_lossy(&answer).into_owned())
    };
    let answer = sent().unwrap_or_else(|error| unreachable!("{authority}: {error}"));
    let (headers, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let status = headers.split(' ').nth(1).and_then(|status| status.parse().ok());
    Told {
        status: status.unwrap_or_default(),
        headers: headers.to_ascii_lowercase(),
        body: body.to_owned(),
    }
}
