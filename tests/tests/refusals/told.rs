//! What a proxy, a vault or an identity endpoint said is told, with advice that follows from it.

use crate::*;

/// A proxy that answers CONNECT so.
const PROXY: Row = Row {
    network: &["--ca-file={ca}"],
    variables: &[BY_ENDPOINT, BY_SECRET, ("HTTPS_PROXY", "http://127.0.0.1:{vault}")],
    expected: (69, "unavailable", "vault-unreachable"),
    ..ROW
};

#[test]
fn a_proxy_that_does_not_connect_is_told_with_its_status_and_advice_of_its_own() {
    const CREDENTIALS: &[(&str, &str)] =
        &[BY_ENDPOINT, BY_SECRET, ("HTTPS_PROXY", "http://u:hidden@127.0.0.1:{vault}")];
    const DEAD: &[(&str, &str)] =
        &[BY_ENDPOINT, BY_SECRET, ("HTTPS_PROXY", "http://127.0.0.1:{refused}")];
    let raw = |name, bytes, says| Row { name, vault_behavior: Behavior::Raw(bytes), says, ..PROXY };
    refused(&[
        raw(
            "policy",
            b"HTTP/1.1 403 Blocked by policy\r\ncontent-length: 0\r\n\r\n",
            &[
                "the proxy 127.0.0.1",
                "it answered 403 Blocked by policy",
                "the proxy's policy",
                "NO_PROXY",
            ],
        ),
        raw(
            "legal reasons",
            b"HTTP/1.1 451 Unavailable\r\n\r\n",
            &["it answered 451", "the proxy's policy"],
        ),
        raw(
            "who asks",
            b"HTTP/1.1 407 Proxy Authentication Required\r\nproxy-authenticate: Basic\r\n\r\n",
            &["it answered 407", "put its user and password into the URL in `HTTPS_PROXY`"],
        ),
        Row {
            variables: CREDENTIALS,
            ..raw(
                "wrong password",
                b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n",
                &["it answered 407", "correct the user and the password in `HTTPS_PROXY`"],
            )
        },
        raw(
            "no such name",
            b"HTTP/1.1 502 Bad Gateway\r\ncontent-type: text/html\r\n\r\n<html>",
            &["it answered 502 Bad Gateway", "the proxy cannot reach this host"],
        ),
        raw(
            "no route",
            b"HTTP/1.1 503 Service Unavailable\r\n\r\n",
            &["it answered 503", "the proxy cannot reach this host"],
        ),
        raw(
            "late",
            b"HTTP/1.1 504 \r\n\r\n",
            &["it answered 504", "the proxy cannot reach this host"],
        ),
        raw(
            "no proxy at all",
            b"HTTP/1.1 405 Method Not Allowed\r\n\r\n",
            &["it answered 405", "is a proxy that allows CONNECT"],
        ),
        raw(
            "redirects",
            b"HTTP/1.1 302 Found\r\nlocation: http://login.example.test/\r\n\r\n",
            &["it answered 302", "is a proxy that allows CONNECT"],
        ),
        raw(
            "what a terminal obeys",
            "HTTP/1.1 403 a\u{202e}b\u{200b}c\r\n\r\n".as_bytes(),
            &["it answered 403"],
        ),
        Row {
            variables: &[
                ("AZURE_CLIENT_ID", "c0ffee00-0000-4000-8000-0000000000a1"),
                ("AZURE_TENANT_ID", "7e57de57-0000-4000-8000-00000000da7a"),
                ("AZURE_CLIENT_SECRET", CLIENT_SECRET),
                ("HTTPS_PROXY", "http://127.0.0.1:{vault}"),
            ],
            expected: (69, "unavailable", "authority-unreachable"),
            ..raw(
                "the token authority",
                b"HTTP/1.1 403 Forbidden\r\n\r\n",
                &["login.microsoftonline.com", "it answered 403 Forbidden", "the proxy's policy"],
            )
        },
        raw("nonsense", b"SSH-2.0-x\r\n", &["the proxy 127.0.0.1", "check `HTTPS_PROXY`"]),
        raw("nothing", b"", &["the proxy 127.0.0.1", "that the proxy is running"]),
        Row {
            name: "nobody there",
            variables: DEAD,
            says: &["the proxy 127.0.0.1", "refused", "that the proxy is running"],
            ..PROXY
        },
    ]);
}

#[test]
fn a_vault_is_told_in_its_own_words_without_what_a_terminal_obeys() {
    refused(&[
        Row {
            name: "unknown policy",
            vault: |_| {
                Answer::json(
                    403,
                    "{\"error\":{\"code\":\"Forbidden\",\"message\":\"The policy requires the caller to use on-behalf-of (OBO) flow.\",\"innererror\":{\"code\":\"ForbiddenByPolicy\"}}}",
                )
            },
            expected: (77, "denied", "vault-forbidden"),
            says: &["use on-behalf-of (OBO) flow", "authorized application", "ForbiddenByPolicy"],
            ..ROW
        },
        Row {
            name: "issuer",
            vault: |_| {
                Answer::json(401, "{\"error\":{\"code\":\"Unauthorized\",\"message\":\"AKV10032: Invalid issuer. Expected one of https://sts.windows.net/a/, found https://sts.windows.net/b/.\"}}")
                    .header("www-authenticate", "Bearer authorization=\"https://login.microsoftonline.com/t\", resource=\"https://vault.azure.net\"")
            },
            expected: (77, "denied", "vault-unauthorized"),
            says: &[
                "AKV10032",
                "https://sts.windows.net/a/",
                "https://sts.windows.net/b/",
                "tenant",
            ],
            ..ROW
        },
        Row {
            name: "login page",
            vault: |_| {
                Answer::status(200).header("content-type", "text/html").text("<html>log in</html>")
            },
            expected: (69, "unavailable", "vault-unexpected"),
            says: &["not JSON", "text/html"],
            ..ROW
        },
        Row {
            name: "another vault",
            vault: |_| {
                Answer::json(
                    200,
                    format!(
                        r#"{{"value":"{VALUE}","id":"http://evil.example.test:81/secrets/db-password"}}"#
                    ),
                )
            },
            expected: (69, "unavailable", "vault-unexpected"),
            says: &["another vault"],
            ..ROW
        },
        Row {
            name: "token type",
            identity: |_| {
                Answer::json(
                    200,
                    format!(
                        r#"{{"access_token":"{TOKEN}","expires_in":"86400","token_type":"pop"}}"#
                    ),
                )
            },
            expected: (69, "unavailable", "identity-unexpected"),
            says: &["token_type", "MSI_ENDPOINT"],
            requests: Some((1, 0)),
            ..ROW
        },
    ]);
    let row = Row {
        identity: |_| {
            Answer::status(400).text("no\u{202e} ide\u{200b}ntity\u{1b}[31m here\u{2066}")
        },
        ..ROW
    };
    let ended = Scene::new(&row).run(&row, &[]);
    assert!(ended.stderr.contains("no identity here"), "{:?}", ended.stderr);
    let odd = |c: char| c != '\n' && (c.is_control() || "\u{202e}\u{200b}\u{2066}".contains(c));
    assert!(!ended.stderr.contains(odd), "{:?}", ended.stderr);
}
