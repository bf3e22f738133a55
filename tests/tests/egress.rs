//! The egress policy: a prober in the guest's place tries to reach forbidden servers, and test servers
//! stand where a leaked request would arrive.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::io::{Read as _, Write as _};
use std::net::{IpAddr, TcpListener};
use std::process::Command;
use std::sync::mpsc;
use std::time::Duration;

use vaultlet_host::{Builder, Vaultlet};
use vaultlet_tests::guests::guest;
use vaultlet_tests::sandbox::{in_namespace, skipped};
use vaultlet_tests::server::{Answer, Server};

const DENIED: &str = "ErrorCode::HttpRequestDenied";

#[test]
fn the_vault_role_reaches_only_its_planned_server() {
    let planned = Server::plain(|_| Answer::status(204));
    let other = Server::plain(|_| Answer::status(204));
    let (at, elsewhere) = (planned.port(), other.port());
    let vaultlet = prober(
        // Leaks to these names would arrive at the other server.
        ["169.254.169.254:80", "evil.example.test:80", "evil.example.test:443", "10.0.0.4:80"]
            .into_iter()
            .chain(["identity.vaultlet.internal:80", "identity.vaultlet.internal:443"])
            .fold(Vaultlet::builder(), |builder, authority| {
                builder.resolve(format!("{authority}:127.0.0.1:{elsewhere}"))
            }),
    );
    let probe = |url: &str| probe(&vaultlet, &format!("127.0.0.1:{at}"), url);
    assert_eq!(probe(&format!("http://127.0.0.1:{at}/secrets/x")), "answered 204");
    for url in [
        "http://169.254.169.254/metadata/identity/oauth2/token".to_owned(),
        "http://evil.example.test/".into(),
        "https://evil.example.test/".into(),
        "http://10.0.0.4/".into(),
        // The same machine by another port, scheme or name.
        format!("http://127.0.0.1:{elsewhere}/"),
        format!("https://127.0.0.1:{at}/"),
        format!("http://localhost:{at}/"),
        format!("http://job.localhost:{at}/"),
        format!("http://127.0.0.2:{at}/"),
        format!("http://[::1]:{at}/"),
        format!("http://[::ffff:127.0.0.1]:{at}/"),
        format!("http://127.1:{at}/"),
        format!("http://2130706433:{at}/"),
        format!("http://127.0.0.1.:{at}/"),
        "http://127.0.0.1/".into(),
        // The endpoint inside the host has one scheme and one port.
        "https://identity.vaultlet.internal/token".into(),
        "http://identity.vaultlet.internal:8080/token".into(),
    ] {
        let result = probe(&url);
        assert!(result.starts_with(DENIED), "{url}: {result}");
    }
    // A malformed URL sends nothing either; any error will do.
    for url in [format!("http://127.0.0.1:{at}@evil.example.test/"), "ftp://127.0.0.1/".into()] {
        let result = probe(&url);
        assert!(!result.starts_with("answered"), "{url}: {result}");
    }
    assert_eq!((planned.requests().len(), planned.connections()), (1, 1));
    assert_eq!(other.connections(), 0, "a server received a connection");
}

/// Probes from a broker whose plan names no server, and from the planner, which may reach none.
#[test]
fn other_roles_do_not_reach_the_vault() {
    let vault = Server::plain(|_| Answer::status(204));
    let leak = Server::plain(|_| Answer::status(204));
    let names = ["169.254.169.254", "identity.vaultlet.internal"];
    let vaultlet = prober(names.into_iter().fold(Vaultlet::builder(), |builder, name| {
        builder.resolve(format!("{name}:80:127.0.0.1:{}", leak.port()))
    }));
    let planned = format!("127.0.0.1:{}", vault.port());
    for role in ["plan", "broker"] {
        for url in [
            format!("http://{planned}/secrets/x"),
            "http://identity.vaultlet.internal/token".into(),
            "http://169.254.169.254/metadata".into(),
        ] {
            let result = probe(&vaultlet, &planned, &format!("{role}:{url}"));
            assert!(result.starts_with(DENIED), "{role} {url}: {result}");
        }
    }
    assert_eq!((vault.connections(), leak.connections()), (0, 0), "a server received a connection");
}

