//! Many clients of a lent endpoint, honest and hostile ones, by the clock; and what they may ask for.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod client;

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use vaultlet_host::{Lend, Lent, Vaultlet};
use vaultlet_tests::client::send;
use vaultlet_tests::server::{Answer, Request, Server};

use client::{Client, Lender};

const ASK: &str = "resource=https%3A%2F%2Fvault.azure.net";
const A: &str = "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa";
const B: &str = "bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb";
const TOKEN: &str = r#"{"access_token":"e.y.J","expires_in":"86400","token_type":"Bearer"}"#;

/// An identity endpoint that takes so long for each token.
fn identity(slow: Duration) -> Server {
    Server::plain(move |_: &Request| {
        if !slow.is_zero() {
            std::thread::sleep(slow);
        }
        Answer::json(200, TOKEN)
    })
}

fn environment(identity: &Server) -> Vec<(String, String)> {
    let endpoint = format!("http://127.0.0.1:{}/msi/token", identity.port());
    vec![("MSI_ENDPOINT".into(), endpoint), ("MSI_SECRET".into(), "secret-of-lent".into())]
}

fn lent(identity: &Server, lend: Lend) -> (Lent, Client) {
    let vaultlet = Vaultlet::builder().variables(environment(identity)).open().unwrap();
    let lent = vaultlet.lend(lend).unwrap();
    let client = Client::new(&lent.variables().iter().cloned().collect());
    (lent, client)
}

/// Sockets for a thousand clients and their server in one process.
fn raise_descriptors() {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    let enough = maximum.map_or(8_192, |most| most.min(8_192));
    setrlimit(Resource::Nofile, Rlimit { current: Some(enough), maximum }).unwrap();
}

/// Microsoft's SDKs keep their connection. The limit of file descriptors is for fewer than there are.
#[test]
fn connections_that_are_kept_do_not_keep_out_others() {
    let identity = identity(Duration::ZERO);
    let lender = Lender::start(400, &environment(&identity), &[]);
    raise_descriptors();
    let mut kept = Vec::new();
    for at in 0..600 {
        let mut connection = lender.client.connect();
        let took = connection.token();
        assert!(took < Duration::from_secs(1), "the client {at} waited for {took:?}");
        kept.push(connection);
    }
    // The newest ones are still connected.
    for connection in kept.iter_mut().rev().take(50) {
        connection.token();
    }
    assert_eq!(identity.requests().len(), 1);
}

#[test]
fn no_honest_client_waits_longer_than_the_identity() {
    const SLOW: Duration = Duration::from_secs(2);
    const CLIENTS: usize = 1_000;
    raise_descriptors();
    let identity = identity(SLOW);
    let (_lent, client) = lent(&identity, Lend::default());
    let longest = std::thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|_| {
                let client = &client;
                std::thread::Builder::new().stack_size(128 << 10).spawn_scoped(scope, move || {
                    let mut connection = client.connect();
                    (0..3).map(|_| connection.token()).max().unwrap()
                })
            })
            .collect();
        clients.into_iter().map(|client| client.unwrap().join().unwrap()).max().unwrap()
    });
    assert!(longest < SLOW + Duration::from_secs(1), "{longest:?}");
    assert_eq!(identity.requests().len(), 1);
}

