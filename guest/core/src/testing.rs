//! A scripted [`Context`] for tests: it expects exact requests in order, and returns the scripted
//! responses. Whatever the script does not have fails.

use alloc::{
    collections::VecDeque,
    format,
    string::{String, ToString},
    vec::Vec,
};
use core::{
    cell::{Cell, RefCell},
    fmt::Write as _,
    time::Duration,
};

use crate::{
    context::{Context, FileError, Method, Request, Response, SendError},
    words::scrub::Scrubbed,
};

/// One exchange: the request as text, in the form of [`ScriptedContext::answer`], and the response.
type Exchange = (String, Result<Response, SendError>);

/// A scripted context. A request that differs from the script panics, and so does a script that is not
/// used up.
#[derive(Debug)]
pub struct ScriptedContext {
    variables: Vec<(String, String)>,
    script: RefCell<VecDeque<Exchange>>,
    sent: RefCell<Vec<String>>,
    waits: RefCell<Vec<Duration>>,
    elapsed: Cell<Duration>,
    jitter: Cell<u8>,
    files: RefCell<Vec<(String, Vec<u8>)>>,
    host_services: Cell<bool>,
    /// The prompts that were shown; none if nobody can be prompted.
    prompts: RefCell<Option<Vec<String>>>,
}

/// The wall clock at the start, Unix seconds.
pub const START: i64 = 1_700_000_000;

impl ScriptedContext {
    /// Creates a context with these environment variables.
    pub fn new(variables: &[(&str, &str)]) -> Self {
        Self {
            variables: variables.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect(),
            script: RefCell::default(),
            sent: RefCell::default(),
            waits: RefCell::default(),
            elapsed: Cell::default(),
            jitter: Cell::new(0),
            files: RefCell::default(),
            host_services: Cell::new(false),
            prompts: RefCell::new(Some(Vec::new())),
        }
    }

    /// Adds a file, or replaces the one at that path.
    #[must_use]
    pub fn file(self, path: &str, content: impl Into<Vec<u8>>) -> Self {
        self.write(path, content);
        self
    }

    /// Writes a file while a test runs.
    pub fn write(&self, path: &str, content: impl Into<Vec<u8>>) {
        let mut files = self.files.borrow_mut();
        files.retain(|(known, _)| known != path);
        files.push((path.to_string(), content.into()));
    }

    /// Makes this vaultlet's own host, which runs programs and signs.
    #[must_use]
    pub fn hosted(self) -> Self {
        self.host_services.set(true);
        self
    }

    /// Makes this a context in which nobody can be prompted.
    #[must_use]
    pub fn unattended(self) -> Self {
        *self.prompts.borrow_mut() = None;
        self
    }

    /// The prompts that were shown.
    pub fn prompts(&self) -> Vec<String> {
        self.prompts.borrow().clone().unwrap_or_default()
    }

    /// Expects a request, and responds with a status, headers and a body. The request is written as
    /// `GET <url>`, ` <name>: <value>` for each header but `accept`, sorted, and ` | <body>` if there is
    /// one; `<*>` matches any text without a space.
    #[must_use]
    pub fn answer(
        self,
        request: &str,
        status: u16,
        headers: &[(&str, &str)],
        body: impl Into<Vec<u8>>,
    ) -> Self {
        let headers = headers.iter().map(|(k, v)| (k.to_string(), v.as_bytes().to_vec())).collect();
        let response = Response { status, headers, body: body.into().into() };
        self.script.borrow_mut().push_back((request.to_string(), Ok(response)));
        self
    }

    /// Expects a request, and fails it with this error.
    #[must_use]
    pub fn fail(self, request: &str, error: SendError) -> Self {
        self.script.borrow_mut().push_back((request.to_string(), Err(error)));
        self
    }

    /// Sets the value of every random byte: 255 is the largest jitter, 0 the smallest.
    #[must_use]
    pub fn jitter(self, jitter: u8) -> Self {
        self.jitter.set(jitter);
        self
    }

    /// Moves the clock forward.
    pub fn pass(&self, duration: Duration) {
        self.elapsed.set(self.elapsed.get() + duration);
    }

    /// The requests that were sent, as the script writes them.
    pub fn sent(&self) -> Vec<String> {
        self.sent.borrow().clone()
    }

    /// The delays that were waited for.
    pub fn waits(&self) -> Vec<Duration> {
        self.waits.borrow().clone()
    }

