//! Shared by all targets: a scripted context, and the checks of every token and error.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use vaultlet_core::call::{Call, Memory};
use vaultlet_core::context::{Context, FileError, Request, Response, SendError};
use vaultlet_core::error::Error;
use vaultlet_core::token::TokenRequest;
use vaultlet_core::tokens::token;
use zeroize::Zeroizing;

/// The secret in the environment, which must not show in errors or go to a foreign server.
pub const SECRET: &str = "0ur-s3cret";
/// The current time of the context.
pub const NOW: i64 = 1_700_000_000;
/// The resource of token requests.
pub const RESOURCE: &str = "https://vault.azure.net";

/// Parses a response: a status, headers, an empty line, a body. A missing part gets a default.
pub fn answer(data: &[u8]) -> Response {
    let (head, body) = match data.windows(2).position(|two| two == b"\n\n") {
        Some(at) => (&data[..at], &data[at + 2..]),
        None => (data, &[][..]),
    };
    let mut lines = head.split(|byte| *byte == b'\n');
    let status = lines.next().and_then(|line| str::from_utf8(line).ok()?.trim().parse().ok());
    let headers = lines.filter_map(|line| {
        let at = line.iter().position(|byte| *byte == b':')?;
        let name = str::from_utf8(&line[..at]).ok()?.to_ascii_lowercase();
        Some((name, line[at + 1..].trim_ascii().to_vec()))
    });
    Response {
        status: status.filter(|status| (200..600).contains(status)).unwrap_or(200),
        headers: headers.collect(),
        body: Zeroizing::new(body.to_vec()),
    }
}

/// Splits off the first line.
pub fn first_line(data: &[u8]) -> (&str, &[u8]) {
    let at = data.iter().position(|byte| *byte == b'\n').unwrap_or(data.len());
    let line = str::from_utf8(&data[..at]).unwrap_or_default().trim();
    (line, data.get(at + 1..).unwrap_or_default())
}

/// A context with scripted responses: each request gets the next one, and the last one is repeated.
#[derive(Default)]
pub struct FuzzContext {
    pub variables: Vec<(String, String)>,
    pub answers: Vec<Response>,
    pub files: Vec<(String, Vec<u8>)>,
    /// The requests that were sent.
    pub sent: RefCell<Vec<Sent>>,
    /// The paths of files that were read.
    pub read: RefCell<Vec<String>>,
    elapsed: Cell<Duration>,
}

/// A request that was sent.
pub struct Sent {
    pub url: String,
    pub headers: Vec<(&'static str, String)>,
    pub body: String,
}

impl FuzzContext {
    pub fn new(variables: &[(&str, &str)], answers: Vec<Response>) -> Self {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Self { variables: variables.iter().map(own).collect(), answers, ..Self::default() }
    }

    /// Runs a call that uses this context.
    pub fn run<T>(&self, work: impl FnOnce() -> T) -> T {
        work()
    }

    /// Requests a token and checks the result.
    pub fn token(&self) {
        self.token_for(None);
    }

    /// Requests a token with claims and checks the result.
    pub fn token_for(&self, claims: Option<String>) {
        let memory = Memory::default();
        let result = self.run(|| {
            let request = TokenRequest::parse(RESOURCE, None, claims, None)?;
            token(&Call::new(self, &memory)?, &request)
        });
        match result {
            Ok(token) => {
                let plain = |b: u8| b.is_ascii_graphic();
                assert!(token.secret.reveal().bytes().all(plain), "a token goes into a header");
                assert!(token.expires_on > NOW && token.refresh_on < token.expires_on);
                token.holder();
            }
            Err(error) => {
                check(&error);
                // If the secret is in no variable, the input may contain it by itself.
                if self.variables.iter().any(|(_, value)| value == SECRET) {
                    assert!(!error.line().contains(SECRET), "{}", error.line());
                    assert!(!error.json().contains(SECRET), "{}", error.json());
                }
            }
        }
    }
}

/// Checks an error: one line, without control characters or anything like a token.
pub fn check(error: &Error) {
    let line = error.line();
    assert!(!line.chars().any(char::is_control), "{line:?}");
    // Tokens begin with `eyJ`.
    assert!(!line.contains("eyJ") && !error.json().contains("eyJ"), "{line}");
}

impl Context for FuzzContext {
    fn send(&self, request: Request) -> Result<Response, SendError> {
        let mut sent = self.sent.borrow_mut();
        let at = sent.len().min(self.answers.len().saturating_sub(1));
        sent.push(Sent {
            url: request.url.to_string(),
            headers: request.headers.iter().map(|(k, v)| (*k, v.reveal().to_owned())).collect(),
            body: request.body.map(|body| body.reveal().to_owned()).unwrap_or_default(),
        });
        assert!(sent.len() < 1000, "endless requests");
        let Some(answer) = self.answers.get(at) else { return Err(SendError::Refused) };
        if answer.body.len() > request.max_body {
            return Err(SendError::BodyTooLarge);
        }
        Ok(Response {
            status: answer.status,
            headers: answer.headers.clone(),
            body: answer.body.clone(),
        })
    }

    fn variable(&self, name: &str) -> Option<String> {
        let found = self.variables.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.clone()).filter(|value| !value.is_empty())
    }

    fn now(&self) -> i64 {
        NOW
    }

    fn monotonic(&self) -> Duration {
        self.elapsed.get()
    }

    fn wait(&self, duration: Duration) {
        self.elapsed.set(self.elapsed.get() + duration);
    }

    fn random(&self, bytes: &mut [u8]) {
        bytes.fill(7);
    }

    fn read_file(&self, path: &str, max: usize) -> Result<Zeroizing<Vec<u8>>, FileError> {
        self.read.borrow_mut().push(path.to_owned());
        let found = self.files.iter().find(|(known, _)| known == path);
        let (_, content) = found.ok_or(FileError::Missing)?;
        if content.len() > max {
            return Err(FileError::TooLarge);
        }
        Ok(content.clone().into())
    }

    fn is_file(&self, _: &str) -> bool {
        false
    }

    fn has_host_services(&self) -> bool {
        true
    }

    fn can_prompt(&self) -> bool {
        true
    }

    fn prompt(&self, line: &str) {
        assert!(!line.chars().any(char::is_control), "{line:?}");
    }
}
