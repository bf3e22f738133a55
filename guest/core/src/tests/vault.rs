use super::*;
use crate::vault::Properties;

const PRIVATE: &str = "akv://kv.corp.example/db-password";
const PRIVATE_URL: &str = "GET https://kv.corp.example/secrets/db-password?api-version=2025-07-01";

#[test]
fn the_first_secret_of_a_known_vault_takes_two_requests_and_the_next_takes_one() {
    let other = SECRET_REQUEST.replace("db-password", "other");
    let world = with_token().answer(SECRET_REQUEST, 200, &[], BUNDLE).answer(
        &other,
        200,
        &[],
        r#"{"value":"","id":""}"#,
    );
    let memory = Memory::default();
    let (first, second) = world.run(|| {
        let call = Call::new(&world, &memory).unwrap();
        let first = get(&call, "akv://job/db-password", None).unwrap();
        (first, get(&call, "akv://job/other", None).unwrap())
    });
    assert_eq!(first.value.reveal(), "hunter2");
    assert_eq!(
        first.properties,
        Properties {
            vault: "job.vault.azure.net".into(),
            name: "db-password".into(),
            version: Some(VERSION.into()),
            content_type: Some("text/plain".into()),
            enabled: Some(true),
            created: Some(1_700_000_001),
            updated: Some(1_700_000_002),
            not_before: Some(1),
            expires: Some(32_503_680_000),
            recovery_level: Some("Recoverable+Purgeable".into()),
            recoverable_days: Some(90),
            managed: None,
            kid: None,
            tags: vec![("a".into(), "1".into()), ("b".into(), "2".into())],
        }
    );
    assert_eq!(second.value.reveal(), "");
    assert_eq!(second.properties.version, None);
}

#[test]
fn a_version_and_a_pointer_are_followed() {
    let request =
        SECRET_REQUEST.replace("db-password?", "db-password/0123456789abcdef0123456789abcdef?");
    let body = r#"{"value":"{\"user\": {\"name\": \"ann\"}}"}"#;
    let world = with_token().answer(&request, 200, &[], body);
    let reference = format!("akv://job/db-password/{}?json=/user/name", VERSION.to_uppercase());
    let secret = read(&world, &Memory::default(), &reference).unwrap();
    assert_eq!(secret.value.reveal(), "ann");
    assert_eq!(secret.properties.version.as_deref(), Some(VERSION));
}

