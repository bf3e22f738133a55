use super::*;
use crate::{error::Outcome, testing::START};
use core::time::Duration;

const OBO: (&str, &str) = ("OBO_ENDPOINT", "http://localhost:46809/OBO/token");
const OBO_REQUEST: &str =
    "GET http://localhost:46809/OBO/token?resource=https%3A%2F%2Fvault.azure.net";

#[test]
fn the_user_comes_before_the_machine() {
    let answer = r#"{"token":"T0KEN","expiresOn":"2023-11-14T23:13:20Z"}"#;
    let world = ScriptedContext::new(&ml_and(&[OBO])).answer(OBO_REQUEST, 200, &[], answer);
    let token = ask(&world, &Memory::default()).unwrap();
    assert_eq!((token.source.as_str(), token.endpoint.as_deref()), ("azureml-obo", Some("job")));
}

#[test]
fn a_refused_user_does_not_fall_back_to_the_machine() {
    let world = ScriptedContext::new(&ml_and(&[OBO])).answer(OBO_REQUEST, 400, &[], "No token");
    let error =
        failed(ask(&world, &Memory::default()), "identity-refused", ErrorKind::Unauthenticated);
    let machine = error.attempts.iter().find(|a| a.source == "managed-identity").unwrap();
    assert_eq!(machine.outcome, Outcome::Skipped);
    assert!(error.help.contains("user_identity"), "{}", error.line());
}

#[test]
fn settings_decide_order_and_exclusion() {
    for more in [
        ("VAULTLET_IDENTITY", "managed-identity,azureml-obo"),
        ("VAULTLET_IDENTITY", " Managed , obo "),
        ("VAULTLET_EXCLUDE", "azureml-obo"),
        ("AZURE_TOKEN_CREDENTIALS", "prod"),
    ] {
        let world =
            ScriptedContext::new(&ml_and(&[OBO, more])).answer(ML_REQUEST, 200, &[], ML_TOKEN);
        assert_eq!(ask(&world, &Memory::default()).unwrap().source, "managed-identity");
    }
}

#[test]
fn a_failed_service_principal_ends_the_chain() {
    let application = [("AZURE_CLIENT_ID", GUID), ("AZURE_TENANT_ID", "t")];
    for (more, form) in [
        (vec![("AZURE_CLIENT_SECRET", "hunter2")], "client-secret"),
        (vec![("AZURE_USERNAME", "u"), ("AZURE_PASSWORD", "hunter2")], "user-password"),
    ] {
        let variables: Vec<_> = ml_and(&application).into_iter().chain(more).collect();
        let answer = r#"{"error":"invalid_client","error_description":"AADSTS7000215: hunter2"}"#;
        let request = "POST https://login.microsoftonline.com/t/oauth2/v2.0/token content-type: application/x-www-form-urlencoded | <*>";
        let world = ScriptedContext::new(&variables).answer(request, 401, &[], answer);
        let error = failed(
            ask(&world, &Memory::default()),
            "authority-refused",
            ErrorKind::Unauthenticated,
        );
        let failure = error.attempts.iter().find(|a| a.outcome == Outcome::Failed).unwrap();
        assert_eq!(failure.endpoint.as_deref(), Some(form));
        // An excluded source does not end the chain.
        let variables: Vec<_> =
            variables.into_iter().chain([("VAULTLET_EXCLUDE", "environment")]).collect();
        let mut request = ML_REQUEST.to_string();
        if form == "user-password" {
            request = request.replace(" secret", &format!("&clientid={GUID} secret"));
        }
        let world = ScriptedContext::new(&variables).answer(&request, 200, &[], ML_TOKEN);
        ask(&world, &Memory::default()).unwrap();
    }
}

#[test]
fn without_its_token_file_workload_identity_is_not_configured() {
    let variables = ml_and(&[
        ("AZURE_CLIENT_ID", GUID),
        ("AZURE_TENANT_ID", "t"),
        ("AZURE_FEDERATED_TOKEN_FILE", "/var/run/token"),
    ]);
    let world = ScriptedContext::new(&variables).answer(ML_REQUEST, 200, &[], ML_TOKEN);
    assert_eq!(ask(&world, &Memory::default()).unwrap().source, "managed-identity");
    // A file without a token is a failure.
    let world = ScriptedContext::new(&variables).file("/var/run/token", " \n");
    failed(ask(&world, &Memory::default()), "credential-file", ErrorKind::Configuration);
}

