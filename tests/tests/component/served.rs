//! `wasmtime serve`: secrets over HTTP for a caller that shows the secret of the service.

use vaultlet_tests::stock::{Job, Served, VALUE};

const SECRET: &str = "serve-secret-of-tests";
const SHOWN: &str = "vaultlet-secret: serve-secret-of-tests\r\n";

#[test]
fn listed_secrets_are_served_to_a_caller_with_the_secret() {
    let Some(job) = Job::new() else { return };
    let list =
        ["db", "denied", "missing"].map(|name| job.reference(name)).join(",") + ",akv://job/x";
    let served = serving(&job, &list);
    let (status, headers, body) = served.get(&target(&job.reference("db")), SHOWN);
    assert_eq!((status, body.as_str()), (200, VALUE));
    assert!(headers.contains("content-type: text/plain; charset=utf-8"), "{headers}");
    assert!(headers.contains("cache-control: no-store"), "{headers}");
    assert!(!headers.contains("eyj"), "a token is in the headers");
    for (name, status, id) in [
        ("denied", 403, "vault-forbidden"),
        ("missing", 404, "secret-not-found"),
        ("hub-token", 403, "not-served"),
        ("no_name", 400, "reference-malformed"),
    ] {
        refused(&job, &served.get(&target(&job.reference(name)), SHOWN), status, id);
    }
    let before = job.local.counters().operation("get", 200);
    let version = format!("{}/{}", job.reference("db"), "0".repeat(32));
    refused(&job, &served.get(&target(&version), SHOWN), 403, "not-served");
    let member = format!("{}?json=/user", job.reference("db"));
    refused(&job, &served.get(&target(&member), SHOWN), 403, "not-served");
    assert_eq!(
        job.local.counters().operation("get", 200),
        before,
        "the vault received a request nevertheless"
    );
    for path in ["/", "/secrets", "/token?resource=x"] {
        assert_eq!(served.get(path, SHOWN).0, 404, "{path}");
    }
    for method in ["POST", "PUT", "DELETE", "OPTIONS"] {
        let (status, headers, body) = served.ask(method, &target(&job.reference("db")), SHOWN);
        assert_eq!((status, body.as_str()), (405, ""), "{method}");
        assert!(headers.contains("allow: get"), "{headers}");
    }
}

#[test]
fn a_caller_without_the_secret_gets_no_information() {
    let Some(job) = Job::new() else { return };
    let served = serving(&job, &job.reference("db"));
    for header in [
        "",
        "vaultlet-secret: \r\n",
        "vaultlet-secret: serve-secret-of-test\r\n",
        "vaultlet-secret: serve-secret-of-testss\r\n",
        "vaultlet-secret: SERVE-SECRET-OF-TESTS\r\n",
        "vaultlet-endpoint-secret: serve-secret-of-tests\r\n",
        "authorization: Bearer serve-secret-of-tests\r\n",
        &SHOWN.repeat(2),
    ] {
        for path in [&*target(&job.reference("db")), "/secret", "/"] {
            let (status, _, body) = served.get(path, header);
            assert_eq!((status, body.as_str()), (401, ""), "{path} {header}");
        }
    }
    assert_eq!(job.local.counters().identity_requests(), 0, "it requested a token nevertheless");
}

#[test]
fn without_a_secret_or_a_list_nothing_is_served_and_the_error_names_the_setting() {
    let Some(job) = Job::new() else { return };
    let path = target(&job.reference("db"));
    let list = job.reference("db");
    let without_secret = [("VAULTLET_SERVE_REFERENCES", list.as_str())];
    for (variables, header) in [
        (&without_secret[..], ""),
        (&without_secret, SHOWN),
        (&[("VAULTLET_SERVE_SECRET", ""), without_secret[0]], "vaultlet-secret: \r\n"),
        (&[("VAULTLET_SERVE_SECRET", SECRET)], SHOWN),
    ] {
        let served = Served::start(&job, variables);
        let answer = served.get(&path, header);
        assert!(answer.2.contains("set `VAULTLET_SERVE_SECRET`"), "{}", answer.2);
        assert!(answer.2.contains("`VAULTLET_SERVE_REFERENCES`"), "{}", answer.2);
        refused(&job, &answer, 403, "not-served");
    }
    let served = serving(&job, &format!("{list};{list}"));
    refused(&job, &served.get(&path, SHOWN), 500, "setting-malformed");
    assert_eq!(job.local.counters().identity_requests(), 0, "it requested a token nevertheless");
}

fn serving(job: &Job, list: &str) -> Served {
    let variables = [("VAULTLET_SERVE_SECRET", SECRET), ("VAULTLET_SERVE_REFERENCES", list)];
    Served::start(job, &variables)
}

fn target(reference: &str) -> String {
    let escaped = reference.bytes().map(|byte| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    });
    format!("/secret?reference={}", escaped.collect::<String>())
}

/// Checks that a response holds the error's record and no secret.
#[track_caller]
fn refused(job: &Job, answer: &(u16, String, String), status: u16, id: &str) {
    let (found, headers, body) = answer;
    assert_eq!(*found, status, "{body}");
    assert!(headers.contains("content-type: application/json"), "{headers}");
    assert!(headers.contains("cache-control: no-store"), "{headers}");
    let json: serde_json::Value = serde_json::from_str(body).unwrap();
    assert_eq!(json["error"]["id"], id, "{body}");
    for secret in [VALUE, SECRET, job.msi_secret(), "eyJ"] {
        assert!(!body.contains(secret) && !headers.contains(secret), "a secret is in the response");
    }
}
