//! Responses and their bodies. Several secrets are written one by one, while the client takes them, so that no
//! number of slow clients makes this process large.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::vec;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response, StatusCode, header};
use http_body_util::Full;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use vaultlet_host::{Secret, render};
use zeroize::Zeroizing;

use super::limits;
use super::stream::Responding;

/// A response.
pub(super) struct Answer {
    status: StatusCode,
    headers: Vec<(HeaderName, HeaderValue)>,
    content: Content,
}

enum Content {
    Bytes(Bytes),
    Secrets(Secrets),
}

/// A secret that is given out.
pub(super) struct Given {
    /// The reference as the client wrote it.
    pub(super) reference: String,
    pub(super) secret: Arc<Secret>,
    /// The member of the secret that the reference names.
    pub(super) member: Option<Zeroizing<String>>,
    pub(super) is_stale: bool,
}

impl Answer {
    pub(super) fn json(status: StatusCode, text: Zeroizing<String>) -> Self {
        let json = HeaderValue::from_static("application/json");
        Self::new(status, Content::Bytes(scrubbed(text))).with(header::CONTENT_TYPE, json)
    }

    pub(super) fn text(kind: &'static str, text: String) -> Self {
        let content = Content::Bytes(text.into());
        let kind = HeaderValue::from_static(kind);
        Self::new(StatusCode::OK, content).with(header::CONTENT_TYPE, kind)
    }

    pub(super) fn empty(status: StatusCode) -> Self {
        Self::new(status, Content::Bytes(Bytes::new()))
    }

    /// One secret.
    pub(super) fn secret(given: &Given) -> Self {
        Self::json(StatusCode::OK, given.json())
    }

    /// Secrets, as an array.
    pub(super) fn secrets(given: Vec<Given>) -> Self {
        let json = HeaderValue::from_static("application/json");
        let values: usize = given.iter().map(|it| it.secret.reveal().len()).sum();
        if values + given.len() * limits::PROPERTIES < limits::WHOLE {
            let room = 2 * values + given.len() * 2 * limits::PROPERTIES + 3;
            let mut text = Zeroizing::new(String::with_capacity(room));
            for (at, given) in given.iter().enumerate() {
                text.push(if at == 0 { '[' } else { ',' });
                text.push_str(given.json().trim_end());
            }
            text.push_str(if given.is_empty() { "[]\n" } else { "]\n" });
            return Self::json(StatusCode::OK, text);
        }
        let content = Content::Secrets(Secrets::new(given));
        Self::new(StatusCode::OK, content).with(header::CONTENT_TYPE, json)
    }

    fn new(status: StatusCode, content: Content) -> Self {
        let headers = vec![(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))];
        Self { status, headers, content }
    }

    pub(super) fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    pub(super) fn status(&self) -> StatusCode {
        self.status
    }

    pub(super) fn into_response(self, responding: Responding) -> Response<Body> {
        let content = match self.content {
            Content::Bytes(bytes) => Sent::Bytes(Full::new(bytes)),
            Content::Secrets(secrets) => Sent::Secrets(secrets),
        };
        let mut response = Response::new(Body { content, _responding: responding });
        *response.status_mut() = self.status;
        response.headers_mut().extend(self.headers);
        response
    }
}

impl Given {
    /// The secret as `vaultlet get -o json` prints it, on one line.
    fn json(&self) -> Zeroizing<String> {
        let member = self.member.as_ref().map(|it| it.as_str());
        let mut text = render::secret_json(&self.reference, &self.secret, member);
        if self.is_stale {
            let end = text.trim_end().len().saturating_sub(1);
            text.truncate(end);
            text.push_str(",\"stale\":true}\n");
        }
        text
    }
}

/// Bytes that are overwritten when the last copy of them is dropped.
fn scrubbed(text: Zeroizing<String>) -> Bytes {
    struct Text(Zeroizing<String>);
    impl AsRef<[u8]> for Text {
        fn as_ref(&self) -> &[u8] {
            self.0.as_bytes()
        }
    }
    Bytes::from_owner(Text(text))
}

/// A JSON array of secrets that is made while it is sent.
struct Secrets {
    rest: vec::IntoIter<Given>,
    is_first: bool,
    is_done: bool,
    /// Bytes that are still to come.
    left: u64,
}

impl Secrets {
    fn new(given: Vec<Given>) -> Self {
        // Each without its newline and with a comma or bracket before it, and at the end a bracket and a newline.
        let secrets: usize = given.iter().map(|it| it.json().len()).sum();
        let brackets = if given.is_empty() { 3 } else { 2 };
        let left = (secrets + brackets) as u64;
        Self { rest: given.into_iter(), is_first: true, is_done: false, left }
    }

    fn next(&mut self) -> Option<Bytes> {
        if self.is_done {
            return None;
        }
        let next = self.rest.next().map(|it| it.json());
        let length = next.as_ref().map_or(0, |it| it.len());
        let mut text = Zeroizing::new(String::with_capacity(length + 3));
        match next {
            Some(json) => {
                text.push(if self.is_first { '[' } else { ',' });
                text.push_str(json.trim_end());
            }
            None if self.is_first => text.push('['),
            None => {}
        }
        self.is_first = false;
        if self.rest.len() == 0 {
            text.push_str("]\n");
            self.is_done = true;
        }
        self.left = self.left.saturating_sub(text.len() as u64);
        Some(scrubbed(text))
    }
}

/// The body of a response, while it is sent.
pub(super) struct Body {
    content: Sent,
    _responding: Responding,
}

enum Sent {
    Bytes(Full<Bytes>),
    Secrets(Secrets),
}

impl HttpBody for Body {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match &mut self.get_mut().content {
            Sent::Bytes(bytes) => Pin::new(bytes).poll_frame(context),
            Sent::Secrets(secrets) => {
                Poll::Ready(secrets.next().map(|bytes| Ok(Frame::data(bytes))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.content {
            Sent::Bytes(bytes) => bytes.is_end_stream(),
            Sent::Secrets(secrets) => secrets.is_done,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.content {
            Sent::Bytes(bytes) => bytes.size_hint(),
            Sent::Secrets(secrets) => SizeHint::with_exact(secrets.left),
        }
    }
}
