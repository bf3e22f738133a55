//! HTTP requests and responses as the component sends and receives them: the records of the WIT
//! interface `host` (`wit/embedded.wit`). Neither has `Debug`, and both are scrubbed when they are
//! dropped: a header or a body may be a secret.

use wasmtime::component::{ComponentType, Lift, Lower};

/// The method of a request.
#[derive(Clone, Copy, ComponentType, Debug, Eq, Lift, PartialEq)]
#[component(enum)]
#[repr(u8)]
pub(crate) enum Method {
    #[component(name = "get")]
    Get,
    #[component(name = "post")]
    #[cfg_attr(not(feature = "jit"), allow(dead_code, reason = "components make it"))]
    Post,
}

impl Method {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
        }
    }
}

/// A request. Times are in milliseconds, sizes in bytes.
#[derive(ComponentType, Lift)]
#[component(record)]
pub(crate) struct Request {
    pub(crate) method: Method,
    pub(crate) secure: bool,
    /// Lower case, without brackets.
    pub(crate) host: String,
    pub(crate) port: u16,
    /// The path and the query.
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Option<String>,
    #[component(name = "connect-ms")]
    pub(crate) connect_ms: u32,
    #[component(name = "first-byte-ms")]
    pub(crate) first_byte_ms: u32,
    #[component(name = "total-ms")]
    pub(crate) total_ms: u32,
    #[component(name = "max-body")]
    pub(crate) max_body: u32,
}

impl Request {
    /// The path without the query, which may hold what must not be logged.
    pub(crate) fn path(&self) -> &str {
        self.target.split_once('?').map_or(&self.target, |(path, _)| path)
    }

    /// The query; empty if there is none.
    pub(crate) fn query(&self) -> &str {
        self.target.split_once('?').map_or("", |(_, query)| query)
    }
}

impl Drop for Request {
    fn drop(&mut self) {
        for (_, value) in &mut self.headers {
            scrub_text(value);
        }
        if let Some(body) = &mut self.body {
            scrub_text(body);
        }
    }
}

/// A whole response.
#[derive(ComponentType, Lower)]
#[component(record)]
pub(crate) struct Response {
    pub(crate) status: u16,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, Vec<u8>)>,
    pub(crate) body: Vec<u8>,
}

impl Response {
    /// A response whose text tells people why a request failed. The text holds no secret.
    pub(crate) fn refusal(status: u16, text: impl Into<Vec<u8>>) -> Self {
        let plain = b"text/plain; charset=utf-8".to_vec();
        Self { status, headers: vec![("content-type".into(), plain)], body: text.into() }
    }

    /// The first value of a header, whose name is in lower case, if it is text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let (_, value) = self.headers.iter().find(|(n, _)| n == name)?;
        str::from_utf8(value).ok()
    }
}

impl Drop for Response {
    fn drop(&mut self) {
        scrub(&mut self.body);
    }
}

/// Why a request has no response.
#[derive(ComponentType, Debug, Lower)]
#[component(variant)]
pub(crate) enum SendError {
    #[component(name = "refused")]
    Refused,
    #[component(name = "unreachable")]
    Unreachable,
    #[component(name = "name")]
    Name,
    #[component(name = "timeout")]
    Timeout,
    #[component(name = "tls-untrusted")]
    TlsUntrusted,
    #[component(name = "tls-protocol")]
    TlsProtocol,
    #[component(name = "denied")]
    Denied,
    #[component(name = "body-too-large")]
    BodyTooLarge,
    #[component(name = "protocol")]
    Protocol(String),
}

/// Overwrites a vector's bytes and empties it: one write of the whole, where `zeroize` writes byte by
/// byte.
pub(super) fn scrub(bytes: &mut Vec<u8>) {
    bytes.fill(0);
    // The compiler must assume that the bytes are read, so that it keeps the write.
    std::hint::black_box(bytes.as_slice());
    bytes.clear();
}

/// As [`scrub`].
pub(super) fn scrub_text(text: &mut String) {
    let mut bytes = std::mem::take(text).into_bytes();
    scrub(&mut bytes);
}

/// Removes bytes from the beginning, and leaves no copy of them behind.
pub(super) fn consume(bytes: &mut Vec<u8>, count: usize) {
    let length = bytes.len();
    let left = length.saturating_sub(count);
    bytes.copy_within(length - left.., 0);
    if let Some(rest) = bytes.get_mut(left..) {
        rest.fill(0);
    }
    bytes.truncate(left);
}

/// Appends bytes; a vector that must grow leaves no copy behind.
pub(super) fn append(to: &mut Vec<u8>, bytes: &[u8]) {
    reserve(to, bytes.len());
    to.extend_from_slice(bytes);
}

/// Makes room; a vector that must grow leaves no copy behind.
pub(super) fn reserve(bytes: &mut Vec<u8>, more: usize) {
    let needed = bytes.len() + more;
    if needed > bytes.capacity() {
        let mut larger = Vec::with_capacity(needed.max(2 * bytes.capacity()));
        larger.extend_from_slice(bytes);
        scrub(&mut std::mem::replace(bytes, larger));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_consumed_is_gone_and_the_rest_is_there() {
        for (count, expected) in [(0, "abcdef"), (2, "cdef"), (6, ""), (9, "")] {
            let mut bytes = b"abcdef".to_vec();
            consume(&mut bytes, count);
            assert_eq!(bytes, expected.as_bytes(), "{count}");
        }
    }
}
