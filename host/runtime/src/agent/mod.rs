//! The client of the node's agent (`vaultlet agent`), which reads secrets for the programs of its machine: an
//! answer of the agent is that of a call of this process's own, and so is an error.

mod answer;
mod failed;
mod place;

use std::ffi::OsStr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use vaultlet_core::vault::Reference;
use zeroize::Zeroizing;

use crate::call::Call;
use crate::error::Error;
use crate::limits;
use crate::net::{Failure, Local, Method, Request, Response, Watch};
use crate::secret::Secret;

pub use answer::AgentStatus;
pub(crate) use failed::Failed;
pub(crate) use place::Place;

/// The agent, with the connections to it that are kept.
pub(crate) struct Agent {
    place: Place,
    /// Whether somebody else may be asked when the agent cannot be.
    falls_back: bool,
    idle: Mutex<Vec<Local>>,
}

impl Agent {
    /// The agent at this place. No connection is made.
    pub(crate) fn new(place: Place, fallback: Option<&OsStr>) -> Result<Self, Error> {
        let falls_back = match fallback.map(|text| text.to_string_lossy().trim().to_lowercase()) {
            None => false,
            Some(word) => match word.as_str() {
                "" | "none" => false,
                "direct" => true,
                _ => {
                    return Err(Error::configuration(
                        "setting-malformed",
                        format!("reading `{FALLBACK}`: its value is neither `none` nor `direct`"),
                        "correct or unset it",
                    ));
                }
            },
        };
        Ok(Self { place, falls_back, idle: Mutex::default() })
    }

    /// Where it is: `unix:PATH` or `http://127.0.0.1:PORT`.
    pub(crate) fn place(&self) -> &Place {
        &self.place
    }

    /// Whether the vault may be asked in its place.
    pub(crate) fn falls_back(&self) -> bool {
        self.falls_back
    }

    /// Gets a secret, or the member of it that the reference names.
    pub(crate) fn get(&self, reference: &Reference, call: &Call) -> Result<Secret, Failed> {
        let response = self.ask(Method::Get, &target(reference), None, 1, call)?;
        match response.status {
            200 => answer::secret(&response.body, reference).map_err(|why| self.unexpected(why)),
            _ => Err(self.refusal(&response)),
        }
    }

    /// Gets several secrets, all of them or none, in the order of the references.
    pub(crate) fn get_all(
        &self,
        references: &[Reference],
        call: &Call,
    ) -> Result<Vec<Secret>, Failed> {
        let mut secrets = Vec::with_capacity(references.len());
        for group in references.chunks(limits::AGENT_REFERENCES) {
            if let [one] = group {
                secrets.push(self.get(one, call)?);
                continue;
            }
            let body = body(group);
            let response = self.ask(Method::Post, SECRETS, Some(body), group.len(), call)?;
            if response.status != 200 {
                return Err(self.refusal(&response));
            }
            let read = answer::secrets(&response.body, group);
            secrets.extend(read.map_err(|why| self.unexpected(why))?);
        }
        Ok(secrets)
    }

    /// Waits until a secret has another version than this one; `None` when it has not within this time.
    pub(crate) fn changed(
        &self,
        reference: &Reference,
        version: &str,
        within: Duration,
        call: &Call,
    ) -> Result<Option<Secret>, Failed> {
        let seconds = within.min(limits::AGENT_WAIT).as_secs().max(1);
        let version = utf8_percent_encode(version, NON_ALPHANUMERIC);
        let target = format!("{}&after={version}&wait={seconds}", target(reference));
        let response = self.ask(Method::Get, &target, None, 0, call)?;
        match response.status {
            304 => Ok(None),
            200 => {
                let read = answer::secret(&response.body, reference);
                read.map(Some).map_err(|why| self.unexpected(why))
            }
            _ => Err(self.refusal(&response)),
        }
    }

