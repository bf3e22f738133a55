//! 64 callers for a while against a vault with faults: no wrong value, no unknown error, and memory and
//! descriptors that do not grow. `VAULTLET_TEST_SOAK=600` sets the seconds.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::io::Write as _;
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::Value;
use vaultlet_tests::server::{Answer, Request, Server};
use vaultlet_tests::tls::Ca;

/// Errors that the faults lead to.
const KNOWN: [&str; 5] =
    ["vault-unexpected", "vault-failed", "vault-throttled", "vault-unreachable", "timeout"];

#[test]
fn faults_of_the_vault_lead_to_no_wrong_value_and_no_leak() {
    let seconds = std::env::var("VAULTLET_TEST_SOAK").unwrap_or_else(|_| "5".into());
    let identity = Server::plain(|_| {
        Answer::json(200, r#"{"access_token":"e.y.J","expires_in":"86400","token_type":"Bearer"}"#)
    });
    let ca = Ca::default();
    let served = AtomicU64::new(0);
    let vault = Server::tls(&ca.leaf(&["job.vault.azure.net"]), move |request| {
        answer(request, served.fetch_add(1, Ordering::Relaxed))
    });
    let vault = vault.forgetful();
    let output = Command::new(env!("CARGO_BIN_EXE_soak-client"))
        .arg(&seconds)
        .env_clear()
        .env("MSI_ENDPOINT", format!("http://127.0.0.1:{}/msi/token", identity.port()))
        .env("MSI_SECRET", "msi-s3cret")
        .env("VAULTLET_CA_FILE", ca.file())
        .env("VAULTLET_RESOLVE", format!("job.vault.azure.net:443:127.0.0.1:{}", vault.port()))
        .output()
        .unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{out}{err}");
    let samples: Vec<Value> =
        out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let _ = write!(std::io::stderr().lock(), "{out}");
    let number = |sample: &Value, name: &str| sample.get(name).and_then(Value::as_u64).unwrap();
    let (early, last) = (samples.get(2).unwrap(), samples.last().unwrap());
    assert!(number(last, "calls") > number(early, "calls"), "{out}");
    assert_eq!(number(last, "wrong"), 0, "{out}");
    for (id, _) in last.get("errors").and_then(Value::as_object).unwrap() {
        assert!(KNOWN.contains(&id.as_str()), "{id}: {out}");
    }
    // Instances are replaced after their thousandth call, so that memory moves a little.
    assert!(number(last, "rss") < number(early, "rss") + (8 << 10), "{out}");
    assert!(number(last, "descriptors") < number(early, "descriptors") + 64, "{out}");
    assert!(!out.contains("e.y.J") && !err.contains("e.y.J"), "a token is shown");
}

/// The right answer for most requests, and a fault for some.
fn answer(request: &Request, number: u64) -> Answer {
    let path = request.target.split('?').next().unwrap();
    let name = path.strip_prefix("/secrets/").unwrap();
    let right = format!(r#"{{"value":"value-of-{name}"}}"#);
    match number % 4_001 {
        17 => Answer::status(500),
        400 => Answer::status(503).header("retry-after", "1"),
        801 => Answer::status(429).header("retry-after", "1"),
        1_203 => Answer::json(200, right).cut(),
        1_604 => Answer::json(200, "{\"value\":").silence(),
        2_005 => Answer::json(200, "not JSON"),
        2_406 => Answer::json(200, right).spaces(2 << 20),
        2_807 => Answer::never(),
        3_208 => Answer::json(200, r#"{"value":"x","id":"https://job.vault.azure.net/secrets/other/0123456789abcdef0123456789abcdef"}"#),
        n if n % 50 == 0 => Answer::json(200, right).header("connection", "close"),
        _ => Answer::json(200, right),
    }
}
