use super::*;
use crate::serve::{Incoming, Reply, serve};

const SECRET: &str = "serve-s3cret";
const LISTED: &str = "akv://job/db-password, akv://JOB.vault.azure.net/other";

fn serving(more: &[(&'static str, &'static str)]) -> ScriptedContext {
    // The first variable with a name counts.
    let all = [("VAULTLET_SERVE_SECRET", SECRET), ("VAULTLET_SERVE_REFERENCES", LISTED)];
    let all = ml_and(&[more, &all[..]].concat());
    ScriptedContext::new(&all)
}

/// A context in which a token is requested.
fn reading(more: &[(&'static str, &'static str)]) -> ScriptedContext {
    serving(more).answer(ML_REQUEST, 200, &[], ML_TOKEN)
}

fn asked(target: &str, secret: Option<&str>) -> Incoming {
    Incoming {
        is_get: true,
        target: target.into(),
        host: None,
        headers: secret.map(|s| ("vaultlet-secret".to_string(), s.into())).into_iter().collect(),
    }
}

fn answer(world: &ScriptedContext, asked: &Incoming) -> Reply {
    world.run(|| serve(world, &Memory::default(), asked))
}

fn get(world: &ScriptedContext, reference: &str) -> Reply {
    answer(world, &asked(&format!("/secret?reference={reference}"), Some(SECRET)))
}

fn header<'a>(served: &'a Reply, name: &str) -> Option<&'a str> {
    served.headers.iter().find(|(n, _)| *n == name).map(|(_, value)| value.as_str())
}

/// Checks a refusal: status, error id, and that the body has no secret.
#[track_caller]
fn refused(served: &Reply, status: u16, id: &str) {
    assert_eq!((served.status, header(served, "cache-control")), (status, Some("no-store")));
    let error = Error::from_json(served.body.as_bytes()).expect(&served.body);
    assert_eq!(error.id, id, "{}", served.body.as_str());
    for secret in [SECRET, "msi-s3cret", "T0KEN", "hunter2"] {
        assert!(!served.body.contains(secret), "{secret}");
    }
}

#[test]
fn a_listed_secret_is_served_for_any_form_of_its_reference() {
    for reference in [
        "akv%3A%2F%2Fjob%2Fdb-password",
        "akv://job/db-password",
        "akv://job.vault.azure.net:443/db-password",
        "https%3A%2F%2Fjob.vault.azure.net%2Fsecrets%2Fdb-password",
        "%40Microsoft.KeyVault(VaultName=job;SecretName=db-password)",
    ] {
        let world = reading(&[]).answer(SECRET_REQUEST, 200, &[], BUNDLE);
        let served = get(&world, reference);
        assert_eq!((served.status, served.body.as_str()), (200, "hunter2"), "{reference}");
        assert_eq!(header(&served, "content-type"), Some("text/plain; charset=utf-8"));
        assert_eq!(header(&served, "cache-control"), Some("no-store"));
    }
}

#[test]
fn without_a_configured_secret_the_reply_says_what_to_set() {
    for world in [
        ScriptedContext::new(&ML),
        ScriptedContext::new(&ml_and(&[
            ("VAULTLET_SERVE_SECRET", ""),
            ("VAULTLET_ENDPOINT_SECRET", ""),
            ("VAULTLET_SERVE_REFERENCES", LISTED),
        ])),
    ] {
        for secret in [None, Some(""), Some("x")] {
            for target in ["/secret?reference=akv://job/db-password", "/token", "/", ""] {
                let served = answer(&world, &asked(target, secret));
                refused(&served, 403, "not-served");
                assert!(served.body.contains("VAULTLET_SERVE_SECRET"), "{}", served.body.as_str());
            }
        }
    }
}

#[test]
fn callers_without_the_secret_get_an_empty_401() {
    let world = serving(&[]);
    for secret in [None, Some(""), Some("x"), Some("serve-s3cre"), Some("serve-s3crett")] {
        for target in ["/secret?reference=akv://job/db-password", "/secret", "/", ""] {
            let mut asked = asked(target, secret);
            let served = answer(&world, &asked);
            assert_eq!((served.status, served.body.as_str()), (401, ""));
            asked.is_get = false;
            assert_eq!(answer(&world, &asked).status, 401);
        }
    }
    let mut twice = asked("/secret?reference=akv://job/db-password", Some(SECRET));
    twice.headers.push(("vaultlet-secret".into(), SECRET.into()));
    assert_eq!(answer(&world, &twice).status, 401);
    // The header of another endpoint.
    let mut other = asked("/secret?reference=akv://job/db-password", None);
    other.headers.push(("vaultlet-endpoint-secret".into(), SECRET.into()));
    assert_eq!(answer(&world, &other).status, 401);
}

