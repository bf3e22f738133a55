//! HTTP messages: responses whose bodies are wiped once they are sent, and the reading of requests.

use std::error::Error;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, StatusCode, header, uri::Authority};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Body, Incoming};
use serde::Serialize;
use zeroize::{Zeroize as _, Zeroizing};

/// A response with its body in memory.
pub(crate) type Response = http::Response<Full<Bytes>>;

/// A JSON response; `secret_bytes` is the total length of the secrets in it.
///
/// The buffer is allocated once, large enough: growing it would leave copies of the secrets behind.
pub(crate) fn json(status: StatusCode, body: &impl Serialize, secret_bytes: usize) -> Response {
    let mut buffer = Zeroizing::new(Vec::with_capacity(2048 + secret_bytes.saturating_mul(6)));
    if serde_json::to_writer(&mut *buffer, body).is_err() {
        // Bodies hold strings and numbers only, all of which serde_json accepts.
        return empty(StatusCode::INTERNAL_SERVER_ERROR);
    }
    let mut response = Response::new(Full::new(Bytes::from_owner(buffer)));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
    response
}

pub(crate) fn text(status: StatusCode, body: &'static str) -> Response {
    fixed(status, body, "text/plain; charset=utf-8")
}

pub(crate) fn html(status: StatusCode, body: &'static str) -> Response {
    fixed(status, body, "text/html; charset=utf-8")
}

fn fixed(status: StatusCode, body: &'static str, kind: &'static str) -> Response {
    let mut response = Response::new(Full::new(Bytes::from_static(body.as_bytes())));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

pub(crate) fn empty(status: StatusCode) -> Response {
    let mut response = Response::new(Full::default());
    *response.status_mut() = status;
    response
}

/// Why a request body could not be read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum BodyError {
    TooLarge,
    Broken,
}

/// Reads a request body of at most `limit` bytes.
pub(crate) async fn read<B>(body: B, limit: usize) -> Result<Zeroizing<Vec<u8>>, BodyError>
where
    B: Body<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>>>,
{
    match Limited::new(body, limit).collect().await {
        Ok(collected) => Ok(Zeroizing::new(collected.to_bytes().into())),
        Err(error) if error.is::<http_body_util::LengthLimitError>() => Err(BodyError::TooLarge),
        Err(_) => Err(BodyError::Broken),
    }
}

/// Reads the rest of a request body that nobody needs, up to this many bytes.
pub(crate) async fn discard(body: &mut Incoming, limit: usize) {
    let mut left = limit;
    while let Some(Ok(frame)) = body.frame().await {
        match left.checked_sub(frame.data_ref().map_or(0, Bytes::len)) {
            Some(rest) => left = rest,
            None => return,
        }
    }
}

/// The text of a header, unless it is absent or not ASCII.
pub(crate) fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// The host that a request names, with the port if it names one.
pub(crate) fn host<B>(request: &Request<B>) -> &str {
    request
        .uri()
        .authority()
        .map(Authority::as_str)
        .or_else(|| header(request.headers(), "host"))
        .unwrap_or_default()
}

/// Whether an intermediary forwarded this request: endpoints on loopback serve programs on this
/// machine only.
pub(crate) fn is_forwarded(headers: &HeaderMap) -> bool {
    headers.contains_key("x-forwarded-for") || headers.contains_key("forwarded")
}

/// The response to a forwarded request.
pub(crate) fn forwarded() -> Response {
    text(StatusCode::BAD_REQUEST, "forwarded requests are not answered\n")
}

/// The decoded parameters of a query or a form; the first counts if a name is repeated.
#[derive(Default)]
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    pub(crate) fn parse(query: Option<&str>) -> Self {
        Self::parse_bytes(query.unwrap_or_default().as_bytes())
    }

    pub(crate) fn parse_bytes(form: &[u8]) -> Self {
        Self(form_urlencoded::parse(form).into_owned().collect())
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The parameter, unless it is absent or empty.
    pub(crate) fn filled(&self, name: &str) -> Option<&str> {
        self.get(name).filter(|value| !value.is_empty())
    }
}

impl Drop for Query {
    fn drop(&mut self) {
        // A form may contain a secret, a password or an assertion.
        self.0.iter_mut().for_each(|(_, value)| value.zeroize());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn query_is_decoded() {
        for (query, resource) in [
            ("api-version=1&resource=https://vault.azure.net", Some("https://vault.azure.net")),
            ("resource=https%3A%2F%2Fvault.azure.net", Some("https://vault.azure.net")),
            ("resource=a&resource=b", Some("a")),
            ("resource=", None),
            ("Resource=x", None),
        ] {
            assert_eq!(Query::parse(Some(query)).filled("resource"), resource, "{query}");
        }
        assert_eq!(Query::parse(None).get("resource"), None);
    }
}
