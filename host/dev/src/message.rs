//! Answers: JSON, text, and bodies that are wiped once they are sent.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use serde::Serialize;
use zeroize::{Zeroize as _, Zeroizing};

pub(crate) type Answer = Response<Full<Bytes>>;

/// An answer in JSON; `extra` is how many bytes of secrets are in it.
///
/// The buffer is big enough from the start, so that growing leaves no copy behind.
pub(crate) fn json(status: StatusCode, body: &impl Serialize, extra: usize) -> Answer {
    let mut buffer = Zeroizing::new(Vec::with_capacity(2048 + extra.saturating_mul(6)));
    if serde_json::to_writer(&mut *buffer, body).is_err() {
        // Strings and numbers only: there is nothing here that serde_json refuses.
        return empty(StatusCode::INTERNAL_SERVER_ERROR);
    }
    let mut answer = Response::new(Full::new(Bytes::from_owner(buffer)));
    *answer.status_mut() = status;
    answer
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
    answer
}

pub(crate) fn text(status: StatusCode, body: &'static str) -> Answer {
    fixed(status, body, "text/plain; charset=utf-8")
}

pub(crate) fn html(status: StatusCode, body: &'static str) -> Answer {
    fixed(status, body, "text/html; charset=utf-8")
}

fn fixed(status: StatusCode, body: &'static str, kind: &'static str) -> Answer {
    let mut answer = Response::new(Full::new(Bytes::from_static(body.as_bytes())));
    *answer.status_mut() = status;
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    answer
}

pub(crate) fn empty(status: StatusCode) -> Answer {
    let mut answer = Response::new(Full::default());
    *answer.status_mut() = status;
    answer
}

/// Why a body was not read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum BodyError {
    TooLarge,
    Broken,
}

/// Reads a body of at most `limit` bytes.
pub(crate) async fn read(body: Incoming, limit: usize) -> Result<Zeroizing<Vec<u8>>, BodyError> {
    match Limited::new(body, limit).collect().await {
        Ok(collected) => Ok(Zeroizing::new(collected.to_bytes().into())),
        Err(error) if error.is::<http_body_util::LengthLimitError>() => Err(BodyError::TooLarge),
        Err(_) => Err(BodyError::Broken),
    }
}

/// A header's text, or nothing where it is absent or not text.
pub(crate) fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// The parameters of a query or a form, decoded; of a repeated one the first counts.
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

    /// The parameter unless it is empty.
    pub(crate) fn filled(&self, name: &str) -> Option<&str> {
        self.get(name).filter(|value| !value.is_empty())
    }
}

impl Drop for Query {
    fn drop(&mut self) {
        // A form may hold a secret, a password or an assertion.
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
