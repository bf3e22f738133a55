//! The trait by which the core reaches anything outside: HTTP, variables, files, clocks, randomness.
//!
//! All types are plain data, so that a test can script them and the component's shell stays small.

use alloc::{format, string::String, vec::Vec};
use core::{fmt, time::Duration};

use crate::words::{scrub::Scrubbed, secret::SecretString, url::Url};

/// Everything that the core can reach. The core has no other input or output.
pub trait Context {
    /// Sends one request and reads the whole response. Follows no redirect, keeps no cookie.
    fn send(&self, request: Request) -> Result<Response, SendError>;

    /// Reads an environment variable; an empty one counts as unset.
    fn variable(&self, name: &str) -> Option<String>;

    /// The current time, in Unix seconds.
    fn now(&self) -> i64;

    /// The monotonic clock: the time since a fixed moment.
    fn monotonic(&self) -> Duration;

    /// Waits.
    fn wait(&self, duration: Duration);

    /// Fills a buffer with random bytes.
    fn random(&self, bytes: &mut [u8]);

    /// Reads a file of at most `max` bytes, without any cache.
    fn read_file(&self, path: &str, max: usize) -> Result<Scrubbed<Vec<u8>>, FileError>;

    /// Whether a file exists, as far as the sandbox shows it.
    fn is_file(&self, path: &str) -> bool;

    /// Whether the host is vaultlet's own, which runs programs and signs with keys for the component.
    fn has_host_services(&self) -> bool;

    /// Whether there is a person who can be prompted.
    fn can_prompt(&self) -> bool;

    /// Shows one line to that person.
    fn prompt(&self, line: &str);
}

/// The method of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// The method `GET`.
    Get,
    /// The method `POST`.
    Post,
}

/// Why a file could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileError {
    /// The file does not exist.
    Missing,
    /// The runtime does not show the file, or the system does not allow reading it.
    Forbidden,
    /// The file is longer than the limit.
    TooLarge,
    /// The path is not a file, or reading failed.
    Unreadable,
}

impl FileError {
    /// The reason, in words that fit after the file's name and a colon.
    pub fn describe(self) -> &'static str {
        match self {
            Self::Missing => "there is no such file",
            Self::Forbidden => "it may not be read",
            Self::TooLarge => "it is too long",
            Self::Unreadable => "it cannot be read",
        }
    }
}

/// An HTTP request.
#[derive(Debug)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// The URL.
    pub url: Url,
    /// The headers, names in lower case. Any value may be a secret, so all are secret strings.
    pub headers: Vec<(&'static str, SecretString)>,
    /// The body; `content-type` is among the headers.
    pub body: Option<SecretString>,
    /// The time until the connection is made, TLS included.
    pub connect_timeout: Duration,
    /// The time from then until the head of the response.
    pub first_byte_timeout: Duration,
    /// The time for everything, the body included.
    pub total_timeout: Duration,
    /// The longest response body that is read, in bytes.
    pub max_body: usize,
}

/// An HTTP response.
pub struct Response {
    /// The status.
    pub status: u16,
    /// The headers, names in lower case.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The body, which may hold a token or a secret.
    pub body: Scrubbed<Vec<u8>>,
}

impl Response {
    /// The first header with this name that is text; the name is in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers_named(name).next()
    }

    /// All headers with this name that are text; the name is in lower case.
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

/// Why a request got no response, in classes that call for different actions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SendError {
    /// The connection was refused.
    Refused,
    /// The address is unreachable.
    Unreachable,
    /// The host name does not resolve.
    Name,
    /// The server did not respond in time.
    Timeout,
    /// The server's certificate is not trusted, has expired or is for another name.
    TlsUntrusted,
    /// TLS failed in another way; often the server does not speak TLS.
    TlsProtocol,
    /// The host's egress policy denies the request.
    Denied,
    /// The response body is longer than the limit.
    BodyTooLarge,
    /// The connection broke, or the response was not HTTP; the text says which, for people.
    Protocol(String),
}

impl SendError {
    /// The error as one line; `server` is `host:port`.
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