    /// What the agent says of itself.
    pub(crate) fn status(&self, call: &Call) -> Result<AgentStatus, Failed> {
        let response = self.ask(Method::Get, "/v1/status", None, 1, call)?;
        match response.status {
            200 => answer::status(&response.body).map_err(|why| self.unexpected(why)),
            _ => Err(self.refusal(&response)),
        }
    }

    /// Asks, for an answer with this many secrets at most; none stands for one that may come at any time, which the agent
    /// is not looked after for.
    fn ask(
        &self,
        method: Method,
        target: &str,
        body: Option<String>,
        secrets: usize,
        call: &Call,
    ) -> Result<Response, Failed> {
        let count = u32::try_from(secrets.max(1)).unwrap_or(u32::MAX);
        let mut request = self.request(method, target)?;
        request.max_body = limits::AGENT_SECRET_MAX.saturating_mul(count);
        if body.is_some() {
            request.headers.push(("content-type".into(), "application/json".into()));
        }
        request.body = body;
        let span = call.span().request(method.as_str(), &self.place.to_string(), None);
        request.headers.extend(span.headers());
        let started = Instant::now();
        let result = self.exchange(&request, secrets > 0, call);
        let (method, path) = (method.as_str(), request.path());
        let ms = started.elapsed().as_millis();
        match &result {
            Ok(response) => {
                span.responded(response.status);
                tracing::info!(target: "vaultlet",
                    "{method} {} {path} {} {ms} ms -", self.place, response.status);
            }
            Err(failed) => {
                span.failed(&failed.error().id);
                tracing::info!(target: "vaultlet",
                    "{method} {} {path} failed {ms} ms: {}", self.place, failed.error().message);
            }
        }
        result
    }

    /// A request to the agent.
    fn request(&self, method: Method, target: &str) -> Result<Request, Failed> {
        let (host, port) = self.place.host();
        let mut request = Request {
            method,
            secure: false,
            host,
            port,
            target: target.to_owned(),
            headers: vec![("accept".into(), "application/json".into())],
            body: None,
            // The call's time is the only one.
            connect_ms: u32::MAX,
            first_byte_ms: u32::MAX,
            total_ms: u32::MAX,
            max_body: limits::AGENT_SECRET_MAX,
        };
        if let Some(token) = self.place.token()? {
            let bearer = Zeroizing::new(format!("Bearer {}", token.as_str()));
            request.headers.push(("authorization".into(), bearer.to_string()));
        }
        Ok(request)
    }

    /// Fails if the agent does not say that it is well: when it is stopped, the system still accepts connections for
    /// it. Any response will do.
    fn look(&self, call: &Call) -> Result<(), Failure> {
        let Ok(mut request) = self.request(Method::Get, HEALTH) else { return Ok(()) };
        request.first_byte_ms = u32::try_from(limits::AGENT_PROBE.as_millis()).unwrap_or(u32::MAX);
        let connected = Local::connect(self.place.address(), limits::AGENT_PROBE, call);
        let response =
            connected.and_then(|mut it| it.exchange(&request, limits::AGENT_PROBE, None, call));
        match response {
            Err(Failure::ConnectTimeout | Failure::ResponseTimeout) => {
                Err(Failure::ResponseTimeout)
            }
            Err(Failure::CallEnded(error)) => Err(Failure::CallEnded(error)),
            // When it has ended, the connection with the question tells.
            Ok(_) | Err(_) => Ok(()),
        }
    }

    /// Sends a request and reads the response. While there is none, the agent is looked after if `is_watched`.
    fn exchange(
        &self,
        request: &Request,
        is_watched: bool,
        call: &Call,
    ) -> Result<Response, Failed> {
        let look = || self.look(call);
        let watch = Watch {
            look: &look,
            pauses: [limits::AGENT_SILENCE, limits::AGENT_SILENCE_AGAIN],
            send: limits::AGENT_SEND,
        };
        let watch = is_watched.then_some(&watch);
        if let Some(mut kept) = self.take() {
            let result = kept.exchange(request, limits::AGENT_REST, watch, call);
            let is_closed = result.as_ref().is_err_and(failed::is_broken) && !kept.has_begun();
            // The agent may have ended, or closed the connection, just before.
            if !is_closed {
                return self.finish(kept, result);
            }
        }
        let mut new = self.connect(call)?;
        let result = new.exchange(request, limits::AGENT_REST, watch, call);
        self.finish(new, result)
    }

