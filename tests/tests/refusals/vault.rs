//! Failures of the vault: it refuses, is not a vault, or demands a token for a foreign resource.

use vaultlet_host::{Kind, Vaultlet};

use super::*;

#[test]
fn a_refusal_of_the_vault_is_explained() {
    refused(&[
        Row {
            name: "no role",
            vault: |_| fault(403, "Forbidden", Some("ForbiddenByRbac")),
            expected: (77, "denied", "vault-forbidden"),
            says: &[
                "db-password",
                "job.vault.azure.net",
                "ForbiddenByRbac",
                "Key Vault Secrets User",
            ],
            requests: Some((1, 1)),
            ..ROW
        },
        Row {
            name: "no access policy",
            vault: |_| fault(403, "Forbidden", Some("AccessDenied")),
            expected: (77, "denied", "vault-forbidden"),
            says: &["AccessDenied"],
            ..ROW
        },
        Row {
            name: "firewall",
            vault: |_| fault(403, "Forbidden", Some("ForbiddenByFirewall")),
            expected: (77, "denied", "vault-firewall"),
            says: &["firewall", "ForbiddenByFirewall"],
            requests: Some((1, 1)),
            ..ROW
        },
        Row {
            name: "a page of a firewall",
            vault: |_| Answer::status(403).text("<html>blocked</html>"),
            expected: (77, "denied", "vault-forbidden"),
            says: &["job.vault.azure.net"],
            ..ROW
        },
        Row {
            name: "no such secret",
            vault: |_| fault(404, "SecretNotFound", None),
            expected: (66, "not-found", "secret-not-found"),
            says: &["db-password", "job.vault.azure.net"],
            requests: Some((1, 1)),
            ..ROW
        },
        Row {
            name: "disabled",
            vault: |_| fault(403, "Forbidden", Some("SecretDisabled")),
            expected: (66, "disabled", "secret-disabled"),
            says: &["disabled", "enable"],
            ..ROW
        },
        Row {
            name: "a conflict",
            vault: |_| fault(409, "Conflict", Some("ObjectIsBeingDeleted")),
            expected: (73, "conflict", "vault-conflict"),
            says: &["ObjectIsBeingDeleted"],
            ..ROW
        },
        Row {
            name: "a retry-after longer than the timeout",
            vault: |_| fault(429, "Throttled", None).header("retry-after", "3600"),
            expected: (75, "throttled", "vault-throttled"),
            says: &["wait"],
            requests: Some((1, 1)),
            ..ROW
        },
        Row {
            name: "it refuses a token for the right resource",
            vault: |_| {
                let challenge = r#"Bearer authorization="https://login.example.test/t", resource="https://vault.azure.net""#;
                Answer::status(401).header("www-authenticate", challenge)
            },
            expected: (77, "denied", "vault-unauthorized"),
            says: &["tenant"],
            ..ROW
        },
    ]);
}

