//! Trust in a server that a plan names: a pinned certificate or a private CA, with or without a proxy,
//! over TLS or in plain text.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;

use vaultlet_host::{Kind, TokenRequest, Vaultlet};
use vaultlet_tests::prober::Prober;
use vaultlet_tests::server::{Answer, Server};
use vaultlet_tests::tls::Ca;

const UNTRUSTED: &str = "ErrorCode::TlsCertificateError";
const DENIED: &str = "ErrorCode::HttpRequestDenied";
const ANSWERED: &str = "answered 204";

/// A TLS server that closes each connection, so that the next request makes a new one.
fn server(ca: &Ca, names: &[&str]) -> (Server, String) {
    let leaf = ca.leaf(names);
    let server = Server::tls(&leaf, |_| Answer::status(204).header("connection", "close"));
    (server, leaf.sha1().to_owned())
}

#[test]
fn only_the_pinned_certificate_is_trusted() {
    let ca = Ca::default();
    let (right, sha1) = server(&ca, &["some.cluster.internal"]);
    let (other, _) = server(&ca, &["127.0.0.1"]);
    let proxy = Server::plain(|_| Answer::status(200));
    let through = format!("http://127.0.0.1:{}", proxy.port());
    let plan = format!(
        "authority 127.0.0.1 {} identity pinned {sha1}\nauthority 127.0.0.1 {} identity pinned {sha1}",
        right.port(),
        other.port(),
    );
    // The handle trusts the CA of both servers, which must make no difference.
    let builder = Vaultlet::builder().ca_file(ca.file());
    let prober = Prober::open(&plan, &[("HTTPS_PROXY", &through)], builder);
    for _ in 0..2 {
        let result = prober.broker(&format!("https://127.0.0.1:{}/token", right.port()));
        assert_eq!(result, ANSWERED);
        let result = prober.broker(&format!("https://127.0.0.1:{}/token", other.port()));
        assert_eq!(result, UNTRUSTED);
    }
    assert_eq!((right.requests().len(), other.requests().len()), (2, 0), "something was sent");
    assert_eq!(other.connections(), 2);
    assert_eq!(proxy.connections(), 0, "a request went through the proxy");
}

#[test]
fn a_pinned_token_authority_is_not_reached_through_a_proxy() {
    let ca = Ca::default();
    let (right, sha1) = server(&ca, &["x"]);
    let proxy = Server::plain(|_| Answer::status(403));
    let through = format!("http://127.0.0.1:{}", proxy.port());
    let port = right.port();
    let plan = format!(
        "authority tokens.example.test 443 tokens pinned {sha1}\nauthority other.example.test 443 tokens"
    );
    let builder = Vaultlet::builder().resolve(format!("tokens.example.test:443:127.0.0.1:{port}"));
    let prober = Prober::open(&plan, &[("HTTPS_PROXY", &through)], builder);
    assert_eq!(prober.broker("https://tokens.example.test/"), ANSWERED);
    assert_eq!(proxy.connections(), 0);
    // Any other token authority is.
    assert_eq!(prober.broker("https://other.example.test/"), "ErrorCode::DestinationUnavailable");
    assert_eq!(proxy.connections(), 1);
}

#[test]
fn a_private_ca_is_read_for_each_connection() {
    let (ca, another) = (Ca::default(), Ca::default());
    let (server, _) = server(&ca, &["sni.cluster.internal"]);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    let at = format!("127.0.0.1 {} tokens private {}", server.port(), file.display());
    let named = Prober::new(&format!("authority {at} sni.cluster.internal"));
    let nameless = Prober::new(&format!("authority {at}"));
    let url = format!("https://127.0.0.1:{}/", server.port());
    assert_eq!(named.broker(&url), UNTRUSTED, "the file does not exist");
    fs::copy(another.file(), &file).unwrap();
    assert_eq!(named.broker(&url), UNTRUSTED, "another CA");
    fs::copy(ca.file(), &file).unwrap();
    assert_eq!(named.broker(&url), ANSWERED);
    assert_eq!(nameless.broker(&url), UNTRUSTED, "for another name");
    fs::copy(another.file(), &file).unwrap();
    assert_eq!(named.broker(&url), UNTRUSTED, "replaced");
    assert_eq!(server.requests().len(), 1);
}

