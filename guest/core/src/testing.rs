//! A scripted world: what is expected to be sent, in order, and what comes back. Nothing that is
//! not in the script works.

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

use zeroize::Zeroizing;

use crate::context::{Context, FileError, Method, Request, Response, SendError};

/// One exchange: the request as text ([`World::sent`] has the form), and its answer.
type Exchange = (String, Result<Response, SendError>);

/// A world in a test. A request that differs from the script panics, and so does a script that is
/// not used up.
#[derive(Debug)]
pub struct World {
    variables: Vec<(String, String)>,
    script: RefCell<VecDeque<Exchange>>,
    sent: RefCell<Vec<String>>,
    waits: RefCell<Vec<Duration>>,
    elapsed: Cell<Duration>,
    jitter: Cell<u8>,
    files: RefCell<Vec<(String, Vec<u8>)>>,
    lent: Cell<bool>,
    /// What a person was told; none when there is nobody.
    told: RefCell<Option<Vec<String>>>,
}

/// The wall clock at the start, Unix seconds.
pub const START: i64 = 1_700_000_000;

impl World {
    /// With these variables.
    pub fn new(variables: &[(&str, &str)]) -> Self {
        Self {
            variables: variables.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect(),
            script: RefCell::default(),
            sent: RefCell::default(),
            waits: RefCell::default(),
            elapsed: Cell::default(),
            jitter: Cell::new(0),
            files: RefCell::default(),
            lent: Cell::new(false),
            told: RefCell::new(Some(Vec::new())),
        }
    }

    /// With a file in place of what was at that path.
    #[must_use]
    pub fn file(self, path: &str, content: impl Into<Vec<u8>>) -> Self {
        self.write(path, content);
        self
    }

    /// The same while it runs.
    pub fn write(&self, path: &str, content: impl Into<Vec<u8>>) {
        let mut files = self.files.borrow_mut();
        files.retain(|(known, _)| known != path);
        files.push((path.to_string(), content.into()));
    }

    /// At a host that runs programs and signs.
    #[must_use]
    pub fn lent(self) -> Self {
        self.lent.set(true);
        self
    }

    /// With nobody who could be told something.
    #[must_use]
    pub fn alone(self) -> Self {
        *self.told.borrow_mut() = None;
        self
    }

    /// What a person was told.
    pub fn told(&self) -> Vec<String> {
        self.told.borrow().clone().unwrap_or_default()
    }

    /// Expects a request next: `GET <url>`, ` <name>: <value>` for each header but `accept`,
    /// sorted, and ` | <body>` if there is one. `<*>` in it stands for anything without a space.
    /// Answers with a status, headers and a body.
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

    /// Expects a request next, which fails.
    #[must_use]
    pub fn fail(self, request: &str, error: SendError) -> Self {
        self.script.borrow_mut().push_back((request.to_string(), Err(error)));
        self
    }

    /// With all jitter at its largest (255) or smallest (0).
    #[must_use]
    pub fn jitter(self, jitter: u8) -> Self {
        self.jitter.set(jitter);
        self
    }

    /// Lets time pass.
    pub fn pass(&self, duration: Duration) {
        self.elapsed.set(self.elapsed.get() + duration);
    }

    /// What was sent, in the script's form.
    pub fn sent(&self) -> Vec<String> {
        self.sent.borrow().clone()
    }

    /// What was waited for.
    pub fn waits(&self) -> Vec<Duration> {
        self.waits.borrow().clone()
    }

    /// Whether the whole script was used.
    pub fn is_done(&self) -> bool {
        self.script.borrow().is_empty()
    }

    /// Runs something in this world, and checks that the script was used up.
    pub fn run<T>(&self, work: impl FnOnce() -> T) -> T {
        let done = work();
        let left: Vec<_> =
            self.script.borrow().iter().map(|(request, _)| request.clone()).collect();
        assert!(left.is_empty(), "not sent: {left:#?}");
        done
    }
}

impl Context for World {
    #[allow(clippy::panic, reason = "that is how a test fails")]
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
            // A server that is silent costs the time that it is given.
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

    fn read_file(&self, path: &str, max: usize) -> Result<Zeroizing<Vec<u8>>, FileError> {
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

    fn is_lent(&self) -> bool {
        self.lent.get()
    }

    fn is_heard(&self) -> bool {
        self.told.borrow().is_some()
    }

    fn tell(&self, line: &str) {
        if let Some(told) = self.told.borrow_mut().as_mut() {
            told.push(line.to_string());
        }
    }
}

/// Whether a text is as a pattern says: `<*>` in it stands for anything without a space.
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