#[test]
fn unlisted_references_are_not_requested() {
    let version = format!("akv://job/db-password/{VERSION}");
    for reference in [
        "akv://job/db-passwor",
        "akv://other/db-password",
        "akv://job.vault.azure.cn/db-password",
        "akv://job/db-password?json=/user",
        &version,
    ] {
        refused(&get(&serving(&[]), reference), 403, "not-served");
    }
    refused(
        &get(
            &ScriptedContext::new(&ml_and(&[("VAULTLET_SERVE_SECRET", SECRET)])),
            "akv://job/db-password",
        ),
        403,
        "not-served",
    );
}

#[test]
fn versions_and_pointers_must_be_listed_themselves() {
    let listed = "akv://job/db?json=/a%2Cb,akv://job/db-password/0123456789ABCDEF0123456789ABCDEF";
    let request = SECRET_REQUEST.replace("db-password", "db");
    let body = r#"{"value":"{\"a,b\": \"hunter2\"}"}"#;
    let listed = [("VAULTLET_SERVE_REFERENCES", listed)];
    let world = reading(&listed).answer(&request, 200, &[], body);
    let served = get(&world, "akv%3A%2F%2Fjob%2Fdb%3Fjson%3D%2Fa%2Cb");
    assert_eq!((served.status, served.body.as_str()), (200, "hunter2"));
    refused(&get(&serving(&listed), "akv://job/db-password"), 403, "not-served");
}

#[test]
fn other_requests_are_refused() {
    let world = serving(&[]);
    for target in ["/", "", "/secrets", "/secret/", "/token", "/token?resource=x"] {
        let served = answer(&world, &asked(target, Some(SECRET)));
        assert_eq!((served.status, served.body.as_str()), (404, ""), "{target}");
    }
    let mut post = asked("/secret?reference=akv://job/db-password", Some(SECRET));
    post.is_get = false;
    let served = answer(&world, &post);
    assert_eq!((served.status, header(&served, "allow")), (405, Some("GET")));
    let long = format!("reference=akv://job/{}", "a".repeat(5_000));
    for query in [
        "",
        "reference",
        "reference=akv://job/db-password&reference=akv://job/db-password",
        "reference=akv://job/db-password&x=y",
        "x=y&reference=akv://job/db-password",
        "reference=%ff",
        &long,
        "reference=",
        "reference=hunter3",
        "reference=akv+job",
    ] {
        let served = answer(&world, &asked(&format!("/secret?{query}"), Some(SECRET)));
        refused(&served, 400, "reference-malformed");
        assert!(!served.body.contains("hunter3"));
    }
}

#[test]
fn a_malformed_list_refuses_every_request() {
    for list in ["akv://job/db-password,hunter2", "job/db-password", "akv://job/a;akv://job/b"] {
        let world = serving(&[("VAULTLET_SERVE_REFERENCES", list)]);
        refused(&get(&world, "akv://job/db-password"), 500, "setting-malformed");
    }
}

#[test]
fn the_status_tells_caller_vault_and_service_failures_apart() {
    let inner = |code: &str, inner: &str| {
        format!(
            r#"{{"error":{{"code":"{code}","message":"m","innererror":{{"code":"{inner}"}}}}}}"#
        )
    };
    for (answered, body, status, id) in [
        (404, inner("SecretNotFound", ""), 404, "secret-not-found"),
        (403, inner("Forbidden", "ForbiddenByRbac"), 403, "vault-forbidden"),
        (403, inner("Forbidden", "SecretDisabled"), 409, "secret-disabled"),
        (400, inner("BadParameter", ""), 400, "vault-rejected"),
        (302, String::new(), 503, "vault-redirect"),
    ] {
        let world = reading(&[]).answer(SECRET_REQUEST, answered, &[], body);
        refused(&get(&world, "akv://job/db-password"), status, id);
    }
    let world = reading(&[("VAULTLET_TIMEOUT", "60")]).answer(
        SECRET_REQUEST,
        429,
        &[("retry-after", "3600")],
        "",
    );
    let served = get(&world, "akv://job/db-password");
    refused(&served, 429, "vault-throttled");
    assert_eq!(header(&served, "retry-after"), Some("3600"));
    let nobody = ScriptedContext::new(&[
        ("VAULTLET_SERVE_SECRET", SECRET),
        ("VAULTLET_SERVE_REFERENCES", LISTED),
        ("VAULTLET_IDENTITY", "environment"),
    ]);
    refused(&get(&nobody, "akv://job/db-password"), 500, "no-identity");
}

#[test]
fn a_broker_serves_no_secrets() {
    let world = serving(&[("VAULTLET_ENDPOINT_SECRET", "ep-s3cret")]);
    assert_eq!(get(&world, "akv://job/db-password").status, 401);
    let mut host = asked("/secret?reference=akv://job/db-password", None);
    host.headers.push(("vaultlet-endpoint-secret".into(), "ep-s3cret".into()));
    assert_eq!(answer(&world, &host).status, 404);
}
