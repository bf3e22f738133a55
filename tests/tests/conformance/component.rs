//! The component in the host, with a server of ours behind every authority.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use http::Uri;
use vaultlet_host::{Error, TokenRequest, Vaultlet};
use vaultlet_tests::case::{Case, Exchange, Fail, Outcome, rendered};
use vaultlet_tests::server::{Answer, Asked, Refusing, Server};
use vaultlet_tests::tls::Ca;

use crate::{attempt, expected, scan};

/// Headers that are HTTP's own or say nothing.
const PLAIN_HEADERS: [&str; 2] = ["accept", "host"];
/// What an unexpected request would reach if no server of ours stood there.
const NEVER_LEFT: [&str; 2] = ["http://169.254.169.254/", "https://job.vault.azure.net/"];

/// Runs a case.
pub(crate) fn component(case: &Case) -> Result<(), String> {
    let from = now();
    let ca = Ca::default();
    let script = Arc::new(Script::new(case, from));
    let scene = Scene::new(case, &ca, &script)?;
    let opened = scene
        .rules
        .iter()
        .fold(Vaultlet::builder().variables(case.environment.clone()), |builder, rule| {
            builder.resolve(rule)
        })
        .ca_file(ca.file())
        .open();
    for _ in 0..case.times {
        let result = opened.as_ref().map_err(Clone::clone).and_then(|v| call(case, v));
        let (outcome, shown) = match result {
            Ok((outcome, shown)) => (outcome, shown),
            Err(error) => (of(&error), format!("{error} {error:?}")),
        };
        // What was sent explains what came of it, so it is told first.
        script.right()?;
        case.check(&outcome, from, now())?;
        scan(case, &format!("{shown} {opened:?}"))?;
    }
    script.done()
}

fn call(case: &Case, vaultlet: &Vaultlet) -> Result<(Outcome, String), Error> {
    if let Some(reference) = &case.get {
        let secret = vaultlet.get_blocking(reference)?;
        let properties = secret.properties();
        let outcome = Outcome::Secret {
            value: secret.reveal().to_owned(),
            version: properties.version.clone(),
            content_type: properties.content_type.clone(),
        };
        return Ok((outcome, format!("{secret:?} {properties:?}")));
    }
    let request = TokenRequest { resource: case.token.clone(), ..Default::default() };
    let token = vaultlet.token_blocking(request)?;
    let outcome = Outcome::Token {
        token: token.reveal().to_owned(),
        source: token.source().to_owned(),
        endpoint: token.endpoint().map(Into::into),
        client_id: token.client_id().map(Into::into),
        expires_on: unix(token.expires_on()),
    };
    Ok((outcome, format!("{token:?}")))
}

fn of(error: &Error) -> Outcome {
    let attempts = error
        .attempts
        .iter()
        .map(|a| attempt(&a.source, a.endpoint.as_deref(), a.outcome.as_str()))
        .collect();
    Outcome::Failed {
        kind: error.kind.as_str().to_owned(),
        id: error.id.clone(),
        line: error.to_string(),
        help: error.help.clone(),
        status: error.status,
        code: error.code.clone(),
        retry_after_ms: error.retry_after.map(|after| after.as_millis().try_into().unwrap()),
        attempts,
    }
}

/// What the servers have yet to be asked, in one order for all of them.
struct Script {
    left: Mutex<VecDeque<Exchange>>,
    wrong: Mutex<Option<String>>,
    now: i64,
}

impl Script {
    fn new(case: &Case, now: i64) -> Self {
        // These never arrive.
        let arriving = |e: &&Exchange| !matches!(e.fail, Some(Fail::Refused | Fail::Untrusted));
        let left = case.exchanges.iter().filter(arriving).cloned().collect();
        Self { left: Mutex::new(left), wrong: Mutex::default(), now }
    }

    fn answer(&self, origin: &str, asked: &Asked) -> Answer {
        let got = arrived(origin, asked);
        let exchange = self.left.lock().unwrap().pop_front();
        match exchange {
            Some(exchange) if expected(&exchange) == got => {
                let body = rendered(&exchange.body, self.now);
                let answer = Answer::status(exchange.status);
                let answer = exchange.headers.iter().fold(answer, |a, (k, v)| a.header(k, v));
                if exchange.fail == Some(Fail::Cut) {
                    answer.text("{").cut()
                } else {
                    answer.text(body)
                }
            }
            other => {
                let expected = other.map_or_else(|| "nothing".to_owned(), |e| expected(&e));
                let mut wrong = self.wrong.lock().unwrap();
                wrong.get_or_insert(format!("sent: {got}\nexpected: {expected}"));
                Answer::status(418)
            }
        }
    }

