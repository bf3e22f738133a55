//! HTTP/1.1 as bytes: the head of a request, and the head and body of a response.
//! <https://www.rfc-editor.org/rfc/rfc9112>

use std::io::Write as _;
use std::mem::MaybeUninit;

use httparse::{ParserConfig, Status};

use crate::limits;

use super::failure::Failure;
use super::message::{Request, Response, append};

/// How the end of a body is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    Length(usize),
    Chunked,
    /// The body ends with the connection.
    UntilClosed,
}

/// The head of a response.
pub(super) struct Head {
    pub(super) response: Response,
    pub(super) framing: Framing,
    /// Whether the connection may carry another request.
    pub(super) keeps_open: bool,
    /// The bytes of the head.
    pub(super) length: usize,
}

/// Writes a request whole.
pub(super) fn write_request(out: &mut Vec<u8>, request: &Request) -> Result<(), Failure> {
    if !request.target.starts_with('/') || !request.target.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(Failure::Protocol("the address is not allowed".into()));
    }
    out.extend_from_slice(request.method.as_str().as_bytes());
    out.push(b' ');
    out.extend_from_slice(request.target.as_bytes());
    out.extend_from_slice(b" HTTP/1.1\r\n");
    for (name, value) in &request.headers {
        write_header(out, name, value)?;
    }
    // Writing to a vector does not fail.
    if let Some(body) = &request.body {
        let _ = write!(out, "content-length: {}\r\n", body.len());
    }
    write_host(out, request);
    out.extend_from_slice(b"\r\n");
    if let Some(body) = &request.body {
        out.extend_from_slice(body.as_bytes());
    }
    Ok(())
}

fn write_header(out: &mut Vec<u8>, name: &str, value: &str) -> Result<(), Failure> {
    let is_name = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    let is_value = value.bytes().all(|b| b == b'\t' || (b >= b' ' && b != 0x7f));
    if !is_name || !is_value {
        return Err(Failure::Protocol("a header is not allowed".into()));
    }
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b": ");
    out.extend_from_slice(value.as_bytes());
    out.extend_from_slice(b"\r\n");
    Ok(())
}

fn write_host(out: &mut Vec<u8>, request: &Request) {
    let Request { host, port, secure, .. } = request;
    let brackets = if host.contains(':') { ["[", "]"] } else { ["", ""] };
    let _ = write!(out, "host: {}{host}{}", brackets[0], brackets[1]);
    if *port != if *secure { 443 } else { 80 } {
        let _ = write!(out, ":{port}");
    }
    out.extend_from_slice(b"\r\n");
}

/// Parses the head of a response; `None` while it is not complete.
pub(super) fn parse_head(received: &[u8]) -> Result<Option<Head>, Failure> {
    let mut space = [const { MaybeUninit::uninit() }; limits::HEADERS];
    let mut parsed = httparse::Response::new(&mut []);
    let config = ParserConfig::default();
    let length = match config.parse_response_with_uninit_headers(&mut parsed, received, &mut space)
    {
        Ok(Status::Complete(length)) if length <= limits::HEADERS_MAX => length,
        Ok(Status::Partial) if received.len() < limits::HEADERS_MAX => return Ok(None),
        Ok(_) | Err(httparse::Error::TooManyHeaders) => return Err(too_large()),
        Err(_) => return Err(Failure::Protocol("the response is not HTTP".into())),
    };
    let status = parsed.code.unwrap_or_default();
    let is_1_1 = parsed.version == Some(1);
    let mut framing = Framing::UntilClosed;
    let (mut closes, mut keeps, mut coded) = (false, false, false);
    let mut headers = Vec::with_capacity(parsed.headers.len());
    for header in &*parsed.headers {
        let name = header.name.to_ascii_lowercase();
        match name.as_str() {
            "content-length" => match (framing, content_length(header.value)) {
                (_, None) => return Err(malformed_length()),
                (Framing::Length(other), Some(length)) if other != length => {
                    return Err(malformed_length());
                }
                (Framing::Chunked, Some(_)) => {}
                (_, Some(length)) if !coded => framing = Framing::Length(length),
                _ => {}
            },
            "transfer-encoding" => {
                coded = true;
                let is_chunked = last_word(header.value).eq_ignore_ascii_case(b"chunked");
                framing = if is_chunked { Framing::Chunked } else { Framing::UntilClosed };
            }
            "connection" => {
                closes |= has_word(header.value, b"close");
                keeps |= has_word(header.value, b"keep-alive");
            }
            _ => {}
        }
        headers.push((name, header.value.to_vec()));
    }
    if matches!(status, 100..200 | 204 | 304) {
        framing = Framing::Length(0);
    }
    let keeps_open = !closes && (is_1_1 || keeps) && framing != Framing::UntilClosed;
    let response = Response { status, headers, body: Vec::new() };
    Ok(Some(Head { response, framing, keeps_open, length }))
}