/// Without the secret a connection costs nobody else more than a moment.
#[test]
fn hostile_connections_do_not_delay_an_honest_request() {
    const EACH: usize = 200;
    let identity = identity(Duration::ZERO);
    raise_descriptors();
    for descriptors in [1_000, 4_000] {
        let lender = Lender::start(descriptors, &environment(&identity), &[]);
        let client = &lender.client;
        assert_eq!(client.ask(ASK, "").0, 200);
        let (ended, begun) = (&AtomicBool::new(false), &AtomicUsize::new(0));
        std::thread::scope(|scope| {
            let small = || std::thread::Builder::new().stack_size(128 << 10);
            let hostile = |run: fn(&Client, &AtomicBool)| {
                for _ in 0..EACH {
                    small()
                        .spawn_scoped(scope, move || {
                            begun.fetch_add(1, Ordering::SeqCst);
                            run(client, ended);
                        })
                        .unwrap();
                }
            };
            hostile(silent);
            hostile(slow);
            hostile(reconnecting);
            while begun.load(Ordering::SeqCst) < 3 * EACH {
                std::thread::yield_now();
            }
            let until = Instant::now() + Duration::from_secs(7);
            let mut longest = Duration::ZERO;
            while Instant::now() < until {
                let asked = Instant::now();
                assert_eq!(client.ask(ASK, "").0, 200);
                longest = longest.max(asked.elapsed());
            }
            ended.store(true, Ordering::SeqCst);
            assert!(longest < Duration::from_secs(1), "{descriptors}: {longest:?}");
        });
    }
}

/// Connects, and waits until the other side closes; again until the end.
fn silent(client: &Client, ended: &AtomicBool) {
    while !ended.load(Ordering::SeqCst) {
        let Ok(mut stream) = TcpStream::connect(&client.address) else { continue };
        stream.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
        while !ended.load(Ordering::SeqCst) && waits(&mut stream) {}
    }
}

/// Sends a header section byte by byte.
fn slow(client: &Client, ended: &AtomicBool) {
    while !ended.load(Ordering::SeqCst) {
        let Ok(mut stream) = TcpStream::connect(&client.address) else { continue };
        stream.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
        let _ = stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\nx: ");
        while !ended.load(Ordering::SeqCst) && waits(&mut stream) && stream.write_all(b"y").is_ok()
        {
        }
    }
}

/// Connects again as soon as it was refused, with a request that has no secret and a body that never comes.
fn reconnecting(client: &Client, ended: &AtomicBool) {
    while !ended.load(Ordering::SeqCst) {
        let Ok(mut stream) = TcpStream::connect(&client.address) else { continue };
        let _ = stream.write_all(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n");
        let _ = stream.read_to_end(&mut Vec::new());
    }
}

/// Whether the connection is open, after a while.
fn waits(stream: &mut TcpStream) -> bool {
    match stream.read(&mut [0; 64]) {
        Ok(read) => read > 0,
        Err(error) => {
            matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut)
        }
    }
}

#[test]
fn a_connection_that_shows_nothing_is_closed_after_seconds() {
    let identity = identity(Duration::ZERO);
    let (_lent, client) = lent(&identity, Lend::default());
    let sent = ["", "G", "GET / HTTP/1.1\r\nhost: x\r\n", "GET / HTTP/1.1\r\nhost: x\r\nx: y"];
    std::thread::scope(|scope| {
        for sent in sent {
            let client = &client;
            scope.spawn(move || {
                let begun = Instant::now();
                let mut stream = TcpStream::connect(&client.address).unwrap();
                stream.write_all(sent.as_bytes()).unwrap();
                let _ = stream.read_to_end(&mut Vec::new());
                assert!(
                    begun.elapsed() < Duration::from_secs(8),
                    "{sent:?}: {:?}",
                    begun.elapsed()
                );
            });
        }
    });
    // One that has shown the secret is kept for longer.
    let mut kept = client.connect();
    kept.token();
    kept.stream.get_mut().set_read_timeout(Some(Duration::from_secs(7))).unwrap();
    assert!(kept.stream.read(&mut [0]).is_err(), "it was closed");
    kept.token();
}

