//! The lent endpoint: a program that has its variables gets tokens for the listed resources from one
//! cache, and any other program gets nothing.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use vaultlet_dev::Local;
use vaultlet_host::{Kind, Lend, Lent, TokenRequest, Vaultlet};
use vaultlet_tests::client::{Response, get, send};
use vaultlet_tests::prober::Prober;
use vaultlet_tests::server::{Answer, Gate, Request, Server};
use vaultlet_tests::{Run, vaultlet};

const VAULT: &str = "resource=https%3A%2F%2Fvault.azure.net";
const SLOW: &str = "11111111-1111-4111-8111-111111111111";

/// A token request in each protocol of a lent endpoint: name, target and headers.
fn protocols(variables: &BTreeMap<String, String>) -> [(&'static str, String, String); 4] {
    let path = |name: &str| {
        let url = variables[name].strip_prefix("http://").unwrap();
        url.split_once('/').map(|(_, path)| format!("/{path}")).unwrap()
    };
    let header = &variables["IDENTITY_HEADER"];
    let imds = path("AZURE_POD_IDENTITY_AUTHORITY_HOST");
    [
        ("app-service", path("IDENTITY_ENDPOINT"), format!("x-identity-header: {header}\r\n")),
        ("azure-ml", path("MSI_ENDPOINT"), format!("secret: {}\r\n", variables["MSI_SECRET"])),
        ("obo", path("OBO_ENDPOINT"), String::new()),
        ("imds", format!("{imds}/metadata/identity/oauth2/token"), "metadata: true\r\n".into()),
    ]
}

fn variables(lent: &Lent) -> BTreeMap<String, String> {
    lent.variables().iter().cloned().collect()
}

fn token_of(response: &Response) -> String {
    let json: serde_json::Value = serde_json::from_str(&response.body).unwrap();
    json["access_token"]
        .as_str()
        .unwrap_or_else(|| panic!("no token: {}", response.status))
        .to_owned()
}

#[test]
fn each_protocol_serves_the_cached_token_only_with_the_secret() {
    let local = Local::builder().start().unwrap();
    let environment = local.environment().iter().cloned();
    let vaultlet = Vaultlet::builder().variables(environment).open().unwrap();
    let lent = vaultlet.lend(Lend::default()).unwrap();
    let variables = variables(&lent);
    let secret = &variables["IDENTITY_HEADER"];
    let wrong = "0".repeat(secret.len());
    let own = vaultlet.token_blocking(TokenRequest::default()).unwrap();
    for (name, path, headers) in protocols(&variables) {
        let ask = |query: &str, with: &str| {
            let (path, headers) = (path.replace(secret, with), headers.replace(secret, with));
            get(lent.address(), &format!("{path}?{query}"), &headers)
        };
        // Twice: a cached token needs the secret as much as a new one.
        for _ in 0..2 {
            assert_eq!(token_of(&ask(VAULT, secret)), own.reveal(), "{name}");
            for with in ["", &wrong, &format!("{secret}x"), &secret.to_uppercase()] {
                let response = ask(VAULT, with);
                assert_eq!((response.status, response.body.as_str()), (401, ""), "{name}");
            }
            let response = ask("resource=https%3A%2F%2Fmanagement.azure.com", secret);
            assert_eq!(response.status, 403, "{name}: {}", response.body);
            assert!(
                response.body.contains("management.azure.com is not"),
                "{name}: {}",
                response.body
            );
        }
        // DNS rebinding: a web page whose name leads here sends the wrong `Host`.
        let rebound = format!(
            "GET {path}?{VAULT} HTTP/1.1\r\nhost: evil.example.test\r\n{headers}connection: close\r\n\r\n"
        );
        assert_eq!(send(lent.address(), &rebound).status, 403, "{name}");
    }
    assert_eq!(get(lent.address(), "/", "").status, 401);
    assert_eq!(
        get(lent.address(), &format!("/token?{VAULT}"), "").status,
        401,
        "vaultlet's own protocol"
    );
    assert_eq!(local.counters().identity_requests(), 1, "one cache");
    let counts = lent.requests();
    assert_eq!(counts[&200], 8);
    assert_eq!(counts.keys().copied().collect::<Vec<_>>(), [200, 401, 403]);
    let shown = format!("{lent:?} {lent:#?}");
    assert!(!shown.contains(secret.as_str()) && shown.contains("127.0.0.1:"));
}

#[test]
fn only_listed_resources_are_lent() {
    let local = Local::builder().start().unwrap();
    let environment = local.environment().iter().cloned();
    let vaultlet = Vaultlet::builder().variables(environment).open().unwrap();
    let resources =
        ["https://storage.azure.com/", "https://vault.azure.net"].map(Into::into).into();
    let lent = vaultlet.lend(Lend { resources, ..Lend::default() }).unwrap();
    let variables = variables(&lent);
    let [(_, path, headers), ..] = protocols(&variables);
    for (resource, status) in [
        (VAULT, 200),
        ("resource=https%3A%2F%2Fstorage.azure.com", 200),
        ("resource=https%3A%2F%2Fgraph.microsoft.com", 403),
    ] {
        assert_eq!(get(lent.address(), &format!("{path}?{resource}"), &headers).status, status);
    }
}

#[test]
fn a_lent_endpoint_ends_with_its_owner() {
    let nothing: [(&str, &str); 0] = [];
    let vaultlet = Vaultlet::builder().variables(nothing).open().unwrap();
    let lent = vaultlet.lend(Lend::default()).unwrap();
    drop(vaultlet);
    let authority = lent.address().to_owned();
    assert_eq!(get(&authority, "/", "").status, 401, "the lent endpoint outlives the handle");
    // A connection that is kept open is closed, too.
    let mut kept = TcpStream::connect(&authority).unwrap();
    kept.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
    assert!(kept.read(&mut [0; 4096]).unwrap() > 0);
    let port = authority.rsplit(':').next().unwrap().parse().unwrap();
    let other = Vaultlet::builder().variables(nothing).open().unwrap();
    let error = other.lend(Lend { port: Some(port), ..Lend::default() }).unwrap_err();
    assert_eq!((error.kind, error.id.as_str()), (Kind::Unavailable, "lend-port"), "{error}");
    drop(lent);
    while !matches!(kept.read(&mut [0; 4096]), Ok(0) | Err(_)) {}
    while TcpStream::connect(&authority).is_ok() {}
    other.lend(Lend { port: Some(port), ..Lend::default() }).unwrap();
}

#[test]
fn an_oversized_or_malformed_request_does_not_reach_a_guest() {
    let prober = Prober::new("tells");
    let lent = prober.vaultlet().lend(Lend::default()).unwrap();
    let at = lent.address();
    let long = "x".repeat((64 << 10) + 1);
    let with = format!("secret: {}\r\n", variables(&lent)["LENT_SECRET"]);
    for (text, status) in [
        (
            format!(
                "POST /?env=X HTTP/1.1\r\nhost: x\r\n{with}content-length: 65537\r\nconnection: close\r\n\r\n{long}"
            ),
            413,
        ),
        (format!("GET /?env=X HTTP/1.1\r\nhost: x\r\nheader: {long}\r\n\r\n"), 431),
        ("GET /?env=X HTTP/1.1\r\nconnection: close\r\n\r\n".into(), 400),
        ("GET /?env=X HTTP/1.1\r\nhost: x\r\nhost: y\r\nconnection: close\r\n\r\n".into(), 400),
        ("nonsense\r\n\r\n".into(), 400),
    ] {
        let response = send(at, &text);
        assert_eq!(response.status, status, "{}", response.headers);
        assert!(!response.body.contains("unset"), "the request reached the guest");
    }
}

/// The front role, which serves the requests to a lent endpoint, knows the endpoint's secret and no
/// credential.
#[test]
fn the_front_has_no_credential_and_reaches_only_the_identity_endpoint() {
    let other = Server::plain(|_| Answer::status(204));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, "token").unwrap();
    let file = file.display();
    let plan = format!(
        "file {file}\nprogram login sh\nkey client {file}\ntells\n\
         authority 127.0.0.1 {} identity plain",
        other.port()
    );
    let builder = Vaultlet::builder().on_prompt(drop_line).client_id("of-settings");
    let prober = Prober::open(&plan, &[("PATH", "/usr/bin:/bin")], builder);
    let resources = vec!["a".to_owned(), "b".to_owned()];
    let lent = prober.vaultlet().lend(Lend { resources, ..Lend::default() }).unwrap();
    let variables = variables(&lent);
    assert_eq!(variables["LENT_AT"], lent.address());
    let secret = format!("secret: {}\r\n", variables["LENT_SECRET"]);
    let probe = |what: &str| get(lent.address(), &format!("/?{what}"), &secret).body;
    assert_eq!(probe("env=VAULTLET_LENT_AUTHORITY"), lent.address());
    assert_eq!(probe("env=VAULTLET_LENT_SECRET"), variables["LENT_SECRET"]);
    assert_eq!(probe("env=VAULTLET_LENT_RESOURCES"), "a,b");
    assert_eq!(probe("env=VAULTLET_CLIENT_ID"), "of-settings");
    let endpoint = probe("env=VAULTLET_IDENTITY_ENDPOINT");
    assert_eq!(endpoint, "http://identity.vaultlet.internal/token");
    for name in ["PROBER_PLAN", "PATH", "VAULTLET_ENDPOINT_SECRET"] {
        assert_eq!(probe(&format!("env={name}")), "unset", "{name}");
    }
    assert_eq!(probe(&format!("read={file}")), "not-permitted");
    assert_eq!(probe("tell=x"), "StreamError::Closed");
    for url in [
        format!("http://127.0.0.1:{}/", other.port()),
        "http://programs.vaultlet.internal/login".into(),
        "http://keys.vaultlet.internal/client".into(),
        "http://169.254.169.254/".into(),
    ] {
        assert_eq!(probe(&url), "ErrorCode::HttpRequestDenied", "{url}");
    }
    assert_eq!(
        probe(&format!("{endpoint}?env=PATH")),
        "answered 200",
        "except for the internal identity endpoint"
    );
    assert_eq!(other.connections(), 0);
    // Each lent endpoint has a secret of its own.
    let another = prober.vaultlet().lend(Lend::default()).unwrap();
    let secret = |lent: &Lent| lent.variables().iter().find(|(n, _)| n == "LENT_SECRET").cloned();
    assert_ne!(secret(&lent), secret(&another));
}