#[test]
fn an_empty_chain_is_reported() {
    let world =
        ScriptedContext::new(&ml_and(&[("VAULTLET_IDENTITY", "obo"), ("VAULTLET_EXCLUDE", "obo")]));
    failed(ask(&world, &Memory::default()), "no-identity", ErrorKind::NotConfigured);
}

#[test]
fn a_token_is_cached_until_refresh_and_used_until_expiry() {
    let memory = Memory::default();
    let second = ML_TOKEN.replace("T0KEN.a-b_c", "T0KEN.2").replace("1700086400", "1700172800");
    let world = ScriptedContext::new(&ml_and(&[("VAULTLET_TIMEOUT", "1")]))
        .answer(ML_REQUEST, 200, &[], ML_TOKEN)
        .answer(ML_REQUEST, 400, &[], "")
        .answer(ML_REQUEST, 200, &[], second)
        .answer(ML_REQUEST, 400, &[], "");
    let request = TokenRequest::parse("https://vault.azure.net", None, None, None).unwrap();
    let get = || token(&Call::new(&world, &memory)?, &request);
    world.run(|| {
        let reveal = |token: Rc<Token>| token.secret.reveal().to_string();
        assert_eq!(reveal(get().unwrap()), "T0KEN.a-b_c");
        world.pass(Duration::from_secs(43_199));
        assert_eq!(reveal(get().unwrap()), "T0KEN.a-b_c");
        assert_eq!(world.sent().len(), 1);
        world.pass(Duration::from_secs(1));
        // The renewal fails, the cached token is used, and there is no other attempt for 30 s.
        assert_eq!(reveal(get().unwrap()), "T0KEN.a-b_c");
        assert_eq!(reveal(get().unwrap()), "T0KEN.a-b_c");
        assert_eq!(world.sent().len(), 2);
        world.pass(Duration::from_secs(30));
        assert_eq!(reveal(get().unwrap()), "T0KEN.2");
        world.pass(Duration::from_secs(200_000));
        assert!(crate::context::Context::now(&world) > START + 172_800);
        failed(get(), "identity-refused", ErrorKind::Unauthenticated);
    });
}

#[test]
fn claims_bypass_the_cache_and_replace_the_cached_token() {
    let memory = Memory::default();
    let world = ScriptedContext::new(&ML).answer(ML_REQUEST, 200, &[], ML_TOKEN).answer(
        ML_REQUEST,
        200,
        &[],
        ML_TOKEN.replace("T0KEN.a-b_c", "T0KEN.2"),
    );
    let plain = TokenRequest::parse("https://vault.azure.net/.default", None, None, None).unwrap();
    let claims = TokenRequest { claims: Some("{}".into()), ..plain.clone() };
    world.run(|| {
        for (request, expected) in
            [(&plain, "T0KEN.a-b_c"), (&claims, "T0KEN.2"), (&plain, "T0KEN.2")]
        {
            let call = Call::new(&world, &memory).unwrap();
            assert_eq!(token(&call, request).unwrap().secret.reveal(), expected);
        }
    });
}

#[test]
fn malformed_requests_are_refused() {
    for (resource, tenant, claims) in [
        ("", None, None),
        ("https://vault.azure.net?x", None, None),
        ("a b", None, None),
        ("https://vault.azure.net", Some("a/b"), None),
        ("https://vault.azure.net", Some(".."), None),
        ("https://vault.azure.net", Some(""), None),
        ("https://vault.azure.net", None, Some("hunter2")),
        ("https://vault.azure.net", None, Some("{")),
    ] {
        let owned = |text: Option<&str>| text.map(String::from);
        let request = TokenRequest::parse(resource, owned(tenant), owned(claims), None);
        failed(request, "argument-malformed", ErrorKind::InvalidArgument);
    }
}