/// A request without the secret is refused before its body is read.
#[test]
fn a_body_is_read_only_after_the_secret_was_shown() {
    let identity = identity(Duration::ZERO);
    let (_lent, client) = lent(&identity, Lend::default());
    for headers in ["", "x-identity-header: 0\r\n", "transfer-encoding: chunked\r\n"] {
        let begun = Instant::now();
        let length = if headers.contains("chunked") { "" } else { "content-length: 60000\r\n" };
        let text = format!("POST /msi/token HTTP/1.1\r\nhost: x\r\n{headers}{length}\r\n");
        let response = send(&client.address, &text);
        assert_eq!((response.status, response.body.as_str()), (401, ""), "{headers:?}");
        assert!(begun.elapsed() < Duration::from_secs(2), "{headers:?}: {:?}", begun.elapsed());
    }
}

#[test]
fn a_header_section_has_at_most_32_kib() {
    const MOST: usize = 32 << 10;
    let identity = identity(Duration::ZERO);
    let (_lent, client) = lent(&identity, Lend::default());
    let Client { address, headers } = &client;
    let request = |length: usize, padding: char| {
        let before = format!(
            "GET /msi/token?{ASK} HTTP/1.1\r\nhost: {address}\r\n{headers}connection: close\r\nx: "
        );
        let more = length - before.len() - "y\r\n\r\n".len();
        format!("{before}{}y\r\n\r\n", padding.to_string().repeat(more))
    };
    for padding in ['x', ' '] {
        for (length, status) in [
            (1 << 10, 200),
            (MOST - 1, 200),
            (MOST, 200),
            (MOST + 1, 431),
            (MOST + 100, 431),
            (36 << 10, 431),
            (40 << 10, 431),
            (60 << 10, 431),
            (64 << 10, 431),
            (200 << 10, 431),
        ] {
            let response = send(address, &request(length, padding));
            assert_eq!(response.status, status, "{length} {padding:?}");
        }
    }
    // Each request of a kept connection has as much.
    let twice = request(MOST, 'x').replace("connection: close", "connection: alive");
    let twice = format!("{twice}{}", request(MOST, 'x'));
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(twice.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert_eq!(answer.matches("HTTP/1.1 200").count(), 2, "{answer}");
}

#[test]
fn many_spellings_and_no_cache_are_one_request_of_the_identity() {
    let identity = identity(Duration::ZERO);
    let (_lent, client) = lent(&identity, Lend::default());
    for at in 0..100u32 {
        // Each letter in either case, slashes, the scope's form, percent-encoding.
        let letters = "https://vault.azure.net".chars().enumerate();
        let host: String = letters
            .map(|(i, c)| if at >> (i % 7) & 1 == 1 { c.to_ascii_uppercase() } else { c })
            .collect();
        let slashes = "/".repeat((at % 4) as usize);
        let end = if at % 3 == 0 { "/.default" } else { "" };
        let spelled = format!("{host}{slashes}{end}");
        let encoded: String =
            spelled
                .bytes()
                .map(|b| {
                    if u32::from(b) % 5 == at % 5 {
                        format!("%{b:02x}")
                    } else {
                        (b as char).into()
                    }
                })
                .collect();
        let (status, body) = client.ask(&format!("resource={encoded}"), "");
        assert_eq!(status, 200, "{encoded}: {body}");
    }
    assert_eq!(identity.requests().len(), 1);
    for control in ["no-cache", "No-Cache", "no-store, no-cache", "max-age=0"] {
        for _ in 0..50 {
            assert_eq!(client.ask(ASK, &format!("cache-control: {control}\r\n")).0, 200);
        }
    }
    // A token is new for some seconds.
    let requests = identity.requests().len();
    assert!(requests < 10, "{requests}");
    let before = requests;
    for id in [A.to_owned(), A.to_uppercase(), A.replace('-', "%2D")] {
        assert_eq!(client.ask(&format!("{ASK}&client_id={id}"), "").0, 200, "{id}");
    }
    assert_eq!(identity.requests().len(), before + 1);
}

/// The lender's choice of an identity, by flag or variable, is the only identity that is lent.
#[test]
fn only_the_identity_that_the_lender_named_is_lent() {
    let identity = identity(Duration::ZERO);
    let by_variable = |name: &str, value: &str| {
        let mut environment = environment(&identity);
        environment.push((name.into(), value.into()));
        environment
    };
    let ml = "DEFAULT_IDENTITY_CLIENT_ID";
    let resource = "/subscriptions/s/resourcegroups/g/providers/Microsoft.ManagedIdentity/x";
    let flags = |flags: &[&'static str]| flags.to_vec();
    for (environment, arguments, own) in [
        (environment(&identity), flags(&["--client-id", A]), Some(format!("client_id={A}"))),
        (environment(&identity), flags(&["--object-id", A]), Some(format!("object_id={A}"))),
        (environment(&identity), flags(&["--resource-id", resource]), None),
        (by_variable("VAULTLET_CLIENT_ID", A), vec![], Some(format!("client_id={A}"))),
        (by_variable("VAULTLET_OBJECT_ID", A), vec![], Some(format!("object_id={A}"))),
        (by_variable("AZURE_CLIENT_ID", A), vec![], Some(format!("client_id={A}"))),
        (by_variable(ml, A), vec![], Some(format!("client_id={A}"))),
    ] {
        let lender = Lender::start(400, &environment, &arguments);
        let said = format!("{arguments:?}");
        let own = own.unwrap_or_else(|| format!("mi_res_id={resource}"));
        for query in
            [ASK.to_owned(), format!("{ASK}&{own}"), format!("{ASK}&{}", own.to_lowercase())]
        {
            let (status, body) = lender.client.ask(&query, "");
            // A source may not be able to carry this kind of id; that is not the endpoint's refusal.
            assert!(status == 200 || !body.contains("--any-identity"), "{said} {query}: {body}");
        }
        let before = identity.requests().len();
        for other in [
            format!("client_id={B}"),
            format!("object_id={B}"),
            format!("principal_id={B}"),
            "mi_res_id=/subscriptions/other".into(),
            "msi_res_id=/subscriptions/other".into(),
            "resource_id=/subscriptions/other".into(),
        ] {
            for _ in 0..2 {
                let (status, body) = lender.client.ask(&format!("{ASK}&{other}"), "");
                assert_eq!(status, 400, "{said} {other}: {body}");
                assert!(body.contains("(identity-id-unsupported)"), "{said} {other}: {body}");
                assert!(body.contains("--any-identity"), "{said} {other}: {body}");
            }
        }
        assert_eq!(identity.requests().len(), before, "{said}: the identity was asked");
    }
    let any = by_variable("VAULTLET_ANY_IDENTITY", "true");
    for (environment, arguments) in [
        (environment(&identity), vec!["--client-id", A, "--any-identity"]),
        (any, vec!["--client-id", A]),
        (environment(&identity), vec![]),
    ] {
        let lender = Lender::start(400, &environment, &arguments);
        let (status, body) = lender.client.ask(&format!("{ASK}&client_id={B}"), "");
        assert_eq!(status, 200, "{arguments:?}: {body}");
        let last = identity.requests().last().unwrap().target.clone();
        assert!(last.contains(B), "{last}");
    }
}

#[test]
fn the_library_lends_the_named_identity_or_any() {
    let identity = identity(Duration::ZERO);
    for (any_identity, expected) in [(false, 400), (true, 200)] {
        let builder = Vaultlet::builder().variables(environment(&identity)).client_id(A);
        let vaultlet = builder.open().unwrap();
        let lent = vaultlet.lend(Lend { any_identity, ..Lend::default() }).unwrap();
        let client = Client::new(&lent.variables().iter().cloned().collect());
        assert_eq!(client.ask(&format!("{ASK}&client_id={B}"), "").0, expected);
        assert_eq!(client.ask(&format!("{ASK}&client_id={A}"), "").0, 200);
        assert_eq!(client.ask(ASK, "").0, 200);
    }
    let own = identity.requests().iter().filter(|asked| asked.target.contains(A)).count();
    assert_eq!(own, 2, "one request for each handle");
}
