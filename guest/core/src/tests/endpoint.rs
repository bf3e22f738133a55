use super::*;
use crate::{
    context::SendError,
    error::Outcome,
    serve::{Incoming, Reply, serve},
};

const IDENTITY: (&str, &str) =
    ("VAULTLET_IDENTITY_ENDPOINT", "http://identity.vaultlet.internal/token");
const ASK: &str =
    "GET http://identity.vaultlet.internal/token?resource=https%3A%2F%2Fvault.azure.net";

fn serving(more: &[(&'static str, &'static str)]) -> ScriptedContext {
    ScriptedContext::new(&ml_and(&[&[("VAULTLET_ENDPOINT_SECRET", "ep-s3cret")], more].concat()))
}

fn asked(target: &str, secret: Option<&str>) -> Incoming {
    let headers = secret.map(|s| ("vaultlet-endpoint-secret".to_string(), s.into()));
    Incoming {
        is_get: true,
        target: target.into(),
        host: None,
        headers: headers.into_iter().collect(),
    }
}

fn answer(world: &ScriptedContext, asked: &Incoming) -> Reply {
    world.run(|| serve(world, &Memory::default(), asked))
}

const TARGET: &str = "/token?resource=https%3A%2F%2Fvault.azure.net";

#[test]
fn callers_other_than_the_host_get_an_empty_401() {
    let world = serving(&[]);
    for secret in
        [None, Some(""), Some("x"), Some("ep-s3cre"), Some("ep-s3crett"), Some("EP-S3CRET")]
    {
        for target in [TARGET, "/", "/nowhere", "", "/secret?reference=akv://job/db-password"] {
            let served = answer(&world, &asked(target, secret));
            assert_eq!((served.status, served.body.as_str()), (401, ""));
            let mut post = asked(target, secret);
            post.is_get = false;
            assert_eq!(answer(&world, &post).status, 401);
        }
    }
    let mut twice = asked(TARGET, Some("ep-s3cret"));
    twice.headers.push(("vaultlet-endpoint-secret".into(), "ep-s3cret".into()));
    assert_eq!(answer(&serving(&[]), &twice).status, 401);
}

#[test]
fn only_canonical_requests_are_served() {
    let long = format!("{TARGET}&tenant={}", "a".repeat(5_000));
    for (target, status) in [
        ("/", 404),
        ("/tokens", 404),
        ("", 404),
        ("/token/", 404),
        ("/token", 400),
        ("/token?resource=", 400),
        ("/token?resource=a&resource=b", 400),
        ("/token?resource=a&x=y", 400),
        ("/token?resource=a&tenant=b%2Fc", 400),
        ("/token?resource=a&client_id=b", 400),
        ("/token?resource=%ff", 400),
        ("/token?resource", 400),
        (
            "/token?resource=a&client_id=0a1b2c3d-0000-4000-8000-0123456789ab&object_id=0a1b2c3d-0000-4000-8000-0123456789ab",
            400,
        ),
        (&long, 400),
    ] {
        let served = answer(&serving(&[]), &asked(target, Some("ep-s3cret")));
        assert_eq!((served.status, served.body.as_str()), (status, ""), "{target}");
    }
    let mut post = asked(TARGET, Some("ep-s3cret"));
    post.is_get = false;
    assert_eq!(answer(&serving(&[]), &post).status, 405);
    for claims in ["%%%", "aHVudGVyMg", "e30="] {
        let mut bad = asked(TARGET, Some("ep-s3cret"));
        bad.headers.push(("vaultlet-claims".into(), claims.into()));
        assert_eq!(answer(&serving(&[]), &bad).status, 400, "{claims}");
    }
}

