//! The scripted servers of a case, one for each server that it names, which share one script.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

use http::Uri;
use vaultlet_core::testing::matches;
use vaultlet_tests::case::{Case, Exchange, Fail, Kind};
use vaultlet_tests::server::{Answer, Refusing, Request, Server};
use vaultlet_tests::tls::{Ca, Leaf};

/// Headers that belong to HTTP itself or are the same in every request.
const PLAIN_HEADERS: [&str; 4] = ["accept", "content-length", "host", "transfer-encoding"];
/// Servers that an unexpected request could reach if no scripted server took their place.
const NEVER_REACHED: [&str; 3] = [
    "http://169.254.169.254/",
    "https://job.vault.azure.net/",
    "https://login.microsoftonline.com/",
];

/// The certificates of a run: a common CA that the host trusts, and a private one.
pub(crate) struct Trust {
    pub(crate) common: Ca,
    private: Ca,
    leaves: BTreeMap<String, Leaf>,
}

impl Trust {
    /// Makes certificates for the servers in a case that have a private CA.
    pub(crate) fn new(case: &Case) -> Self {
        let (common, private) = (Ca::default(), Ca::default());
        let leaf = |(origin, name): (&String, &String)| (origin.clone(), private.leaf(&[name]));
        let leaves = case.content.private.iter().map(leaf).collect();
        Self { common, private, leaves }
    }

    /// The words `ca`, `pin` and `copied pin`.
    pub(crate) fn words(&self) -> BTreeMap<String, String> {
        let pin = self.leaves.values().next().map(|leaf| leaf.sha1().to_owned());
        let ca = std::fs::read_to_string(self.private.file()).unwrap();
        let pins = pin.iter().flat_map(|pin| pins(pin));
        [("ca".to_owned(), ca)].into_iter().chain(pins).collect()
    }
}

/// A fingerprint, as a plain number and as people copy it from a tool.
pub(crate) fn pins(pin: &str) -> [(String, String); 2] {
    let (first, rest) = pin.split_at(2);
    let copied = format!("{first}:{rest} ").to_ascii_uppercase();
    [("pin".to_owned(), pin.to_owned()), ("copied pin".to_owned(), copied)]
}

/// The requests that the servers still expect, in one order for all of them.
pub(crate) struct Script {
    left: Mutex<VecDeque<Exchange>>,
    wrong: Mutex<Option<String>>,
    sent: Mutex<Vec<String>>,
}

impl Script {
    pub(crate) fn new(case: &Case) -> Self {
        let arriving = |e: &&Exchange| {
            e.kind() == Kind::Http && !matches!(e.fail, Some(Fail::Refused | Fail::Untrusted))
        };
        let left = case.content.exchanges.iter().filter(arriving).cloned().collect();
        Self { left: Mutex::new(left), wrong: Mutex::default(), sent: Mutex::default() }
    }

    fn answer(&self, origin: &str, request: &Request) -> Answer {
        let got = arrived(origin, request);
        self.sent.lock().unwrap().push(got.clone());
        let exchange = self.left.lock().unwrap().pop_front();
        match exchange {
            Some(exchange) if matches(&exchange.text(), &got) => {
                let answer = Answer::status(exchange.status);
                let answer = exchange.headers.iter().fold(answer, |a, (k, v)| a.header(k, v));
                if exchange.fail == Some(Fail::Cut) {
                    answer.text("{").cut()
                } else {
                    answer.text(exchange.body)
                }
            }
            other => {
                let expected = other.map_or_else(|| "nothing".to_owned(), |e| e.text());
                let mut wrong = self.wrong.lock().unwrap();
                wrong.get_or_insert(format!("sent: {got}\nexpected: {expected}"));
                Answer::status(418)
            }
        }
    }

    /// The requests that have arrived.
    pub(crate) fn sent(&self) -> Vec<String> {
        self.sent.lock().unwrap().clone()
    }

    /// Fails if a request was not the expected one.
    pub(crate) fn right(&self) -> Result<(), String> {
        self.wrong.lock().unwrap().clone().map_or(Ok(()), Err)
    }

    /// Fails if a request was not the expected one, or never arrived.
    pub(crate) fn done(&self) -> Result<(), String> {
        self.right()?;
        match self.left.lock().unwrap().front() {
            Some(exchange) => Err(format!("not sent: {}", exchange.text())),
            None => Ok(()),
        }
    }
}