/// The egress policy checks the addresses that an allowed name resolves to.
#[test]
fn a_planned_name_that_resolves_to_a_local_address_is_denied() {
    const HOSTS: [(&str, &[&str]); 9] = [
        ("loop.example.test", &["127.0.0.1"]),
        ("loop-other.example.test", &["127.9.9.9"]),
        ("loop6.example.test", &["::1"]),
        ("link-local.example.test", &["169.254.169.254"]),
        ("link-local6.example.test", &["fe80::1"]),
        ("platform.example.test", &["168.63.129.16"]),
        ("nowhere.example.test", &["0.0.0.0"]),
        ("notlocalhost", &["127.0.0.1"]),
        ("both-bad.example.test", &["127.0.0.1", "169.254.169.254"]),
    ];
    const GOOD: [(&str, &[&str]); 2] = [
        ("private.example.test", &["10.20.30.40"]),
        ("mixed.example.test", &["127.0.0.1", "10.20.30.40"]),
    ];
    let lines: String = HOSTS
        .iter()
        .chain(&GOOD)
        .flat_map(|(name, addresses)| addresses.iter().map(move |a| format!("{a} {name}\\n")))
        .collect();
    let setup = format!(
        "ip link set lo up
        ip link add v0 type veth peer name v1
        ip addr add 10.20.30.40/24 dev v0
        ip addr add 168.63.129.16/32 dev lo
        ip addr add 169.254.169.254/32 dev lo
        ip link set v0 up
        ip link set v1 up
        hosts=$(mktemp); printf '127.0.0.1 localhost\\n{lines}' > $hosts
        mount --bind $hosts /etc/hosts; rm $hosts"
    );
    if !inside(&setup, "a_planned_name_that_resolves_to_a_local_address_is_denied") {
        return;
    }
    let (port, arrived) = listen_everywhere();
    let vaultlet = prober(Vaultlet::builder());
    for (name, addresses) in HOSTS {
        let planned = format!("{name}:{port}");
        let result = probe(&vaultlet, &planned, &format!("http://{planned}/"));
        assert!(result.starts_with(DENIED), "{name}: {result}");
        assert!(
            addresses.iter().any(|a| result.contains(a)),
            "{name}: the address is not named: {result}"
        );
    }
    // Connections arrive in order, so a leaked one would be seen before these.
    for (name, _) in GOOD {
        let planned = format!("{name}:{port}");
        let result = probe(&vaultlet, &planned, &format!("http://{planned}/"));
        assert_eq!(result, "answered 204", "{name}: private endpoints need this");
        let address: IpAddr = arrived.recv_timeout(Duration::from_secs(60)).unwrap();
        assert_eq!(address.to_canonical().to_string(), "10.20.30.40", "{name}");
    }
    assert!(arrived.try_recv().is_err(), "a server received a connection");
}

/// Runs the calling test a second time, in a namespace. True inside the namespace, false outside.
fn inside(setup: &str, test: &str) -> bool {
    const INSIDE: &str = "VAULTLET_TESTS_INSIDE";
    if std::env::var_os(INSIDE).is_some() {
        return true;
    }
    // The prober is built here, as the namespace has no network.
    guest("prober");
    let own = std::env::current_exe().unwrap();
    let command = [own.as_os_str(), test.as_ref(), "--exact".as_ref(), "--nocapture".as_ref()];
    match in_namespace(setup, command) {
        None => skipped(test, "no network namespace is permitted here"),
        Some((program, arguments)) => {
            let output = Command::new(program).args(arguments).env(INSIDE, "1").output().unwrap();
            let text = String::from_utf8_lossy(&output.stdout);
            let errors = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "in its namespace:\n{text}\n{errors}");
            assert!(text.contains("1 passed"), "the test did not run: {text}");
        }
    }
    false
}

/// A server that responds with 204 on every address, and reports the address of each connection.
fn listen_everywhere() -> (u16, mpsc::Receiver<IpAddr>) {
    let listener = TcpListener::bind("[::]:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (sender, arrived) = mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let _ = sender.send(stream.local_addr().unwrap().ip());
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n");
        }
    });
    (port, arrived)
}

fn prober(builder: Builder) -> Vaultlet {
    let component = std::fs::read(guest("prober")).unwrap();
    let nothing: [(&str, &str); 0] = [];
    builder.variables(nothing).component(component).open().unwrap()
}

fn probe(vaultlet: &Vaultlet, planned: &str, url: &str) -> String {
    let error = vaultlet.get_blocking(&format!("{planned} {url}")).unwrap_err();
    assert_eq!(error.id, "probed", "{url}: {error}");
    error.message
}