#[test]
fn the_largest_value_fits() {
    let value = "\\u00e9".repeat(12_800);
    let world = with_token().answer(SECRET_REQUEST, 200, &[], format!(r#"{{"value":"{value}"}}"#));
    let secret = read(&world, &Memory::default(), "akv://job/db-password").unwrap();
    assert_eq!(secret.value.reveal().len(), 25_600);
}

#[test]
fn an_unknown_vault_is_asked_for_its_challenge_once() {
    for header in [
        r#"Bearer authorization="https://login.microsoftonline.com/contoso.com", resource="https://corp.example""#,
        r#"Basic realm="a, b", Bearer authorization="https://login.windows.net/contoso.com", resource="https://corp.example/""#,
        r#"bearer authorization_uri="https://login.windows.net/contoso.com/x", scope="https://corp.example/.default""#,
        r#"Negotiate abc==, Bearer Authorization="https://login.windows.net/contoso.com",Resource="https://corp.example:443""#,
    ] {
        let port = if header.contains(":443") { ":443" } else { "" };
        let token = ML_REQUEST.replace(
            "https%3A%2F%2Fvault.azure.net",
            &format!("https%3A%2F%2Fcorp.example{}", port.replace(':', "%3A")),
        );
        let sent = format!("{PRIVATE_URL} authorization: Bearer T0KEN.a-b_c");
        let bundle = BUNDLE.replace("job.vault.azure.net", "kv.corp.example");
        let world = ScriptedContext::new(&ML)
            .answer(PRIVATE_URL, 401, &[("www-authenticate", header)], "")
            .answer(&token, 200, &[], ML_TOKEN)
            .answer(&sent, 200, &[], bundle.clone())
            .answer(&sent, 200, &[], bundle);
        let memory = Memory::default();
        world.run(|| {
            for _ in 0..2 {
                let call = Call::new(&world, &memory).unwrap();
                let secret = get(&call, PRIVATE, None).expect(header);
                assert_eq!(secret.value.reveal(), "hunter2");
            }
        });
    }
}

#[test]
fn a_refused_challenge_is_not_cached_and_gets_no_token() {
    for (vault, header, id) in [
        (PRIVATE, r#"Bearer resource="https://vault.azure.net""#, "challenge-refused"),
        (PRIVATE, r#"Bearer resource="https://kv.corp.example""#, "challenge-refused"),
        (PRIVATE, r#"Bearer resource="https://orp.example""#, "challenge-refused"),
        (PRIVATE, r#"Bearer resource="https://corp.example:8443""#, "challenge-refused"),
        (PRIVATE, r#"Bearer resource="http://corp.example""#, "challenge-refused"),
        (PRIVATE, r#"Bearer resource="https://management.azure.com""#, "challenge-refused"),
        (PRIVATE, r#"Bearer resource="corp.example""#, "challenge-refused"),
        (PRIVATE, r#"Bearer resource="https://user@corp.example""#, "challenge-refused"),
        (
            "akv://x.localhost:8443/db-password",
            r#"Bearer resource="https://localhost""#,
            "challenge-refused",
        ),
        (
            "akv://x.localhost:8443/db-password",
            r#"Bearer resource="https://x.localhost:8443""#,
            "challenge-refused",
        ),
        (
            "akv://127.0.0.1:8443/db-password",
            r#"Bearer resource="https://127.0.0.1:8443""#,
            "challenge-refused",
        ),
        (
            "akv://job.vault.azure.net:8443/db-password",
            r#"Bearer resource="https://vault.azure.net""#,
            "challenge-refused",
        ),
        (
            PRIVATE,
            r#"Bearer authorization="https://login.microsoftonline.com/t""#,
            "challenge-malformed",
        ),
        (PRIVATE, r#"Basic realm="x""#, "challenge-malformed"),
        (PRIVATE, r#"Bearer resource="https://corp.example"#, "challenge-malformed"),
        (
            PRIVATE,
            r#"Bearer resource="https://corp.example", resource="https://vault.azure.net""#,
            "challenge-malformed",
        ),
        (PRIVATE, "", "challenge-malformed"),
    ] {
        let authority = vault.trim_start_matches("akv://").trim_end_matches("/db-password");
        let url = format!("GET https://{authority}/secrets/db-password?api-version=2025-07-01");
        let memory = Memory::default();
        for _ in 0..2 {
            let world =
                ScriptedContext::new(&ML).answer(&url, 401, &[("www-authenticate", header)], "");
            let kind = if id == "challenge-refused" {
                ErrorKind::Configuration
            } else {
                ErrorKind::Unavailable
            };
            failed(read(&world, &memory, vault), id, kind);
        }
    }
}

#[test]
fn a_vault_without_tls_on_loopback_may_name_itself_if_allowed() {
    let variables = ml_and(&[("VAULTLET_ALLOW_HTTP_LOOPBACK", "1")]);
    let url = "GET http://127.0.0.1:8080/secrets/db-password?api-version=2025-07-01";
    let token =
        ML_REQUEST.replace("https%3A%2F%2Fvault.azure.net", "http%3A%2F%2F127.0.0.1%3A8080");
    let world = ScriptedContext::new(&variables)
        .answer(url, 401, &[("www-authenticate", r#"Bearer authorization="https://login.microsoftonline.com/t", resource="http://127.0.0.1:8080""#)], "")
        .answer(&token, 200, &[], ML_TOKEN)
        .answer(
            &format!("{url} authorization: Bearer T0KEN.a-b_c"),
            200,
            &[],
            BUNDLE.replace("https://job.vault.azure.net", "http://127.0.0.1:8080"),
        );
    read(&world, &Memory::default(), "http://127.0.0.1:8080/secrets/db-password").unwrap();
}

#[test]
fn a_401_after_an_accepted_challenge_is_final() {
    for header in [
        "",
        r#"Bearer authorization="https://login.microsoftonline.com/other", resource="https://vault.azure.net""#,
    ] {
        let world = with_token().answer(
            SECRET_REQUEST,
            401,
            &[("www-authenticate", header)],
            r#"{"error":{"code":"Unauthorized","message":"AKV10032: Invalid issuer T0KEN.a-b_c"}}"#,
        );
        let error = failed(
            read(&world, &Memory::default(), "akv://job/db-password"),
            "vault-unauthorized",
            ErrorKind::Denied,
        );
        assert_eq!((error.status, error.code.as_deref()), (Some(401), Some("AKV10032")));
    }
}

#[test]
fn a_401_that_names_a_foreign_resource_is_refused() {
    let header = r#"Bearer authorization="https://login.microsoftonline.com/t", resource="https://evil.example""#;
    let memory = Memory::default();
    let world = with_token().answer(SECRET_REQUEST, 401, &[("www-authenticate", header)], "");
    failed(
        read(&world, &memory, "akv://job/db-password"),
        "challenge-refused",
        ErrorKind::Configuration,
    );
    // The token is cached, the challenge is not.
    let world =
        ScriptedContext::new(&ML).answer(SECRET_REQUEST, 401, &[("www-authenticate", header)], "");
    failed(
        read(&world, &memory, "akv://job/db-password"),
        "challenge-refused",
        ErrorKind::Configuration,
    );
}

#[test]
fn a_claims_challenge_is_answered_once() {
    // {"access_token":{"nbf":{"value":"1"}}}
    let header = r#"Bearer authorization="https://login.microsoftonline.com/t", error="insufficient_claims", claims="eyJhY2Nlc3NfdG9rZW4iOnsibmJmIjp7InZhbHVlIjoiMSJ9fX0=""#;
    let fresh = ML_TOKEN.replace("T0KEN.a-b_c", "T0KEN.2");
    let again = SECRET_REQUEST.replace("T0KEN.a-b_c", "T0KEN.2");
    let world = with_token()
        .answer(SECRET_REQUEST, 401, &[("www-authenticate", header)], "")
        .answer(ML_REQUEST, 200, &[], fresh.clone())
        .answer(&again, 200, &[], BUNDLE);
    read(&world, &Memory::default(), "akv://job/db-password").unwrap();
    let world = with_token()
        .answer(SECRET_REQUEST, 401, &[("www-authenticate", header)], "")
        .answer(ML_REQUEST, 200, &[], fresh)
        .answer(&again, 401, &[("www-authenticate", header)], "");
    failed(
        read(&world, &Memory::default(), "akv://job/db-password"),
        "vault-unauthorized",
        ErrorKind::Denied,
    );
}

#[test]
fn refusals_map_to_documented_errors() {
    use ErrorKind::*;
    let rbac = r#"{"error":{"code":"Forbidden","message":"Caller is not authorized.\r\nCaller: appid=x;oid=caller-oid;iss=y\r\nAction: 'z'","innererror":{"code":"ForbiddenByRbac"}}}"#;
    for (status, body, id, kind, code) in [
        (403, rbac, "vault-forbidden", Denied, Some("ForbiddenByRbac")),
        (
            403,
            r#"{"error":{"code":"Forbidden","message":"oid=caller-oid","innererror":{"code":"AccessDenied"}}}"#,
            "vault-forbidden",
            Denied,
            Some("AccessDenied"),
        ),
        (
            403,
            r#"{"error":{"code":"Forbidden","message":"x","innererror":{"code":"ForbiddenByFirewall"}}}"#,
            "vault-firewall",
            Denied,
            Some("ForbiddenByFirewall"),
        ),
        (
            403,
            r#"{"error":{"code":"Forbidden","message":"x","innererror":{"code":"ForbiddenByConnection"}}}"#,
            "vault-firewall",
            Denied,
            Some("ForbiddenByConnection"),
        ),
        (
            403,
            r#"{"error":{"code":"Forbidden","message":"x","innererror":{"code":"SecretDisabled"}}}"#,
            "secret-disabled",
            Disabled,
            Some("SecretDisabled"),
        ),
        (403, "", "vault-forbidden", Denied, None),
        (
            404,
            r#"{"error":{"code":"SecretNotFound","message":"A secret with (name/id) x"}}"#,
            "secret-not-found",
            NotFound,
            Some("SecretNotFound"),
        ),
        (404, "<html>hunter2</html>", "vault-unexpected", Unavailable, None),
        (
            404,
            r#"{"error":{"code":"NotFound"}}"#,
            "vault-unexpected",
            Unavailable,
            Some("NotFound"),
        ),
        (
            400,
            r#"{"error":{"code":"BadParameter","message":"The request URI contains an invalid name: x"}}"#,
            "vault-rejected",
            InvalidArgument,
            Some("BadParameter"),
        ),
        (400, "", "vault-unexpected", Unavailable, None),
        (
            405,
            r#"{"error":{"code":"MethodNotAllowed"}}"#,
            "vault-unexpected",
            Unavailable,
            Some("MethodNotAllowed"),
        ),
        (
            409,
            r#"{"error":{"code":"Conflict","message":"x","innererror":{"code":"ObjectIsBeingDeleted"}}}"#,
            "vault-conflict",
            Conflict,
            Some("ObjectIsBeingDeleted"),
        ),
        (302, "", "vault-redirect", Unavailable, None),
        (307, "", "vault-redirect", Unavailable, None),
        (501, "", "vault-failed", Unavailable, None),
        (204, "", "vault-unexpected", Unavailable, None),
        (200, "", "vault-unexpected", Unavailable, None),
        (200, "hunter2", "vault-unexpected", Unavailable, None),
        (200, r#"{"value":"hunter2""#, "vault-unexpected", Unavailable, None),
        (200, r#"{"value":7}"#, "vault-unexpected", Unavailable, None),
        (200, r#"{"value":"\ud800 hunter2"}"#, "vault-unexpected", Unavailable, None),
        (200, r#"{"id":"x"}"#, "vault-unexpected", Unavailable, None),
        (
            200,
            r#"{"value":"hunter2","id":"https://job.vault.azure.net/secrets/other/0123456789abcdef0123456789abcdef"}"#,
            "vault-unexpected",
            Unavailable,
            None,
        ),
    ] {
        let headers = [("x-ms-request-id", "0a-1b"), ("location", "https://evil.example/")];
        let world = with_token().answer(SECRET_REQUEST, status, &headers, body);
        let error = failed(read(&world, &Memory::default(), "akv://job/db-password"), id, kind);
        assert_eq!((error.status, error.code.as_deref()), (Some(status), code), "{body}");
        assert_eq!(error.request_id.as_deref(), Some("0a-1b"));
        assert!(!error.line().contains("caller-oid"), "{}", error.line());
        assert!(error.message.starts_with("reading secret `db-password` of job.vault.azure.net: "));
    }
    let world =
        with_token().answer(SECRET_REQUEST, 200, &[], b"{\"value\":\"hunter2\xff\"}".to_vec());
    failed(
        read(&world, &Memory::default(), "akv://job/db-password"),
        "vault-unexpected",
        Unavailable,
    );
    let world = with_token().answer(SECRET_REQUEST, 200, &[], vec![b' '; 600 * 1024]);
    failed(
        read(&world, &Memory::default(), "akv://job/db-password"),
        "vault-unexpected",
        Unavailable,
    );
}

#[test]
fn discovery_without_a_challenge_is_final() {
    for (status, id, kind) in [
        (403, "vault-forbidden", ErrorKind::Denied),
        (200, "vault-unexpected", ErrorKind::Unavailable),
        (302, "vault-redirect", ErrorKind::Unavailable),
    ] {
        let world = ScriptedContext::new(&ML).answer(PRIVATE_URL, status, &[], BUNDLE);
        failed(read(&world, &Memory::default(), PRIVATE), id, kind);
    }
}
