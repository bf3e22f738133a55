//! Failures of the identity endpoint: missing, down, refusing or malformed.

use super::*;

const UNAVAILABLE: &str = "unavailable";

#[test]
fn an_identity_endpoint_without_a_token_is_explained() {
    refused(&[
        Row {
            name: "the connection is refused",
            identity_behavior: Behavior::Refused,
            expected: (69, UNAVAILABLE, "identity-unreachable"),
            says: &["refused", "`MSI_ENDPOINT`", "127.0.0.1"],
            ..ROW
        },
        Row {
            name: "the secret is wrong, as Azure ML says it",
            identity: |_| {
                Answer::status(401).header("content-type", "text/plain").text("Unauthorized")
            },
            expected: (79, "unauthenticated", "identity-refused"),
            says: &["401", "`MSI_SECRET`"],
            requests: Some((1, 0)),
            ..ROW
        },
        Row {
            name: "the refusal repeats the secret",
            identity: |request| {
                let secret = request.header("secret");
                Answer::json(401, format!(r#"{{"error":{{"message":"not {secret}"}}}}"#))
            },
            expected: (79, "unauthenticated", "identity-refused"),
            says: &["`MSI_SECRET`"],
            ..ROW
        },
        Row {
            name: "no such identity",
            identity: |_| {
                let text = r#"{"error":{"code":"invalid_request","message":"Identity not found"}}"#;
                Answer::json(400, text)
            },
            flags: &["--client-id=11111111-1111-4111-8111-111111111111"],
            expected: (79, "unauthenticated", "identity-refused"),
            says: &["11111111-1111-4111-8111-111111111111", "`--client-id`", "Identity not found"],
            requests: Some((1, 0)),
            ..ROW
        },
        Row {
            name: "no such identity, by Azure's variable",
            identity: |_| Answer::json(400, r#"{"error":{"code":"invalid_request"}}"#),
            variables: &[
                BY_ENDPOINT,
                BY_SECRET,
                ("AZURE_CLIENT_ID", "22222222-2222-4222-8222-222222222222"),
            ],
            expected: (79, "unauthenticated", "identity-refused"),
            says: &["22222222-2222-4222-8222-222222222222", "`AZURE_CLIENT_ID`"],
            ..ROW
        },
        Row {
            name: "it redirects",
            identity: |request| {
                Answer::status(302)
                    .header("location", format!("http://{}/x", request.header("host")))
            },
            expected: (69, UNAVAILABLE, "identity-redirect"),
            says: &["302", "`MSI_ENDPOINT`"],
            requests: Some((1, 0)),
            ..ROW
        },
        Row {
            name: "a retry-after longer than the timeout",
            identity: |_| Answer::status(429).header("retry-after", "3600"),
            expected: (75, "throttled", "identity-throttled"),
            says: &["throttling"],
            requests: Some((1, 0)),
            ..ROW
        },
        Row {
            name: "it never responds",
            identity: |_| Answer::never(),
            flags: &["--timeout=2"],
            expected: (69, "timeout", "timeout"),
            says: &["--timeout"],
            ..ROW
        },
        Row {
            name: "its body stops half-way",
            identity: |_| Answer::status(200).text(r#"{"access_token":""#).silence(),
            flags: &["--timeout=2"],
            expected: (69, "timeout", "timeout"),
            says: &["--timeout"],
            ..ROW
        },
    ]);
}

#[test]
fn an_identity_endpoint_that_fails_after_several_attempts_is_reported() {
    refused(&[
        Row {
            name: "500",
            identity: |_| Answer::status(500).text("<html>oops</html>"),
            expected: (69, UNAVAILABLE, "identity-failed"),
            says: &["500"],
            requests: Some((4, 0)),
            ..ROW
        },
        Row {
            name: "503 with a date that has passed",
            identity: |_| {
                Answer::status(503).header("retry-after", "Wed, 21 Oct 2015 07:28:00 GMT")
            },
            expected: (69, UNAVAILABLE, "identity-failed"),
            says: &["503"],
            requests: Some((4, 0)),
            ..ROW
        },
    ]);
}

/// A status of 200 without a usable token. The body is never shown, as it may hold a token nevertheless.
#[test]
fn an_unexpected_response_of_an_identity_endpoint_is_not_quoted() {
    let nonsense: [(&str, fn(&Request) -> Answer); 13] = [
        ("text", |_| Answer::status(200).text("service is starting")),
        ("a page", |_| Answer::status(200).text("<html><body>login</body></html>")),
        ("nothing", |_| Answer::status(200)),
        ("JSON that ends early", |_| {
            Answer::json(200, format!(r#"{{"expires_in":9000,"access_token":"{TOKEN}""#))
        }),
        ("a list", |_| Answer::json(200, format!(r#"["{TOKEN}"]"#))),
        ("no token", |_| Answer::json(200, r#"{"expires_in":"86400"}"#)),
        ("a number as token", |_| Answer::json(200, r#"{"access_token":7,"expires_in":9000}"#)),
        ("an empty token", |_| Answer::json(200, r#"{"access_token":"","expires_in":9000}"#)),
        ("a token that would end its header", |_| {
            let text = format!(r#"{{"access_token":"{TOKEN}\r\nx: y","expires_in":9000}}"#);
            Answer::json(200, text)
        }),
        ("no expiry", |_| Answer::json(200, format!(r#"{{"access_token":"{TOKEN}"}}"#))),
        ("expired", |_| {
            Answer::json(200, format!(r#"{{"access_token":"{TOKEN}","expires_on":"1"}}"#))
        }),
        ("not UTF-8", |_| {
            Answer::status(200).bytes(&b"{\"access_token\":\"ab\xff\",\"expires_in\":9}"[..])
        }),
        ("a huge body", |_| Answer::json(200, token_text()).spaces(3 << 20)),
    ];
    let rows = nonsense.map(|(name, identity)| Row {
        name,
        identity,
        expected: (69, UNAVAILABLE, "identity-unexpected"),
        says: &["managed-identity", "127.0.0.1", "`MSI_ENDPOINT`"],
        requests: Some((1, 0)),
        ..ROW
    });
    refused(&rows);
}

#[test]
fn an_identity_endpoint_that_does_not_speak_http_is_reported() {
    refused(&[
        Row {
            name: "not HTTP",
            identity_behavior: Behavior::Raw(b"SSH-2.0-OpenSSH_9.9\r\n"),
            expected: (69, UNAVAILABLE, "identity-unreachable"),
            says: &["not HTTP", "`MSI_ENDPOINT`"],
            ..ROW
        },
        Row {
            name: "it hangs up",
            identity_behavior: Behavior::Raw(b""),
            expected: (69, UNAVAILABLE, "identity-unreachable"),
            says: &["`MSI_ENDPOINT`"],
            ..ROW
        },
        Row {
            name: "it hangs up inside the body",
            identity: |_| Answer::json(200, r#"{"access_token":""#).cut(),
            expected: (69, UNAVAILABLE, "identity-unreachable"),
            says: &["`MSI_ENDPOINT`"],
            ..ROW
        },
        Row {
            name: "headers without end",
            identity: |_| Answer::status(200).header("x-long", "x".repeat(300 << 10)),
            expected: (69, UNAVAILABLE, "identity-unreachable"),
            says: &["127.0.0.1", "`MSI_ENDPOINT`"],
            ..ROW
        },
    ]);
}

#[test]
fn the_error_lists_an_attempt_for_each_source() {
    let row = Row {
        name: "attempts",
        identity: |_| Answer::status(401),
        expected: (79, "unauthenticated", "identity-refused"),
        ..ROW
    };
    let error = check_json(&row, &Scene::new(&row).run(&row, &["-o", "json"]));
    let attempts = error["attempts"].as_array().unwrap();
    let of = |source: &str| attempts.iter().find(|attempt| attempt["source"] == source).unwrap();
    assert_eq!(of("environment")["outcome"], "not-configured");
    assert_eq!(of("workload-identity")["outcome"], "not-configured");
    assert_eq!(of("azureml-obo")["outcome"], "not-configured");
    let failed = of("managed-identity");
    assert_eq!((&failed["outcome"], &failed["endpoint"]), (&"failed".into(), &"azure-ml".into()));
    assert!(
        attempts.iter().all(|attempt| attempt["message"].as_str().is_some_and(|m| !m.is_empty()))
    );
}

fn token_text() -> String {
    format!(r#"{{"access_token":"{TOKEN}","expires_in":"86400"}}"#)
}