fn too_large() -> Failure {
    Failure::Protocol("the response's headers are too large".into())
}

fn malformed_length() -> Failure {
    Failure::Protocol("the response is not HTTP".into())
}

fn content_length(value: &[u8]) -> Option<usize> {
    let text = str::from_utf8(value).ok()?.trim();
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok())?
}

fn words(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii)
}

fn has_word(value: &[u8], word: &[u8]) -> bool {
    words(value).any(|other| other.eq_ignore_ascii_case(word))
}

fn last_word(value: &[u8]) -> &[u8] {
    words(value).last().unwrap_or_default()
}

/// Reads a chunked body out of what was received so far, and appends its data to `body`. Returns
/// whether the body has ended, and how much of the input was used.
#[derive(Default)]
pub(super) struct Chunks {
    /// Bytes left of the chunk that has begun, its line end included.
    left: usize,
    /// Whether the last chunk was read, and trailers follow.
    in_trailers: bool,
    /// Bytes of the trailers so far.
    trailers: usize,
}

impl Chunks {
    pub(super) fn read(
        &mut self,
        input: &[u8],
        body: &mut Vec<u8>,
        most: usize,
    ) -> Result<(bool, usize), Failure> {
        const LINE_END: usize = 2;
        let malformed = || Failure::Protocol("the response is not HTTP".into());
        let mut used = 0;
        loop {
            let rest = input.get(used..).unwrap_or_default();
            if self.in_trailers {
                let Some(line) = rest.iter().position(|byte| *byte == b'\n') else {
                    let too_many = self.trailers + rest.len() > limits::HEADERS_MAX;
                    return if too_many { Err(too_large()) } else { Ok((false, used)) };
                };
                used += line + 1;
                self.trailers += line + 1;
                if self.trailers > limits::HEADERS_MAX {
                    return Err(too_large());
                }
                if matches!(rest.get(..line), Some(b"" | b"\r")) {
                    return Ok((true, used));
                }
            } else if self.left > LINE_END {
                let data = rest.get(..rest.len().min(self.left - LINE_END)).unwrap_or_default();
                if data.is_empty() {
                    return Ok((false, used));
                }
                if body.len() + data.len() > most {
                    return Err(Failure::TooLarge);
                }
                append(body, data);
                self.left -= data.len();
                used += data.len();
            } else if self.left > 0 {
                let Some((&byte, _)) = rest.split_first() else { return Ok((false, used)) };
                if byte != if self.left == LINE_END { b'\r' } else { b'\n' } {
                    return Err(malformed());
                }
                self.left -= 1;
                used += 1;
            } else {
                match httparse::parse_chunk_size(rest) {
                    Ok(Status::Complete((after, size))) => {
                        used += after;
                        match usize::try_from(size) {
                            Ok(0) => self.in_trailers = true,
                            Ok(size) if size <= most => self.left = size + LINE_END,
                            _ => return Err(Failure::TooLarge),
                        }
                    }
                    Ok(Status::Partial) if rest.len() > limits::CHUNK_LINE_MAX => {
                        return Err(malformed());
                    }
                    Ok(Status::Partial) => return Ok((false, used)),
                    Err(_) => return Err(malformed()),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn framing(head: &str) -> Option<(Framing, bool)> {
        let head = parse_head(head.as_bytes()).ok()??;
        Some((head.framing, head.keeps_open))
    }

    #[test]
    fn the_end_of_a_body_is_found_as_rfc_9112_says() {
        use Framing::{Chunked, Length, UntilClosed};
        for (head, expected) in [
            ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", Some((Length(5), true))),
            (
                "HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 5\r\n\r\n",
                Some((Length(5), true)),
            ),
            ("HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\n", None),
            ("HTTP/1.1 200 OK\r\ncontent-length: -5\r\n\r\n", None),
            ("HTTP/1.1 200 OK\r\ncontent-length: +5\r\n\r\n", None),
            ("HTTP/1.1 200 OK\r\ncontent-length: 99999999999999999999999\r\n\r\n", None),
            ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", Some((Chunked, true))),
            (
                "HTTP/1.1 200 OK\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n",
                Some((Chunked, true)),
            ),
            (
                "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ncontent-length: 5\r\n\r\n",
                Some((Chunked, true)),
            ),
            (
                "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked, gzip\r\n\r\n",
                Some((UntilClosed, false)),
            ),
            ("HTTP/1.1 200 OK\r\n\r\n", Some((UntilClosed, false))),
            (
                "HTTP/1.1 200 OK\r\nconnection: Close\r\ncontent-length: 0\r\n\r\n",
                Some((Length(0), false)),
            ),
            ("HTTP/1.0 200 OK\r\ncontent-length: 0\r\n\r\n", Some((Length(0), false))),
            (
                "HTTP/1.0 200 OK\r\nconnection: keep-alive\r\ncontent-length: 0\r\n\r\n",
                Some((Length(0), true)),
            ),
            ("HTTP/1.1 204 No Content\r\n\r\n", Some((Length(0), true))),
            ("HTTP/1.1 304 Not Modified\r\ncontent-length: 5\r\n\r\n", Some((Length(0), true))),
            ("HTTP/2 200\r\n\r\n", None),
            ("SSH-2.0-OpenSSH_9.2\r\n", None),
        ] {
            assert_eq!(framing(head), expected, "{head:?}");
        }
    }

    #[test]
    fn a_head_is_limited() {
        let endless = format!("HTTP/1.1 200 OK\r\nx: {}", "y".repeat(limits::HEADERS_MAX));
        let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "a: b\r\n".repeat(limits::HEADERS + 1));
        for head in [endless, many] {
            assert!(matches!(parse_head(head.as_bytes()), Err(Failure::Protocol(_))));
        }
    }

    /// Reads a chunked body in pieces of this size.
    fn dechunked(input: &[u8], piece: usize, most: usize) -> Result<Vec<u8>, Failure> {
        let (mut chunks, mut body, mut pending) = (Chunks::default(), Vec::new(), Vec::new());
        for piece in input.chunks(piece) {
            pending.extend_from_slice(piece);
            let (ended, used) = chunks.read(&pending, &mut body, most)?;
            pending.drain(..used);
            if ended {
                return Ok(body);
            }
        }
        Err(Failure::Protocol("it has no end".into()))
    }

    #[test]
    fn a_chunked_body_is_the_same_in_pieces_of_any_size() {
        let input = b"5\r\nhello\r\n1;name=\"v\"\r\n,\r\n6\r\n world\r\n0\r\ntrailer: x\r\n\r\n";
        for piece in 1..=input.len() {
            let body = dechunked(input, piece, 64).unwrap();
            assert_eq!(body, b"hello, world", "pieces of {piece}");
        }
        for (input, most) in [
            (&b"5\r\nhello\r\n0\r\n\r\n"[..], 4),
            (b"5\r\nhelloXX0\r\n\r\n", 64),
            (b"x\r\nhello\r\n0\r\n\r\n", 64),
            (b"ffffffffffffffffff\r\n", 64),
            (b"5\r\nhel", 64),
            (b"0\r\n", 64),
        ] {
            assert!(dechunked(input, 3, most).is_err(), "{input:?}");
        }
    }
}