    fn finish(
        &self,
        connection: Local,
        result: Result<Response, Failure>,
    ) -> Result<Response, Failed> {
        let response = match result {
            Ok(response) => response,
            Err(failure) => {
                return Err(self.place.of_exchange(failure, connection.has_begun()));
            }
        };
        if connection.keeps_open() {
            let mut idle = self.lock();
            if idle.len() < limits::AGENT_IDLE {
                idle.push(connection);
            }
        }
        Ok(response)
    }

    /// A new connection, to nobody but this user or root.
    fn connect(&self, call: &Call) -> Result<Local, Failed> {
        self.place.check_owner()?;
        let connected = Local::connect(self.place.address(), limits::AGENT_CONNECT, call);
        let connection = connected.map_err(|failure| self.place.of_connect(failure))?;
        self.place.check_peer(&connection)?;
        Ok(connection)
    }

    fn take(&self) -> Option<Local> {
        loop {
            let mut connection = self.lock().pop()?;
            if connection.is_usable() {
                return Some(connection);
            }
        }
    }

    fn unexpected(&self, why: impl Into<String>) -> Failed {
        self.place.unexpected(&why.into())
    }

    fn refusal(&self, response: &Response) -> Failed {
        match answer::error(&response.body) {
            Some(error) if response.status >= 400 => Failed::Refused(error),
            _ => {
                let status = response.status;
                self.unexpected(format!("its response of status {status} is not an agent's"))
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Local>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The variable that names the agent.
pub(crate) const PLACE: &str = "VAULTLET_AGENT";
/// The variable that names the file with the token of an agent on a port.
pub(crate) const TOKEN_FILE: &str = "VAULTLET_AGENT_TOKEN_FILE";
/// The variable that says who is asked when the agent cannot be.
pub(crate) const FALLBACK: &str = "VAULTLET_AGENT_FALLBACK";

/// The variables about the agent.
pub const VARIABLES: [&str; 3] = [PLACE, TOKEN_FILE, FALLBACK];

const SECRETS: &str = "/v1/secrets";
const HEALTH: &str = "/healthz";

fn target(reference: &Reference) -> String {
    let canonical = reference.canonical();
    format!("/v1/secret?reference={}", utf8_percent_encode(&canonical, NON_ALPHANUMERIC))
}

/// The body of a request for several secrets.
fn body(references: &[Reference]) -> String {
    // A canonical reference is percent-encoded and has nothing that JSON would escape.
    let quoted = references.iter().map(|it| format!("\"{}\"", it.canonical()));
    format!("{{\"references\":[{}]}}", quoted.collect::<Vec<_>>().join(","))
}

#[cfg(test)]
mod tests {
    use vaultlet_core::settings::Settings;

    use super::*;

    #[test]
    fn a_body_has_the_references_as_json() {
        let settings = Settings::read(&|_: &str| None).unwrap();
        let texts =
            ["akv://job/s", "akv://job/s?json=/a%22%5C%0A%C3%A9~1b", "akv://my.corp:8443/s"];
        let parse = |text: &&str| Reference::parse(text, &settings).unwrap();
        let references: Vec<_> = texts.iter().map(parse).collect();
        let read: serde_json::Value = serde_json::from_str(&body(&references)).unwrap();
        let canonical: Vec<_> = references.iter().map(Reference::canonical).collect();
        assert_eq!(read, serde_json::json!({ "references": canonical }));
    }
}
