//! What the agent answers.

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use vaultlet_tests::Run;
use vaultlet_tests::vault::Writer;

use crate::support::{Agent, MEMBER, VALUE, local, read, send, until};

#[test]
fn a_secret_is_the_json_of_get_and_is_asked_for_once_whatever_members_are_wanted() {
    let local = local();
    let agent = Agent::start(&local, &[]);
    for reference in ["akv://job/s", "akv://job/json?json=/user", "akv://job.vault.azure.net/json"]
    {
        let get = Run::vaultlet(["get", "-o", "json", reference]);
        let get = get.environment(local.environment().iter().cloned()).end();
        for _ in 0..2 {
            let answer = agent.secret(reference);
            assert_eq!((answer.status, answer.body.as_str()), (200, get.stdout.as_str()));
            assert!(answer.headers.contains("\ncontent-type: application/json"), "{answer:?}");
            assert!(answer.headers.contains("\ncache-control: no-store"), "{answer:?}");
        }
    }
    let json = agent.secret("akv%3A%2F%2Fjob%2Fjson%3Fjson%3D%252Fuser");
    assert_eq!(json.value(), MEMBER);
    assert_eq!(json.json()["reference"], "akv://job/json?json=%2Fuser");
    // `get` has asked for three, the agent for two.
    assert_eq!(local.counters().operation("get", 200), 5, "{:?}", local.log());
    let version = json.json()["version"].as_str().unwrap().to_owned();
    assert_eq!(agent.secret(&format!("akv://job/json/{version}")).json()["version"], version);
    let url = "https://job.vault.azure.net/secrets/s";
    assert_eq!(agent.secret(url).value(), VALUE);
    assert_eq!(agent.secret("@Microsoft.KeyVault(VaultName=job;SecretName=s)").value(), VALUE);
}