#[test]
fn a_server_that_is_not_a_vault_is_reported() {
    let nonsense: [(&str, fn(&Request) -> Answer); 14] = [
        ("404 of a web server", |_| Answer::status(404).text("<html>Not Found</html>")),
        ("404 of another service", |_| fault(404, "ResourceNotFound", None)),
        ("text", |_| Answer::status(200).text(VALUE)),
        ("nothing", |_| Answer::status(200)),
        ("no content", |_| Answer::status(204)),
        ("JSON that ends early", |_| Answer::json(200, format!(r#"{{"value":"{VALUE}""#))),
        ("two values", |_| Answer::json(200, format!(r#"{{"value":"{VALUE}"}} {{}}"#))),
        ("no value", |_| {
            Answer::json(200, r#"{"id":"https://job.vault.azure.net/secrets/db-password"}"#)
        }),
        ("a number as value", |_| Answer::json(200, r#"{"value":7}"#)),
        ("null as value", |_| Answer::json(200, r#"{"value":null}"#)),
        ("a list", |_| Answer::json(200, format!(r#"[{{"value":"{VALUE}"}}]"#))),
        ("not UTF-8", |_| {
            Answer::status(200).bytes(&b"{\"value\":\"correct horse battery staple\xff\"}"[..])
        }),
        ("another secret", |_| {
            let id = "https://job.vault.azure.net/secrets/other/0123456789abcdef0123456789abcdef";
            Answer::json(200, format!(r#"{{"value":"{VALUE}","id":"{id}"}}"#))
        }),
        ("a huge body", |_| Answer::json(200, format!(r#"{{"value":"{VALUE}"}}"#)).spaces(3 << 20)),
    ];
    let rows = nonsense.map(|(name, vault)| Row {
        name,
        vault,
        expected: (69, "unavailable", "vault-unexpected"),
        says: &["db-password", "job.vault.azure.net"],
        requests: Some((1, 1)),
        ..ROW
    });
    refused(&rows);
}

#[test]
fn a_slow_or_interrupted_response_of_a_vault_is_reported() {
    refused(&[
        Row {
            name: "it never responds",
            vault: |_| Answer::never(),
            flags: &["--timeout=2"],
            expected: (69, "timeout", "timeout"),
            says: &["--timeout"],
            ..ROW
        },
        Row {
            name: "its body stops half-way",
            vault: |_| Answer::json(200, r#"{"value":"cor"#).silence(),
            flags: &["--timeout=2"],
            expected: (69, "timeout", "timeout"),
            says: &["--timeout"],
            ..ROW
        },
        Row {
            name: "it hangs up inside the body",
            vault: |_| Answer::json(200, r#"{"value":"cor"#).cut(),
            expected: (69, "unavailable", "vault-unreachable"),
            says: &["job.vault.azure.net"],
            ..ROW
        },
        Row {
            name: "it fails at every attempt",
            vault: |_| Answer::status(500),
            expected: (69, "unavailable", "vault-failed"),
            says: &["500"],
            requests: Some((1, 4)),
            ..ROW
        },
        Row {
            name: "it throttles every attempt",
            vault: |_| Answer::status(429).header("retry-after", "0"),
            expected: (75, "throttled", "vault-throttled"),
            requests: Some((1, 4)),
            ..ROW
        },
    ]);
}

/// The other host name leads to the same server, so a followed redirect would be counted.
#[test]
fn a_redirect_is_never_followed() {
    let redirects: [(&str, fn(&Request) -> Answer); 5] = [
        ("301", |_| elsewhere(301, "https://other.vault.azure.net/secrets/db-password")),
        ("302", |_| elsewhere(302, "https://other.vault.azure.net/secrets/db-password")),
        ("307", |_| elsewhere(307, "https://other.vault.azure.net/secrets/db-password")),
        ("308 to itself", |_| elsewhere(308, "/secrets/other")),
        ("302 to plain text", |_| elsewhere(302, "http://job.vault.azure.net/secrets/db-password")),
    ];
    let rows = redirects.map(|(name, vault)| Row {
        name,
        vault,
        expected: (69, "unavailable", "vault-redirect"),
        says: &["another address"],
        requests: Some((1, 1)),
        ..ROW
    });
    refused(&rows);
}

/// The first request to a vault without a known suffix has no token.
#[test]
fn a_challenge_is_accepted_only_for_the_resource_of_the_vault() {
    const FOREIGN: (i32, &str, &str) = (78, "configuration", "challenge-refused");
    let challenges: [(&str, fn(&Request) -> Answer, (i32, &str, &str)); 11] = [
        ("foreign", |_| challenge(r#"resource="https://vault.azure.net""#), FOREIGN),
        (
            "foreign scope",
            |_| challenge(r#"scope="https://management.azure.com/.default""#),
            FOREIGN,
        ),
        ("its own host", |_| challenge(r#"resource="https://kv.example.test""#), FOREIGN),
        ("a name that only ends alike", |_| challenge(r#"resource="https://ample.test""#), FOREIGN),
        ("another port", |_| challenge(r#"resource="https://example.test:8443""#), FOREIGN),
        ("plain", |_| challenge(r#"resource="http://example.test""#), FOREIGN),
        ("no URL", |_| challenge(r#"resource="example.test""#), FOREIGN),
        ("a user in front", |_| challenge(r#"resource="https://example.test@evil.test""#), FOREIGN),
        ("no resource", |_| challenge("error=\"x\""), MALFORMED),
        ("no challenge", |_| Answer::status(401), MALFORMED),
        (
            "another scheme",
            |_| Answer::status(401).header("www-authenticate", "Negotiate"),
            MALFORMED,
        ),
    ];
    let rows = challenges.map(|(name, vault, expected)| Row {
        name,
        vault,
        reference: "akv://kv.example.test/db-password",
        expected,
        says: &["kv.example.test"],
        // No token was requested, and none was sent.
        requests: Some((0, 1)),
        ..ROW
    });
    refused(&rows);
}

const MALFORMED: (i32, &str, &str) = (69, "unavailable", "challenge-malformed");

#[test]
fn a_refused_challenge_is_not_remembered() {
    for (reference, vault, token_requests) in [
        ("akv://kv.example.test/x", foreign as fn(&Request) -> Answer, 0),
        // The first request to a known vault has a token; none is requested for the foreign resource.
        ("akv://job/x", foreign, 1),
    ] {
        let scene = Scene::new(&Row { vault, ..ROW });
        let flags = ROW.network.iter().filter_map(|flag| flag.strip_prefix("--resolve="));
        let builder = Vaultlet::builder().ca_file(scene.ca.file());
        let vaultlet = flags
            .fold(builder, |builder, rule| builder.resolve(scene.filled(rule)))
            .variables(ROW.variables.iter().map(|(name, value)| (*name, scene.filled(value))))
            .open()
            .unwrap();
        for round in 1..=3 {
            let error = vaultlet.get_blocking(reference).unwrap_err();
            assert_eq!((error.kind, &*error.id), (Kind::Configuration, "challenge-refused"));
            assert_eq!(scene.requests(&scene.vault), round, "{reference}");
            let identity = scene.identity.as_ref().unwrap().requests();
            assert_eq!(identity.len(), token_requests, "{reference}: {identity:?}");
            assert!(identity.iter().all(|request| !request.target.contains("management")));
        }
        let foreign = scene.vault.as_ref().unwrap().requests();
        let sent =
            foreign.iter().filter(|request| !request.header("authorization").is_empty()).count();
        assert_eq!(sent, 3 * token_requests, "{reference}");
    }
}

fn foreign(_: &Request) -> Answer {
    challenge(r#"resource="https://management.azure.com""#)
}

fn challenge(parameters: &str) -> Answer {
    let authority = "https://login.microsoftonline.com/72f988bf-86f1-41af-91ab-2d7cd011db47";
    let text = format!(r#"Bearer authorization="{authority}", {parameters}"#);
    Answer::status(401).header("www-authenticate", text)
}

fn elsewhere(status: u16, location: &str) -> Answer {
    Answer::status(status).header("location", location)
}