/// The handle's roots do not apply to a server with roots in the plan, nor the plan's to others.
#[test]
fn roots_of_the_handle_and_of_the_plan_do_not_mix() {
    let (ca, private) = (Ca::default(), Ca::default());
    let (server, _) = server(&ca, &["127.0.0.1"]);
    let port = server.port();
    let builder = || Vaultlet::builder().ca_file(ca.file());
    let url = format!("https://127.0.0.1:{port}/");
    let file = private.file();
    let plan = format!("authority 127.0.0.1 {port} tokens private {}", file.display());
    assert_eq!(Prober::open(&plan, &[], builder()).broker(&url), UNTRUSTED);
    let plan = format!("authority 127.0.0.1 {port} tokens");
    assert_eq!(Prober::open(&plan, &[], builder()).broker(&url), ANSWERED);
}

#[test]
fn a_token_authority_is_never_link_local_and_needs_tls_off_loopback() {
    let here = Server::plain(|_| Answer::status(204));
    let port = here.port();
    let plan = format!(
        "authority 169.254.169.254 {port} tokens\n\
         authority 169.254.169.254 80 tokens plain\n\
         authority fe80::1 443 tokens\n\
         authority 168.63.129.16 443 tokens\n\
         authority 10.255.255.1 80 tokens plain\n\
         authority localhost {port} tokens plain"
    );
    let prober = Prober::new(&plan);
    for url in [
        format!("https://169.254.169.254:{port}/"),
        "http://169.254.169.254/".into(),
        "https://[fe80::1]/".into(),
        "https://168.63.129.16/".into(),
        "http://10.255.255.1/".into(),
    ] {
        assert_eq!(prober.broker(&url), DENIED, "{url}");
    }
    assert_eq!(prober.broker(&format!("http://localhost:{port}/")), ANSWERED);
}

/// A WASI error code cannot carry the cause, and another instance than the broker's reports the error;
/// the cause is in the message nevertheless.
#[test]
fn the_error_says_why_a_token_authority_is_not_trusted() {
    let ca = Ca::default();
    let untrusted = Server::tls(&ca.leaf(&["localhost"]), |_| Answer::status(500));
    let other_name = Server::tls(&ca.leaf(&["elsewhere.example.test"]), |_| Answer::status(500));
    let open = |port: u16, trusted: bool| {
        let authority = format!("https://localhost:{port}");
        let builder = Vaultlet::builder().identity("environment").variables([
            ("AZURE_AUTHORITY_HOST", authority.as_str()),
            ("AZURE_TENANT_ID", "11111111-1111-4111-8111-111111111111"),
            ("AZURE_CLIENT_ID", "22222222-2222-4222-8222-222222222222"),
            ("AZURE_CLIENT_SECRET", "client-secret-of-trust"),
        ]);
        if trusted { builder.ca_file(ca.file()) } else { builder }.open().unwrap()
    };
    for (vaultlet, expected) in [
        (open(untrusted.port(), false), "issued by an authority that is not trusted here"),
        (open(other_name.port(), true), "its certificate is for another name"),
    ] {
        // The second error comes from the cache.
        for _ in 0..2 {
            let error = vaultlet.token_blocking(TokenRequest::default()).unwrap_err();
            assert_eq!(error.kind, Kind::Configuration, "{error}");
            assert_eq!(error.id, "certificate-untrusted", "{error}");
            assert!(error.message.ends_with(expected), "{error}");
            assert!(!format!("{error:?}").contains("client-secret-of-trust"));
        }
    }
    assert_eq!(untrusted.requests().len() + other_name.requests().len(), 0, "something was sent");
}