fn drop_line(_: &str) {}

#[test]
fn a_slow_identity_does_not_delay_another_child() {
    let gate = Gate::default();
    let held = gate.clone();
    let identity = Server::plain(move |request: &Request| {
        let token = r#"{"access_token":"e.y.J","expires_in":"86400","token_type":"Bearer"}"#;
        let answer = Answer::json(200, token);
        if request.target.contains(SLOW) { answer.behind(&held) } else { answer }
    });
    let endpoint = format!("http://127.0.0.1:{}/msi/token", identity.port());
    let environment = [("MSI_ENDPOINT", endpoint.as_str()), ("MSI_SECRET", "secret-of-lent")];
    let vaultlet = Vaultlet::builder().variables(environment).open().unwrap();
    let lent = vaultlet.lend(Lend::default()).unwrap();
    let variables = variables(&lent);
    let [(_, path, headers), ..] = protocols(&variables);
    let authority = lent.address().to_owned();
    let ask = move |more: &str| get(&authority, &format!("{path}?{VAULT}{more}"), &headers).status;
    let slow = {
        let ask = ask.clone();
        std::thread::spawn(move || ask(&format!("&client_id={SLOW}")))
    };
    identity.wait_for(1);
    // The gate is shut: requests that waited for the slow one would never end.
    for _ in 0..3 {
        assert_eq!(ask(""), 200);
    }
    assert!(!slow.is_finished());
    gate.open();
    assert_eq!(slow.join().unwrap(), 200);
}