/// The running servers, and the `--resolve` rules that lead to them.
pub(crate) struct Scene {
    pub(crate) rules: Vec<String>,
    _servers: Vec<Server>,
    _nobody: Vec<Refusing>,
}

impl Scene {
    pub(crate) fn new(case: &Case, trust: &Trust, script: &Arc<Script>) -> Result<Self, String> {
        let mut origins: BTreeMap<Origin, Vec<Option<Fail>>> = BTreeMap::new();
        for url in NEVER_REACHED {
            origins.insert(Origin::parse(url)?, Vec::new());
        }
        for exchange in case.content.exchanges.iter().filter(|e| e.kind() == Kind::Http) {
            origins.entry(Origin::parse(exchange.url())?).or_default().push(exchange.fail);
        }
        let mut scene = Self { rules: Vec::new(), _servers: Vec::new(), _nobody: Vec::new() };
        for (origin, fails) in origins {
            let to = scene.stand(&origin, &fails, trust, script)?;
            scene.rules.push(format!("{}:{}:127.0.0.1:{to}", origin.host, origin.port));
        }
        Ok(scene)
    }

    /// Starts the server for an origin, or a port that refuses connections; returns the port.
    fn stand(
        &mut self,
        origin: &Origin,
        fails: &[Option<Fail>],
        trust: &Trust,
        script: &Arc<Script>,
    ) -> Result<u16, String> {
        let is_always = |fail| !fails.is_empty() && fails.iter().all(|f| *f == Some(fail));
        let never = [Fail::Refused, Fail::Untrusted].map(Some);
        if is_always(Fail::Refused) {
            let nobody = Refusing::default();
            let port = nobody.port;
            self._nobody.push(nobody);
            return Ok(port);
        }
        if !is_always(Fail::Untrusted) && fails.iter().any(|f| never.contains(f)) {
            return Err(format!("{} is reachable for some requests only", origin.host));
        }
        let (script, name) = (Arc::clone(script), origin.name());
        let private = trust.leaves.get(&name);
        let answer = move |request: &Request| script.answer(&name, request);
        let host = [origin.host.as_str()];
        let server = match private {
            _ if !origin.tls => Server::plain(answer),
            Some(leaf) => Server::tls(leaf, answer),
            None if is_always(Fail::Untrusted) => Server::tls(&Ca::default().leaf(&host), answer),
            None => Server::tls(&trust.common.leaf(&host), answer),
        };
        let port = server.port();
        self._servers.push(server);
        Ok(port)
    }
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Origin {
    tls: bool,
    host: String,
    port: u16,
}

impl Origin {
    fn parse(url: &str) -> Result<Self, String> {
        // A query may contain `<*>`, which is not valid in a URL.
        let base = url.split('?').next().unwrap_or_default();
        let uri: Uri = base.parse().map_err(|error| format!("{url}: {error}"))?;
        let tls = uri.scheme_str() == Some("https");
        let host = uri.host().ok_or_else(|| format!("{url}: no host"))?.to_owned();
        Ok(Self { tls, host, port: uri.port_u16().unwrap_or(if tls { 443 } else { 80 }) })
    }

    /// The origin as it is written in a URL.
    fn name(&self) -> String {
        let scheme = if self.tls { "https" } else { "http" };
        match (self.tls, self.port) {
            (true, 443) | (false, 80) => format!("{scheme}://{}", self.host),
            _ => format!("{scheme}://{}:{}", self.host, self.port),
        }
    }
}

/// A request that has arrived, written as in [`Exchange::text`].
fn arrived(origin: &str, request: &Request) -> String {
    let headers: BTreeMap<_, _> = request
        .headers
        .iter()
        .filter(|(name, _)| !PLAIN_HEADERS.contains(&name.as_str()))
        .map(|(name, value)| (name.as_str(), String::from_utf8_lossy(value.as_bytes())))
        .collect();
    let headers: String = headers.iter().map(|(k, v)| format!(" {k}: {v}")).collect();
    let host = request.header("host");
    // The host that the request names, not the address that it went to.
    let named = origin.split_once("://").is_some_and(|(_, authority)| authority == host);
    let origin = if named { origin.to_owned() } else { format!("{origin} as {host}") };
    let body = String::from_utf8_lossy(&request.body);
    let body = if body.is_empty() { String::new() } else { format!(" | {body}") };
    format!("{} {origin}{}{headers}{body}", request.method, request.target)
}
