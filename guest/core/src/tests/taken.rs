//! Which answers are taken: the type of a token, the id of a secret, equal members, addresses, challenges.

use super::*;

#[test]
fn a_token_of_another_type_is_not_used() {
    let az =
        "GET http://programs.vaultlet.internal/azure-cli?resource=https%3A%2F%2Fvault.azure.net";
    let post = "POST https://login.microsoftonline.com/t/oauth2/v2.0/token content-type: application/x-www-form-urlencoded | <*>";
    let application =
        [("AZURE_CLIENT_ID", "a"), ("AZURE_TENANT_ID", "t"), ("AZURE_CLIENT_SECRET", "hunter2")];
    for (kind, good) in [
        (r#","token_type":"pop""#, false),
        (r#","token_type":"MAC""#, false),
        (r#","token_type":"mtls_pop""#, false),
        (r#","token_type":"Bearers""#, false),
        (r#","token_type":"""#, false),
        (r#","token_type":7"#, false),
        (r#","tokenType":"pop""#, false),
        ("", true),
        (r#","token_type":null"#, true),
        (r#","token_type":"Bearer""#, true),
        (r#","token_type":"bearer""#, true),
        (r#","tokenType":"BEARER""#, true),
    ] {
        let token = format!(r#"{{"access_token":"T0KEN.a-b_c","expires_in":3600{kind}}}"#);
        let length = token.len().to_string();
        let ran = [("vaultlet-exit-status", "0"), ("vaultlet-stdout-length", length.as_str())];
        for (world, id) in [
            (
                ScriptedContext::new(&ML).answer(ML_REQUEST, 200, &[], token.clone()),
                "identity-unexpected",
            ),
            (
                ScriptedContext::new(&application).answer(post, 200, &[], token.clone()),
                "authority-unexpected",
            ),
            (
                ScriptedContext::new(&[("VAULTLET_IDENTITY", "azure-cli")]).hosted().answer(
                    az,
                    200,
                    &ran,
                    token.clone(),
                ),
                "login-failed",
            ),
        ] {
            match ask(&world, &Memory::default()) {
                Ok(_) => assert!(good, "{kind} {id}"),
                Err(error) => {
                    assert!(!good, "{kind}: {}", error.line());
                    assert_eq!(error.id, id, "{kind}");
                    assert!(error.line().contains("token_type"), "{}", error.line());
                }
            }
        }
    }
}

#[test]
fn an_answer_about_another_vault_is_refused() {
    for (id, good) in [
        ("https://job.vault.azure.net/secrets/db-password/0123456789abcdef0123456789abcdef", true),
        (
            "https://JOB.vault.azure.net:443/secrets/DB-password/0123456789ABCDEF0123456789abcdef",
            true,
        ),
        ("https://job.vault.azure.net/secrets/db-password", true),
        ("http://job.vault.azure.net/secrets/db-password/0123456789abcdef0123456789abcdef", false),
        ("http://job.vault.azure.net:443/secrets/db-password", false),
        ("https://job.vault.azure.net:8443/secrets/db-password", false),
        (
            "https://other.vault.azure.net/secrets/db-password/0123456789abcdef0123456789abcdef",
            false,
        ),
        ("https://job.vault.azure.net.evil.test/secrets/db-password", false),
        ("https://evil.test/secrets/db-password", false),
        ("http://evil.test:81/secrets/db-password/0123456789abcdef0123456789abcdef", false),
        ("https://job.vault.azure.cn/secrets/db-password", false),
        ("https://u@job.vault.azure.net/secrets/db-password", false),
        ("/secrets/db-password", false),
    ] {
        let world = with_token().answer(
            SECRET_REQUEST,
            200,
            &[],
            format!(r#"{{"value":"hunter2","id":"{id}"}}"#),
        );
        let result = read(&world, &Memory::default(), "akv://job/db-password");
        if good {
            result.expect(id);
        } else {
            failed(result, "vault-unexpected", ErrorKind::Unavailable);
        }
    }
}

#[test]
fn the_last_of_two_equal_members_counts_in_answers_and_pointers() {
    let twice = r#"{"access_token":"T0KEN.old","access_token":"T0KEN.a-b_c","expires_in":1,"expires_in":3600}"#;
    let secret = r#"{"value":"x","value":"{\"password\":\"old\",\"password\":\"new\",\"a\":{\"b\":1,\"b\":[1,{\"c\":1,\"c\":2}]}}"}"#;
    for (pointer, expected) in [("/password", "new"), ("/a/b/1/c", "2"), ("/a/b/0", "1")] {
        let world = ScriptedContext::new(&ML).answer(ML_REQUEST, 200, &[], twice).answer(
            SECRET_REQUEST,
            200,
            &[],
            secret,
        );
        let reference = format!("akv://job/db-password?json={pointer}");
        let secret = read(&world, &Memory::default(), &reference).unwrap();
        assert_eq!(secret.value.reveal(), expected, "{pointer}");
    }
}

#[test]
fn a_vault_on_an_ipv6_loopback_address_works_with_a_token() {
    for (host, escaped) in [
        ("[::1]:8080", "%5B%3A%3A1%5D%3A8080"),
        ("[::1]", "%5B%3A%3A1%5D"),
        ("[::ffff:127.0.0.1]:8080", "%5B%3A%3Affff%3A127.0.0.1%5D%3A8080"),
    ] {
        let variables = ml_and(&[("VAULTLET_ALLOW_HTTP_LOOPBACK", "1")]);
        let url = format!("GET http://{host}/secrets/db-password?api-version=2025-07-01");
        let challenge = format!(
            r#"Bearer authorization="https://login.microsoftonline.com/t", resource="http://{host}""#
        );
        let token =
            ML_REQUEST.replace("https%3A%2F%2Fvault.azure.net", &format!("http%3A%2F%2F{escaped}"));
        let world = ScriptedContext::new(&variables)
            .answer(&url, 401, &[("www-authenticate", &challenge)], "")
            .answer(&token, 200, &[], ML_TOKEN)
            .answer(
                &format!("{url} authorization: Bearer T0KEN.a-b_c"),
                200,
                &[],
                r#"{"value":"hunter2"}"#,
            );
        read(&world, &Memory::default(), &format!("http://{host}/secrets/db-password"))
            .expect(host);
    }
}

#[test]
fn a_bare_challenge_before_the_vaults_own_is_passed_over() {
    for header in [
        r#"Bearer, Bearer authorization="https://login.microsoftonline.com/t", resource="https://corp.example""#,
        r#"Bearer realm="x", Bearer resource="https://corp.example""#,
        r#"Bearer , Basic realm="x", Bearer scope="https://corp.example/.default""#,
    ] {
        let url = "GET https://kv.corp.example/secrets/db-password?api-version=2025-07-01";
        let token = ML_REQUEST.replace("vault.azure.net", "corp.example");
        let world = ScriptedContext::new(&ML)
            .answer(url, 401, &[("www-authenticate", header)], "")
            .answer(&token, 200, &[], ML_TOKEN)
            .answer(
                &format!("{url} authorization: Bearer T0KEN.a-b_c"),
                200,
                &[],
                r#"{"value":"hunter2"}"#,
            );
        read(&world, &Memory::default(), "akv://kv.corp.example/db-password").expect(header);
    }
}