#[test]
fn whoami_shows_the_identity_and_never_the_token() {
    let local = Local::builder().start().unwrap();
    let run = |arguments: &[&str]| {
        Run::vaultlet(arguments).environment(local.environment().iter().cloned()).end()
    };
    let ended = run(&["whoami", "-o", "json"]);
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""));
    let json: serde_json::Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(
        (&json["source"], &json["endpoint"]),
        (&"managed-identity".into(), &"azure-ml".into())
    );
    assert!(json["expiresOn"].is_u64() && json["notes"].is_array(), "{json}");
    ended.reveals_none_of(&[], true);
    let table = run(&["whoami"]);
    assert!(
        table.stdout.starts_with("source    managed-identity\nendpoint  azure-ml\n"),
        "{table:?}"
    );
    table.reveals_none_of(&[], true);
    for (arguments, code) in [(&["whoami", "--reveal"][..], 64), (&["whoami", "-o", "value"], 64)] {
        assert_eq!(run(arguments).code, code, "{arguments:?}");
    }
}

#[test]
fn a_program_runs_with_the_lent_variables() {
    let local = Local::builder().start().unwrap();
    let environment = || local.environment().iter().cloned();
    let program = vaultlet().display();
    // A lent endpoint gets its tokens from another one, found by the variables alone.
    let script = format!("test -z \"$AZURE_TENANT_ID\" && {program} token --reveal && exit 7");
    let ended = Run::vaultlet(["identity", "serve", "--", "sh", "-c", &script])
        .environment(environment())
        .environment([("AZURE_TENANT_ID", SLOW)])
        .end();
    assert_eq!((ended.code, ended.stderr.as_str()), (7, ""));
    assert!(ended.stdout.starts_with("eyJ"));
    assert_eq!(local.counters().identity_requests(), 1);
    let refused = Run::vaultlet(["identity", "serve", "--port", "0"]).end();
    assert_eq!(refused.code, 64, "{}", refused.stderr);
    let malformed =
        Run::vaultlet(["identity", "serve"]).environment([("VAULTLET_PORT", "x")]).end();
    assert_eq!(malformed.code, 78, "{}", malformed.stderr);
    assert!(malformed.stderr.contains("`VAULTLET_PORT`"), "{}", malformed.stderr);
}

#[test]
fn identity_serve_prints_its_variables_and_serves_until_it_is_interrupted() {
    let local = Local::builder().start().unwrap();
    let mut command = Command::new(vaultlet());
    command.args(["identity", "serve", "-o", "json", "--log", "debug"]).env_clear();
    command.envs(local.environment().iter().cloned()).stdin(Stdio::null());
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut child = Ending(child);
    let mut line = String::new();
    BufReader::new(child.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let json: serde_json::Value = serde_json::from_str(&line).unwrap();
    let variables: BTreeMap<String, String> = serde_json::from_value(json["env"].clone()).unwrap();
    let authority = json["authority"].as_str().unwrap();
    for (name, path, headers) in protocols(&variables) {
        let response = get(authority, &format!("{path}?{VAULT}"), &headers);
        assert_eq!(response.status, 200, "{name}");
    }
    let pid = child.0.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    assert_eq!(child.0.wait().unwrap().code(), Some(128 + 15));
    let mut errors = String::new();
    child.0.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
    assert!(
        !errors.contains(&variables["MSI_SECRET"]) && !errors.contains("eyJ"),
        "a secret is on stderr"
    );
}

struct Ending(Child);

impl Drop for Ending {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