#[test]
fn a_token_response_has_its_lifetime() {
    let world = serving(&[("DEFAULT_IDENTITY_CLIENT_ID", GUID)]).answer(
        &ML_REQUEST.replace(" secret", &format!("&clientid={GUID} secret")),
        200,
        &[],
        ML_TOKEN,
    );
    let mut request = asked(&format!("{TARGET}&tenant=contoso.com"), Some("ep-s3cret"));
    request.headers.push(("vaultlet-claims".into(), "e30".into()));
    let served = answer(&world, &request);
    assert_eq!(served.status, 200);
    let header = |name| served.headers.iter().find(|(n, _)| *n == name).map(|(_, v)| v.as_str());
    assert_eq!(header("content-type"), Some("application/json"));
    assert_eq!(
        header("cache-control"),
        Some("max-age=43200, stale-while-revalidate=42900, stale-if-error=43200")
    );
    assert_eq!(
        served.body.as_str(),
        r#"{"access_token":"T0KEN.a-b_c","expires_on":1700086400,"refresh_on":1700043200,"resource":"https://vault.azure.net","source":"managed-identity","endpoint":"azure-ml","client_id":"0a1b2c3d-0000-4000-8000-0123456789ab"}"#
    );
}

#[test]
fn a_served_token_is_parsed_by_the_client() {
    for (status, body) in [(200, ML_TOKEN), (400, r#"{"error":{"code":"c","message":"no"}}"#)] {
        let broker = serving(&[]).answer(ML_REQUEST, status, &[], body);
        let served = answer(&broker, &asked(TARGET, Some("ep-s3cret")));
        let direct = ask(
            &ScriptedContext::new(&ML).answer(ML_REQUEST, status, &[], body),
            &Memory::default(),
        );
        let world = ScriptedContext::new(&[IDENTITY]).answer(
            ASK,
            served.status,
            &[],
            served.body.as_bytes(),
        );
        match (ask(&world, &Memory::default()), direct) {
            (Ok(token), Ok(direct)) => {
                assert_eq!(token.secret.reveal(), direct.secret.reveal());
                assert_eq!(
                    (token.expires_on, token.refresh_on),
                    (direct.expires_on, direct.refresh_on)
                );
                assert_eq!((&token.source, &token.endpoint), (&direct.source, &direct.endpoint));
            }
            (Err(error), Err(direct)) => {
                assert_eq!(error, direct);
                assert!(error.attempts.iter().any(|a| a.outcome == Outcome::Failed));
                let cache = served.headers.iter().find(|(name, _)| *name == "cache-control");
                assert_eq!((served.status, cache.unwrap().1.as_str()), (502, "max-age=30"));
                assert!(!served.body.contains("msi-s3cret"));
            }
            (one, other) => panic!("{one:?} {other:?}"),
        }
    }
}

#[test]
fn the_vault_role_sends_canonical_requests_only() {
    let identity = crate::token::UserAssigned::object_id(GUID);
    let request = TokenRequest::parse(
        "https://vault.azure.net",
        Some("t".into()),
        Some("{}".into()),
        identity,
    )
    .unwrap();
    let body = r#"{"access_token":"T0KEN","expires_on":1700003600,"refresh_on":1700003300,"resource":"https://vault.azure.net","source":"managed-identity"}"#;
    let world = ScriptedContext::new(&ml_and(&[IDENTITY, ("VAULTLET_CLIENT_ID", GUID)])).answer(
        &format!("{ASK}&tenant=t&object_id={GUID} cache-control: no-cache vaultlet-claims: e30"),
        200,
        &[],
        body,
    );
    ask_for(&world, &Memory::default(), request).unwrap();
}

#[test]
fn the_vault_role_never_retries() {
    for (status, body) in [
        (503, ""),
        (502, "x"),
        (200, ""),
        (200, r#"{"access_token":"T0 KEN"}"#),
        (302, ""),
        (401, ""),
    ] {
        let world =
            ScriptedContext::new(&[IDENTITY]).answer(ASK, status, &[("retry-after", "1")], body);
        failed(ask(&world, &Memory::default()), "identity-unexpected", ErrorKind::Unavailable);
    }
    let world = ScriptedContext::new(&[IDENTITY]).fail(ASK, SendError::Refused);
    failed(ask(&world, &Memory::default()), "identity-unreachable", ErrorKind::Unavailable);
}