    /// Whether the script is used up.
    pub fn is_done(&self) -> bool {
        self.script.borrow().is_empty()
    }

    /// Runs some work, and checks that it used up the script.
    pub fn run<T>(&self, work: impl FnOnce() -> T) -> T {
        let done = work();
        let left: Vec<_> =
            self.script.borrow().iter().map(|(request, _)| request.clone()).collect();
        assert!(left.is_empty(), "not sent: {left:#?}");
        done
    }
}

impl Context for ScriptedContext {
    #[allow(clippy::panic, reason = "a test fails by panicking")]
    fn send(&self, request: Request) -> Result<Response, SendError> {
        assert!(!request.connect_timeout.is_zero() && !request.first_byte_timeout.is_zero());
        assert!(request.max_body > 0 && request.max_body <= 1024 * 1024);
        let text = text(&request);
        self.sent.borrow_mut().push(text.clone());
        let Some((expected, answer)) = self.script.borrow_mut().pop_front() else {
            panic!("sent although nothing was expected: {text}");
        };
        assert!(matches(&expected, &text), "left == right?\n left: {text}\nright: {expected}");
        match answer {
            // A silent server takes all the time that a request has.
            Err(SendError::Timeout) => {
                self.pass(request.connect_timeout.min(request.total_timeout));
                Err(SendError::Timeout)
            }
            Ok(response) if response.body.len() > request.max_body => Err(SendError::BodyTooLarge),
            answer => answer,
        }
    }

    fn variable(&self, name: &str) -> Option<String> {
        let value = self.variables.iter().find(|(key, _)| key == name).map(|(_, v)| v.clone());
        value.filter(|value| !value.is_empty())
    }

    fn now(&self) -> i64 {
        START + i64::try_from(self.elapsed.get().as_secs()).unwrap_or(i64::MAX - START)
    }

    fn monotonic(&self) -> Duration {
        self.elapsed.get()
    }

    fn wait(&self, duration: Duration) {
        self.waits.borrow_mut().push(duration);
        self.pass(duration);
    }

    fn random(&self, bytes: &mut [u8]) {
        bytes.fill(self.jitter.get());
    }

    fn read_file(&self, path: &str, max: usize) -> Result<Scrubbed<Vec<u8>>, FileError> {
        let files = self.files.borrow();
        let (_, content) =
            files.iter().find(|(known, _)| known == path).ok_or(FileError::Missing)?;
        if content.len() > max {
            return Err(FileError::TooLarge);
        }
        Ok(content.clone().into())
    }

    fn is_file(&self, path: &str) -> bool {
        self.files.borrow().iter().any(|(known, _)| known == path)
    }

    fn has_host_services(&self) -> bool {
        self.host_services.get()
    }

    fn can_prompt(&self) -> bool {
        self.prompts.borrow().is_some()
    }

    fn prompt(&self, line: &str) {
        if let Some(prompts) = self.prompts.borrow_mut().as_mut() {
            prompts.push(line.to_string());
        }
    }
}

/// Whether a text matches a pattern, in which `<*>` matches any text without a space.
pub fn matches(pattern: &str, text: &str) -> bool {
    let mut pieces = pattern.split("<*>");
    let Some(mut rest) = pieces.next().and_then(|first| text.strip_prefix(first)) else {
        return false;
    };
    let mut pieces = pieces.peekable();
    if pieces.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(piece) = pieces.next() {
        let is_last = pieces.peek().is_none();
        let at = if is_last {
            rest.len().checked_sub(piece.len()).filter(|_| rest.ends_with(piece))
        } else {
            rest.find(piece)
        };
        let Some((any, after)) = at.and_then(|at| rest.split_at_checked(at)) else { return false };
        if any.contains(' ') {
            return false;
        }
        rest = after.get(piece.len()..).unwrap_or_default();
    }
    true
}

fn text(request: &Request) -> String {
    let method = match request.method {
        Method::Get => "GET",
        Method::Post => "POST",
    };
    let mut text = format!("{method} {}", request.url);
    let mut headers: Vec<_> =
        request.headers.iter().map(|(name, value)| (*name, value.reveal())).collect();
    headers.sort_unstable();
    for (name, value) in headers {
        if name != "accept" {
            let _ = write!(text, " {name}: {value}");
        }
    }
    if let Some(body) = request.body.as_ref().filter(|body| !body.reveal().is_empty()) {
        let _ = write!(text, " | {}", body.reveal());
    }
    text
}
