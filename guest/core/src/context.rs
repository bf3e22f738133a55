//! The only door out of the core: what it may do to the world, and in what shape.
//!
//! Everything here is plain data, so that a test can script it and a shell can be small.

use alloc::{format, string::String, vec::Vec};
use core::{fmt, time::Duration};
use zeroize::Zeroizing;

use crate::words::{secret::SecretString, url::Url};

/// The world as the core sees it. With nothing behind it, nothing works.
pub trait Context {
    /// Sends one request and reads the whole answer. Follows no redirect, keeps no cookie.
    fn send(&self, request: Request) -> Result<Response, SendError>;

    /// An environment variable; empty means unset.
    fn variable(&self, name: &str) -> Option<String>;

    /// Unix seconds.
    fn now(&self) -> i64;

    /// Time since some fixed moment; never goes back.
    fn monotonic(&self) -> Duration;

    /// Lets time pass.
    fn wait(&self, duration: Duration);

    /// Fills with random bytes.
    fn random(&self, bytes: &mut [u8]);

    /// Reads a file anew, of at most `max` bytes.
    fn read_file(&self, path: &str, max: usize) -> Result<Zeroizing<Vec<u8>>, FileError>;

    /// Whether there is such a file, as far as can be seen.
    fn is_file(&self, path: &str) -> bool;

    /// Whether the host lends what a component cannot do: programs, and keys that sign.
    fn has_host_services(&self) -> bool;

    /// Whether there is a person who can be told something.
    fn can_prompt(&self) -> bool;

    /// Tells that person one line.
    fn prompt(&self, line: &str);
}

/// Methods that are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// `GET`
    Get,
    /// `POST`
    Post,
}

/// Why a file was not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileError {
    /// There is none of that name.
    Missing,
    /// The runtime does not let us see it, or the system does not let us read it.
    Forbidden,
    /// It is longer than what was to be read.
    TooLarge,
    /// It is no file, or the system failed.
    Unreadable,
}

impl FileError {
    /// What happened, in words that fit after the file's name.
    pub fn describe(self) -> &'static str {
        match self {
            Self::Missing => "there is no such file",
            Self::Forbidden => "it may not be read",
            Self::TooLarge => "it is too long",
            Self::Unreadable => "it cannot be read",
        }
    }
}

/// One request.
#[derive(Debug)]
pub struct Request {
    /// Its method.
    pub method: Method,
    /// Where to.
    pub url: Url,
    /// Names in lower case. Any value may be a secret, so all are kept as one.
    pub headers: Vec<(&'static str, SecretString)>,
    /// What is sent along; its type is among the headers.
    pub body: Option<SecretString>,
    /// Until connected, TLS included.
    pub connect_timeout: Duration,
    /// From then to the answer's head.
    pub first_byte_timeout: Duration,
    /// For all of it, the body included.
    pub total_timeout: Duration,
    /// The longest body that is read, in bytes.
    pub max_body: usize,
}

/// One answer.
pub struct Response {
    /// Its status.
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The body, which may hold a token or a secret.
    pub body: Zeroizing<Vec<u8>>,
}

impl Response {
    /// The first header of that name (in lower case) if it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers_named(name).next()
    }

    /// All headers of that name (in lower case) that are text.
    pub fn headers_named(&self, name: &str) -> impl Iterator<Item = &str> {
        self.headers
            .iter()
            .filter(move |(key, _)| key.eq_ignore_ascii_case(name))
            .filter_map(|(_, value)| core::str::from_utf8(value).ok())
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response").field("status", &self.status).finish_non_exhaustive()
    }
}

/// Why there is no answer. The classes are those that call for different actions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SendError {
    /// Nobody listens there.
    Refused,
    /// No way to that address.
    Unreachable,
    /// The name is not known, or the resolver failed.
    Name,
    /// It took too long.
    Timeout,
    /// The certificate is not trusted, has expired or is for another name.
    TlsUntrusted,
    /// TLS failed in another way; often the other side does not speak it.
    TlsProtocol,
    /// The host's egress policy forbids it.
    Denied,
    /// The body is longer than what was to be read.
    BodyTooLarge,
    /// The connection broke, or what came was not HTTP; the text names which, for people.
    Protocol(String),
}

impl SendError {
    /// What happened, in one line; `server` is `host:port`.
    pub fn describe(&self, server: &str) -> String {
        match self {
            Self::Refused => format!("could not connect to {server}: connection refused"),
            Self::Unreachable => format!("could not connect to {server}: unreachable"),
            Self::Name => format!("could not connect to {server}: the name is not known"),
            Self::Timeout => format!("{server} did not answer in time"),
            Self::TlsUntrusted => format!("the certificate of {server} is not trusted"),
            Self::TlsProtocol => format!("TLS with {server} failed"),
            Self::Denied => format!("the host does not allow requests to {server}"),
            Self::BodyTooLarge => format!("the answer of {server} is too long"),
            Self::Protocol(what) => format!("the connection to {server} failed: {what}"),
        }
    }
}