#[test]
fn several_secrets_come_in_order_all_or_none() {
    let local = local();
    let agent = Agent::start(&local, &[]);
    let post = |references: &[&str]| agent.post(&json!({ "references": references }).to_string());
    let values = |references: &[&str]| -> Vec<String> {
        let answer = post(references);
        assert_eq!(answer.status, 200, "{answer:?}");
        let length = format!("\ncontent-length: {}", answer.body.len());
        assert!(answer.headers.contains(&length), "{answer:?}");
        let values = answer.json().as_array().unwrap().clone();
        values.iter().map(|it| it["value"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(post(&[]).body, "[]\n");
    assert_eq!(values(&["akv://job/s"]), [VALUE]);
    let three = ["akv://job/json?json=/user", "akv://job/s", "akv://job/other", "akv://job/s"];
    assert_eq!(values(&three), [MEMBER, VALUE, "an0ther-value", VALUE]);
    assert_eq!(values(&["akv://job/s"; 256]).len(), 256);
    for (references, error) in [
        (&["akv://job/s", "akv://job/absent"][..], (404, "not-found", "secret-not-found")),
        (&["akv://job/s", "akv://job/denied"], (403, "denied", "vault-forbidden")),
        (&["akv://job/s", "akv://job/off"], (404, "disabled", "secret-disabled")),
        (&["akv://job/absent", "akv://job/off"], (404, "not-found", "secret-not-found")),
        (&["akv://job/s", "akv://job/s?json=/x"], (400, "invalid-argument", "secret-not-json")),
        (&["akv://job/json?json=/x"], (400, "invalid-argument", "pointer-missing")),
        (&["akv://job/s", "nonsense"], (400, "invalid-argument", "reference-malformed")),
        (&["akv://job/s"; 257], (400, "usage", "agent-request")),
    ] {
        let (status, kind, id) = error;
        let answer = post(references);
        assert_eq!(answer.error(), (status, kind.into(), id.into()), "{references:?}");
        assert!(!answer.body.contains(VALUE));
    }
    for body in [
        "",
        "{}",
        "[]",
        r#"[["akv://job/s"]]"#,
        "null",
        r#"{"references":null}"#,
        r#"{"references":[1]}"#,
        r#"{"references":["akv://job/s"],"more":1}"#,
        r#"{"references":["akv://job/s"]"#,
        "\u{0}",
    ] {
        assert_eq!(
            agent.post(body).error(),
            (400, "usage".into(), "agent-request".into()),
            "{body}"
        );
    }
}

#[test]
fn what_is_asked_wrongly_is_refused_by_name_and_nobody_upstream_is_asked() {
    let local = local();
    let agent = Agent::start(&local, &[]);
    let usage = |status| (status, "usage".to_owned(), "agent-request".to_owned());
    for target in [
        "/v1/secret",
        "/v1/secret?",
        "/v1/secret?ref=akv://job/s",
        "/v1/secret?reference=akv://job/s&reference=akv://job/s",
        "/v1/secret?reference=akv://job/s&wait=5",
        "/v1/secret?reference=akv://job/s&after=x&wait=301",
        "/v1/secret?reference=akv://job/s&after=x&wait=soon",
    ] {
        assert_eq!(agent.get(target).error(), usage(400), "{target}");
    }
    for target in ["/", "/v1", "/v1/secret/", "/v1/secrets/x", "//v1/secret", "/v2/secret", "*"] {
        assert_eq!(agent.get(target).error(), usage(404), "{target}");
    }
    for (method, target, allow) in [
        ("POST", "/v1/secret?reference=akv://job/s", "get"),
        ("HEAD", "/v1/status", "get"),
        ("DELETE", "/v1/secret?reference=akv://job/s", "get"),
        ("GET", "/v1/secrets", "post"),
        ("PUT", "/v1/secrets", "post"),
        ("POST", "/healthz", "get"),
        ("OPTIONS", "/v1/secret", "get"),
    ] {
        let text =
            format!("{method} {target} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
        let answer = send(&agent.socket, &text);
        assert_eq!(answer.status, 405, "{method} {target}");
        assert!(answer.headers.contains(&format!("\nallow: {allow}")), "{answer:?}");
        if method != "HEAD" {
            assert_eq!(answer.error(), usage(405));
        }
    }
    for reference in [
        "",
        "s",
        "akv://job",
        "akv://job/s?as=file",
        "akv://job/s?as=env",
        "akv://job/s?optional",
        "akv://job/s?default=x",
        "akv://job/s?json=/a%26optional",
        "akv://job/a_b",
        "https://job.example/x",
    ] {
        let (status, kind, _) = agent.secret(reference).error();
        assert_eq!((status, kind.as_str()), (400, "invalid-argument"), "{reference}");
    }
    assert_eq!(local.counters().vault_requests(), 0);
    assert_eq!(local.counters().identity_requests(), 0);
}

#[test]
fn what_is_too_large_or_no_http_gets_an_error_of_ours() {
    let local = local();
    let agent = Agent::start(&local, &[]);
    let long = "x".repeat(64 << 10);
    let head = "POST /v1/secrets HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n";
    let megabytes = "x".repeat(2 << 20);
    for (text, status) in [
        (format!("{head}content-length: {}\r\n\r\n{megabytes}", 2 << 20), 413),
        (format!("{head}content-length: 99999999999\r\n\r\n"), 413),
        (
            format!("{head}transfer-encoding: chunked\r\n\r\n200000\r\n{megabytes}\r\n0\r\n\r\n"),
            413,
        ),
        (format!("GET /healthz HTTP/1.1\r\nhost: localhost\r\nx: {long}\r\n\r\n"), 431),
        (format!("GET /healthz?{long} HTTP/1.1\r\nhost: localhost\r\n\r\n"), 431),
        (
            format!("GET /healthz HTTP/1.1\r\nhost: localhost\r\n{}\r\n", "a: b\r\n".repeat(200)),
            431,
        ),
        ("nonsense\r\n\r\n".into(), 400),
        ("\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}\r\n\r\n".into(), 400),
        (format!("{head}content-length: x\r\n\r\n"), 400),
    ] {
        let stream = UnixStream::connect(&agent.socket).unwrap();
        // Of what promises more than it sends, the end of what is sent.
        let (mut reader, mut writer) = (stream.try_clone().unwrap(), stream);
        let answer = std::thread::scope(|scope| {
            scope.spawn(move || {
                let _ = writer.write_all(text.as_bytes());
                if text.contains("99999999999") {
                    let _ = writer.shutdown(std::net::Shutdown::Write);
                }
            });
            read(&mut reader).unwrap()
        });
        assert_eq!(answer.error(), (status, "usage".into(), "agent-request".into()), "{answer:?}");
    }
    assert_eq!(agent.secret("akv://job/s").value(), VALUE);
}

#[test]
fn errors_of_the_vault_have_their_statuses_and_the_json_of_get() {
    let local = local();
    let agent = Agent::start(&local, &["--timeout", "20"]);
    for (reference, status) in [
        ("akv://job/absent", 404),
        ("akv://job/off", 404),
        ("akv://job/denied", 403),
        ("akv://job/s?json=/x", 400),
        ("akv://no-such.localhost:1/s", 502),
    ] {
        let get = Run::vaultlet(["get", "-o", "json", reference]);
        let get = get.environment(local.environment().iter().cloned()).end();
        let expected: Value = serde_json::from_str(&get.stderr).unwrap();
        let answer = agent.secret(reference);
        assert_eq!(answer.status, status, "{answer:?}");
        let without = |value: Value| {
            let mut value = value["error"].clone();
            value.as_object_mut().unwrap().remove("requestId");
            value
        };
        assert_eq!(without(answer.json()), without(expected), "{reference}");
    }
}

#[test]
fn status_metrics_and_health_tell_how_the_agent_is() {
    let local = local();
    let agent = Agent::start(&local, &["--allow", "akv://job/s", "--allow", "akv://job/other"]);
    assert_eq!(agent.get("/healthz").body, "ok\n");
    assert_eq!(agent.secret("akv://job/s").value(), VALUE);
    assert_eq!(agent.secret("akv://job/s").value(), VALUE);
    assert_eq!(agent.secret("akv://job/json").error().2, "policy-denied");
    let status = agent.status();
    let members: Vec<_> = status.as_object().unwrap().keys().cloned().collect();
    assert_eq!(members, ["denied", "secrets", "stale", "started", "upstream", "version"]);
    assert_eq!(status["version"], env!("CARGO_PKG_VERSION"));
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    assert!(now.as_secs() - status["started"].as_u64().unwrap() < 600, "{status}");
    for (name, value) in [("secrets", 1), ("stale", 0), ("denied", 1)] {
        assert_eq!(status[name], value, "{status}");
    }
    assert_eq!(status["upstream"], json!({ "requests": 1, "throttled": 0 }));
    let metrics = agent.get("/metrics");
    assert!(metrics.headers.contains("\ncontent-type: text/plain; version=0.0.4"), "{metrics:?}");
    for line in [
        "# TYPE vaultlet_agent_requests_total counter",
        "vaultlet_agent_requests_total{path=\"/v1/secret\",status=\"200\"} 2",
        "vaultlet_agent_requests_total{path=\"/v1/secret\",status=\"403\"} 1",
        "vaultlet_agent_secrets 1",
        "vaultlet_agent_stale_secrets 0",
        "vaultlet_agent_denied_total 1",
        "vaultlet_agent_upstream_requests_total 1",
        "vaultlet_agent_upstream_throttled_total 0",
        "vaultlet_agent_request_seconds_count 3",
    ] {
        assert!(metrics.body.lines().any(|it| it == line), "{line}\n{}", metrics.body);
    }
    for name in ["job", "vault.azure.net", VALUE] {
        assert!(!metrics.body.contains(name), "{name} is in the metrics");
    }
}

#[test]
fn a_new_version_is_answered_when_it_comes_and_no_news_with_304() {
    let local = local();
    let agent = Agent::start(&local, &["--ttl", "0.3"]);
    let first = agent.secret("akv://job/s").json();
    let version = first["version"].as_str().unwrap();
    let wait = |version: &str, seconds: u64| {
        agent.get(&format!("/v1/secret?reference=akv://job/s&after={version}&wait={seconds}"))
    };
    assert_eq!(wait("another", 60).json(), first, "at once");
    let begin = Instant::now();
    let unchanged = wait(version, 1);
    assert_eq!((unchanged.status, unchanged.body.as_str()), (304, ""));
    assert!(begin.elapsed() >= Duration::from_secs(1));
    assert_eq!(agent.get(&format!("/v1/secret?reference=akv://job/s&after={version}")).status, 304);
    let writer = Writer::new(&local);
    let changed = std::thread::scope(|scope| {
        let waiting: Vec<_> = (0..8).map(|_| scope.spawn(|| wait(version, 60))).collect();
        until("all wait", || {
            let metrics = agent.get("/metrics").body;
            metrics.lines().any(|line| line == "vaultlet_agent_connections 9")
        });
        writer.set("s", "a-n3w-value");
        waiting.into_iter().map(|it| it.join().unwrap().value()).collect::<Vec<_>>()
    });
    assert_eq!(changed, ["a-n3w-value"; 8]);
}

#[test]
fn a_connection_serves_several_requests() {
    let local = local();
    let agent = Agent::start(&local, &[]);
    let mut stream = UnixStream::connect(&agent.socket).unwrap();
    for _ in 0..3 {
        stream
            .write_all(b"GET /v1/secret?reference=akv://job/s HTTP/1.1\r\nhost: localhost\r\n\r\n")
            .unwrap();
        let mut text = Vec::new();
        while !text.ends_with(b"}\n") {
            let mut part = [0; 4096];
            let length = stream.read(&mut part).unwrap();
            assert_ne!(length, 0, "it was closed");
            text.extend_from_slice(&part[..length]);
        }
        assert!(String::from_utf8(text).unwrap().contains(VALUE));
    }
}
