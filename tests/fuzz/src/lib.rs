//! What the targets share: a world that answers with what it is given, and what must hold of every
//! error.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use vaultlet_core::call::{Call, Memory};
use vaultlet_core::context::{Context, FileError, Request, Response, SendError};
use vaultlet_core::error::Error;
use vaultlet_core::token::TokenRequest;
use vaultlet_core::tokens::token;
use zeroize::Zeroizing;

/// What stands in the environment and must not show, nor go anywhere else.
pub const SECRET: &str = "0ur-s3cret";
/// The time there.
pub const NOW: i64 = 1_700_000_000;
/// The resource that is asked for.
pub const RESOURCE: &str = "https://vault.azure.net";

/// An answer as a text: a status, headers, an empty line, a body. Whatever is missing is usual.
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

/// Before and after the first line.
pub fn first_line(data: &[u8]) -> (&str, &[u8]) {
    let at = data.iter().position(|byte| *byte == b'\n').unwrap_or(data.len());
    let line = str::from_utf8(&data[..at]).unwrap_or_default().trim();
    (line, data.get(at + 1..).unwrap_or_default())
}

/// A world with these variables, in which each request gets the next answer, and the last one again.
#[derive(Default)]
pub struct FuzzContext {
    pub variables: Vec<(String, String)>,
    pub answers: Vec<Response>,
    pub files: Vec<(String, Vec<u8>)>,
    /// What was sent: URL, headers, body.
    pub sent: RefCell<Vec<Sent>>,
    /// What was read.
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

    /// Runs something in it.
    pub fn run<T>(&self, work: impl FnOnce() -> T) -> T {
        work()
    }

    /// Asks for a token, and checks what comes of it.
    pub fn token(&self) {
        self.token_for(None);
    }

    /// The same with claims.
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
                // Whoever was not given it cannot repeat it.
                if self.variables.iter().any(|(_, value)| value == SECRET) {
                    assert!(!error.line().contains(SECRET), "{}", error.line());
                    assert!(!error.json().contains(SECRET), "{}", error.json());
                }
            }
        }
    }
}

/// What holds of every error.
pub fn check(error: &Error) {
    let line = error.line();
    assert!(!line.chars().any(char::is_control), "{line:?}");
    // What looks like a token.
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
        assert!(sent.len() < 1000, "asked without end");
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
