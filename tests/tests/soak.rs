//! 64 callers for a while, in a program of their own: against a vault with faults, and beside processes that
//! leave them little of the processors. No wrong value, no unknown error, and memory and descriptors that do
//! not grow. `VAULTLET_TEST_SOAK=600` sets the seconds of the first.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::fmt::{self, Display};
use std::io::Write as _;
use std::process::{Child, Command};
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Map, Value};
use vaultlet_tests::server::{Answer, Request, Server};
use vaultlet_tests::tls::Ca;

/// Errors that the faults lead to.
const KNOWN: [&str; 5] =
    ["vault-unexpected", "vault-failed", "vault-throttled", "vault-unreachable", "timeout"];

#[test]
fn faults_of_the_vault_lead_to_no_wrong_value_and_no_leak() {
    let seconds = std::env::var("VAULTLET_TEST_SOAK").unwrap_or_else(|_| "5".into());
    let served = AtomicU64::new(0);
    let samples = Samples::take(&seconds, move |request| {
        answer(request, served.fetch_add(1, Ordering::Relaxed))
    });
    let (early, last) = samples.early_and_last();
    assert_eq!(number(last, "wrong"), 0, "{samples}");
    for (id, _) in last.get("errors").and_then(Value::as_object).unwrap() {
        assert!(KNOWN.contains(&id.as_str()), "{id}: {samples}");
    }
    // Instances are replaced after their thousandth call, so that memory moves a little.
    assert!(number(last, "rss") < number(early, "rss") + (8 << 10), "{samples}");
    assert!(number(last, "descriptors") < number(early, "descriptors") + 64, "{samples}");
}

/// An instance whose thread the system puts aside for a while is not one that computes without end.
#[test]
fn busy_processors_end_no_instance() {
    let _busy: Vec<_> = (0..6).map(|_| Spinning::start()).collect();
    let samples = Samples::take("3", |request| Answer::json(200, right(request)));
    let (_, last) = samples.early_and_last();
    assert_eq!(number(last, "wrong"), 0, "{samples}");
    assert_eq!(last.get("errors"), Some(&Value::Object(Map::new())), "{samples}");
}

/// A process that keeps a processor busy, until it is dropped.
struct Spinning(Child);

impl Spinning {
    fn start() -> Self {
        Self(Command::new("sh").args(["-c", "while :; do :; done"]).spawn().unwrap())
    }
}

impl Drop for Spinning {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What a program with 64 callers says of itself.
struct Samples(Vec<Value>);

impl Samples {
    fn take(seconds: &str, vault: impl Fn(&Request) -> Answer + Send + Sync + 'static) -> Self {
        let identity = Server::plain(|_| {
            Answer::json(
                200,
                r#"{"access_token":"e.y.J","expires_in":"86400","token_type":"Bearer"}"#,
            )
        });
        let ca = Ca::default();
        let vault = Server::tls(&ca.leaf(&["job.vault.azure.net"]), vault).forgetful();
        let output = Command::new(env!("CARGO_BIN_EXE_soak-client"))
            .arg(seconds)
            .env_clear()
            .env("MSI_ENDPOINT", format!("http://127.0.0.1:{}/msi/token", identity.port()))
            .env("MSI_SECRET", "msi-s3cret")
            .env("VAULTLET_CA_FILE", ca.file())
            .env("VAULTLET_RESOLVE", format!("job.vault.azure.net:443:127.0.0.1:{}", vault.port()))
            .output()
            .unwrap();
        let (out, err) =
            (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
        assert!(output.status.success(), "{out}{err}");
        for secret in ["e.y.J", "msi-s3cret", "value-of-"] {
            assert!(!out.contains(secret) && !err.contains(secret), "{secret} is shown");
        }
        let _ = write!(std::io::stderr().lock(), "{out}");
        Self(out.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
    }

    /// A sample after the beginning, and the last.
    fn early_and_last(&self) -> (&Value, &Value) {
        let (early, last) = (self.0.get(2).unwrap(), self.0.last().unwrap());
        assert!(number(last, "calls") > number(early, "calls"), "{self}");
        (early, last)
    }
}

impl Display for Samples {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|sample| writeln!(f, "{sample}"))
    }
}

fn number(sample: &Value, name: &str) -> u64 {
    sample.get(name).and_then(Value::as_u64).unwrap()
}

fn right(request: &Request) -> String {
    let path = request.target.split('?').next().unwrap();
    format!(r#"{{"value":"value-of-{}"}}"#, path.strip_prefix("/secrets/").unwrap())
}

/// The right answer for most requests, and a fault for some.
fn answer(request: &Request, number: u64) -> Answer {
    let right = right(request);
    match number % 4_001 {
        17 => Answer::status(500),
        400 => Answer::status(503).header("retry-after", "1"),
        801 => Answer::status(429).header("retry-after", "1"),
        1_203 => Answer::json(200, right).cut(),
        1_604 => Answer::json(200, "{\"value\":").silence(),
        2_005 => Answer::json(200, "not JSON"),
        2_406 => Answer::json(200, right).spaces(2 << 20),
        2_807 => Answer::never(),
        3_208 => Answer::json(
            200,
            r#"{"value":"x","id":"https://job.vault.azure.net/secrets/other/0123456789abcdef0123456789abcdef"}"#,
        ),
        n if n % 50 == 0 => Answer::json(200, right).header("connection", "close"),
        _ => Answer::json(200, right),
    }
}