    fn right(&self) -> Result<(), String> {
        self.wrong.lock().unwrap().clone().map_or(Ok(()), Err)
    }

    fn done(&self) -> Result<(), String> {
        self.right()?;
        match self.left.lock().unwrap().front() {
            Some(exchange) => Err(format!("not sent: {}", expected(exchange))),
            None => Ok(()),
        }
    }
}

/// The servers of a run, and the rules that lead to them.
struct Scene {
    rules: Vec<String>,
    _servers: Vec<Server>,
    _nobody: Vec<Refusing>,
}

impl Scene {
    fn new(case: &Case, ca: &Ca, script: &Arc<Script>) -> Result<Self, String> {
        let mut origins: BTreeMap<(bool, String, u16), Vec<Option<Fail>>> = BTreeMap::new();
        for url in NEVER_LEFT {
            origins.insert(origin(url)?, Vec::new());
        }
        for exchange in &case.exchanges {
            let url = exchange.request.split(' ').nth(1).unwrap_or_default();
            origins.entry(origin(url)?).or_default().push(exchange.fail);
        }
        let mut scene = Self { rules: Vec::new(), _servers: Vec::new(), _nobody: Vec::new() };
        for ((tls, host, port), fails) in origins {
            let is_always = |fail| !fails.is_empty() && fails.iter().all(|f| *f == Some(fail));
            let never = [Fail::Refused, Fail::Untrusted].map(Some);
            let to = if is_always(Fail::Refused) {
                let nobody = Refusing::default();
                let to = nobody.port;
                scene._nobody.push(nobody);
                to
            } else if !is_always(Fail::Untrusted) && fails.iter().any(|f| never.contains(f)) {
                return Err(format!("{host} is there for some requests only"));
            } else {
                let scheme = if tls { "https" } else { "http" };
                let origin = match (tls, port) {
                    (true, 443) | (false, 80) => format!("{scheme}://{host}"),
                    _ => format!("{scheme}://{host}:{port}"),
                };
                let script = Arc::clone(script);
                let answer = move |asked: &Asked| script.answer(&origin, asked);
                let server = if !tls {
                    Server::plain(answer)
                } else if is_always(Fail::Untrusted) {
                    Server::tls(&Ca::default().leaf(&[&host]), answer)
                } else {
                    Server::tls(&ca.leaf(&[&host]), answer)
                };
                let to = server.port();
                scene._servers.push(server);
                to
            };
            scene.rules.push(format!("{host}:{port}:127.0.0.1:{to}"));
        }
        Ok(scene)
    }
}

fn origin(url: &str) -> Result<(bool, String, u16), String> {
    let uri: Uri = url.parse().map_err(|error| format!("{url}: {error}"))?;
    let tls = uri.scheme_str() == Some("https");
    let host = uri.host().ok_or_else(|| format!("{url}: no host"))?;
    Ok((tls, host.to_owned(), uri.port_u16().unwrap_or(if tls { 443 } else { 80 })))
}

/// The same of one that has arrived.
fn arrived(origin: &str, asked: &Asked) -> String {
    let headers: BTreeMap<_, _> = asked
        .headers
        .iter()
        .filter(|(name, _)| !PLAIN_HEADERS.contains(&name.as_str()))
        .map(|(name, value)| (name.as_str(), String::from_utf8_lossy(value.as_bytes())))
        .collect();
    let headers: String = headers.iter().map(|(k, v)| format!(" {k}: {v}")).collect();
    let host = asked.header("host");
    // The name that was meant, not the address that it led to.
    let meant = origin.split_once("://").is_some_and(|(_, authority)| authority == host);
    let origin = if meant { origin.to_owned() } else { format!("{origin} as {host}") };
    format!("{} {origin}{}{headers}", asked.method, asked.target)
}

fn now() -> i64 {
    unix(SystemTime::now())
}

fn unix(at: SystemTime) -> i64 {
    at.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs().try_into().unwrap()
}
