//! A request to an identity endpoint, with its query and its form decoded.

use http::{Method, request::Parts};

use crate::message::{self, Query};

/// A request to an identity endpoint.
pub(super) struct Request<'a> {
    pub(super) parts: &'a Parts,
    pub(super) query: Query,
    pub(super) form: Query,
}

impl<'a> Request<'a> {
    pub(super) fn new(parts: &'a Parts, body: &[u8]) -> Self {
        Self { parts, query: Query::parse(parts.uri.query()), form: Query::parse_bytes(body) }
    }

    pub(super) fn header(&self, name: &str) -> Option<&'a str> {
        message::header(&self.parts.headers, name)
    }

    /// Whether the header `Metadata` is `true`: a guard against request forgery, because a web page
    /// cannot make a browser send it.
    pub(super) fn has_metadata(&self) -> bool {
        self.header("metadata").is_some_and(|it| it.eq_ignore_ascii_case("true"))
    }

    pub(super) fn is_forwarded(&self) -> bool {
        message::is_forwarded(&self.parts.headers)
    }

    pub(super) fn is_get(&self) -> bool {
        self.parts.method == Method::GET
    }

    pub(super) fn is_post(&self) -> bool {
        self.parts.method == Method::POST
    }

    /// Whether one of these query parameters names an identity other than the expected one.
    pub(super) fn names_other(&self, expected: &[(&str, &str)]) -> bool {
        expected.iter().any(|(name, expected)| {
            self.query.filled(name).is_some_and(|given| !given.eq_ignore_ascii_case(expected))
        })
    }
}
