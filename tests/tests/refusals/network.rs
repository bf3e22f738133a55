//! Failures on the way to the vault: names, addresses, certificates, proxies.

use vaultlet_tests::server::Server;

use super::*;

#[test]
fn a_vault_that_cannot_be_reached_is_reported() {
    refused(&[
        Row {
            name: "the connection is refused",
            vault_behavior: Behavior::Refused,
            expected: (69, "unavailable", "vault-unreachable"),
            says: &["refused", "job.vault.azure.net"],
            ..ROW
        },
        Row {
            name: "plain text where TLS was due",
            vault_behavior: Behavior::Plain,
            expected: (69, "unavailable", "vault-unreachable"),
            says: &["does not speak TLS", "job.vault.azure.net"],
            ..ROW
        },
        Row {
            name: "it hangs up before the handshake",
            vault_behavior: Behavior::Raw(b""),
            expected: (69, "unavailable", "vault-unreachable"),
            says: &["handshake"],
            ..ROW
        },
        Row {
            name: "not HTTP inside TLS",
            vault_behavior: Behavior::RawTls(b"220 mail.example.test ESMTP\r\n"),
            expected: (69, "unavailable", "vault-unreachable"),
            says: &["not HTTP"],
            ..ROW
        },
        Row {
            name: "it hangs up inside TLS",
            vault_behavior: Behavior::RawTls(b""),
            expected: (69, "unavailable", "vault-unreachable"),
            says: &["job.vault.azure.net"],
            ..ROW
        },
    ]);
}

#[test]
fn an_untrusted_certificate_is_explained() {
    let untrusted: [(&str, Behavior, &[&str]); 3] = [
        ("unknown CA", Behavior::UntrustedCa, &["not trusted here", "--ca-file"]),
        ("wrong name", Behavior::WrongName, &["for another name"]),
        ("expired", Behavior::Expired, &["expired"]),
    ];
    let rows = untrusted.map(|(name, vault_behavior, says)| Row {
        name,
        vault_behavior,
        expected: (78, "configuration", "certificate-untrusted"),
        says,
        // No request was sent, hence no token.
        requests: Some((1, 0)),
        ..ROW
    });
    refused(&rows);
}

#[test]
fn unusable_certificate_files_are_named() {
    let files: [(&str, &str, &[&str], &[(&str, &str)]); 5] = [
        ("missing", "no such file", &["--ca-file={folder}/missing.pem"], &[]),
        (
            "missing, by variable",
            "`VAULTLET_CA_FILE`",
            &[],
            &[("VAULTLET_CA_FILE", "{folder}/missing.pem")],
        ),
        ("missing roots", "`SSL_CERT_FILE`", &[], &[("SSL_CERT_FILE", "{folder}/missing.pem")]),
        ("no certificate in it", "certificate", &["--ca-file=/dev/null"], &[]),
        ("a folder", "`--ca-file`", &["--ca-file={folder}"], &[]),
    ];
    let rows = files.map(|(name, says, network, variables)| Row {
        name,
        network,
        variables,
        expected: (78, "configuration", "ca-file"),
        says: std::slice::from_ref(Box::leak(Box::new(says))),
        requests: Some((0, 0)),
        ..ROW
    });
    refused(&rows);
}

#[test]
fn an_unusable_proxy_is_named() {
    const CA: &[&str] = &["--ca-file={ca}"];
    const DENYING: fn(&Request) -> Answer = |_| Answer::status(403);
    refused(&[
        Row {
            name: "malformed",
            variables: &[("HTTPS_PROXY", "socks9://user:hidden@proxy:1")],
            expected: (78, "configuration", "setting-malformed"),
            says: &["`HTTPS_PROXY`"],
            ..ROW
        },
        Row {
            name: "the connection is refused",
            network: CA,
            variables: &[BY_ENDPOINT, BY_SECRET, ("HTTPS_PROXY", "http://127.0.0.1:{refused}")],
            expected: (69, "unavailable", "vault-unreachable"),
            says: &["proxy", "127.0.0.1", "refused"],
            ..ROW
        },
        Row {
            name: "it denies the request",
            network: CA,
            vault_behavior: Behavior::Plain,
            vault: DENYING,
            variables: &[
                BY_ENDPOINT,
                BY_SECRET,
                ("https_proxy", "http://u:hidden@127.0.0.1:{vault}"),
            ],
            expected: (69, "unavailable", "vault-unreachable"),
            says: &["proxy", "127.0.0.1"],
            ..ROW
        },
        Row {
            name: "it requires authentication",
            network: CA,
            vault_behavior: Behavior::Plain,
            vault: |_| Answer::status(407).header("proxy-authenticate", "Basic"),
            variables: &[BY_ENDPOINT, BY_SECRET, ("HTTPS_PROXY", "http://127.0.0.1:{vault}")],
            expected: (69, "unavailable", "vault-unreachable"),
            says: &["proxy", "authorization"],
            ..ROW
        },
    ]);
}

/// Only the proxy receives its password, and no message shows it.
#[test]
fn a_proxy_gets_requests_for_the_vault_only_and_its_password_is_not_shown() {
    let row = Row {
        network: &["--ca-file={ca}"],
        vault_behavior: Behavior::Plain,
        vault: |_| Answer::status(403),
        variables: &[
            BY_ENDPOINT,
            BY_SECRET,
            ("HTTPS_PROXY", "http://somebody:proxy-password@127.0.0.1:{vault}"),
            ("HTTP_PROXY", "http://127.0.0.1:{vault}"),
            ("http_proxy", "http://127.0.0.1:{vault}"),
        ],
        ..ROW
    };
    let scene = Scene::new(&row);
    let ended = scene.run(&row, &["--log=debug"]);
    ended.reveals_none_of(&["proxy-password", "cHJveHktcGFzc3dvcmQ", MSI_SECRET, TOKEN], true);
    let requests = scene.vault.as_ref().unwrap().requests();
    assert!(!requests.is_empty(), "{}", ended.stderr);
    for request in &requests {
        assert_eq!(
            (request.method.as_str(), &*request.target),
            ("CONNECT", "job.vault.azure.net:443")
        );
        assert_eq!(request.header("authorization"), "");
        assert_eq!(request.header("proxy-authorization"), "Basic c29tZWJvZHk6cHJveHktcGFzc3dvcmQ=");
    }
    assert_eq!(scene.identity.as_ref().map(Server::connections), Some(1));
}
