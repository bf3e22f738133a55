use super::*;
use crate::{context::SendError, error::Outcome, token::UserAssigned};
use core::time::Duration;

const IMDS: &str = "http://169.254.169.254/metadata/identity/oauth2/token";
const RESOURCE: &str = "resource=https%3A%2F%2Fvault.azure.net";

fn imds(more: &str) -> String {
    format!("GET {IMDS}?api-version=2018-02-01&{RESOURCE}{more} metadata: true")
}

#[test]
fn azure_ml_chooses_the_identity_by_precedence() {
    let other = "11111111-0000-4000-8000-0123456789ab";
    for (more, call, expected) in [
        (vec![], None, None),
        (vec![("DEFAULT_IDENTITY_CLIENT_ID", GUID)], None, Some(GUID)),
        (vec![("DEFAULT_IDENTITY_CLIENT_ID", "clientid")], None, None),
        (vec![("DEFAULT_IDENTITY_CLIENT_ID", "")], None, None),
        (vec![("DEFAULT_IDENTITY_CLIENT_ID", other), ("AZURE_CLIENT_ID", GUID)], None, Some(GUID)),
        (
            vec![
                ("AZURE_CLIENT_ID", other),
                ("AZURE_CLIENT_SECRET", "x"),
                ("DEFAULT_IDENTITY_CLIENT_ID", GUID),
            ],
            None,
            Some(GUID),
        ),
        (vec![("AZURE_CLIENT_ID", other), ("VAULTLET_CLIENT_ID", GUID)], None, Some(GUID)),
        (vec![("VAULTLET_CLIENT_ID", other)], Some(GUID), Some(GUID)),
    ] {
        let request = match expected {
            Some(id) => ML_REQUEST.replace(" secret", &format!("&clientid={id} secret")),
            None => ML_REQUEST.into(),
        };
        let world = ScriptedContext::new(&ml_and(&more)).answer(&request, 200, &[], ML_TOKEN);
        let identity = call.and_then(UserAssigned::client_id);
        let request = TokenRequest::parse("https://vault.azure.net", None, None, identity).unwrap();
        let token = ask_for(&world, &Memory::default(), request).unwrap();
        assert_eq!(token.client_id.as_deref(), expected);
        assert_eq!(
            (token.source.as_str(), token.endpoint.as_deref()),
            ("managed-identity", Some("azure-ml"))
        );
        assert_eq!((token.expires_on, token.refresh_on), (1_700_086_400, 1_700_043_200));
    }
}

#[test]
fn unsupported_ids_are_refused_before_any_request() {
    for id in [
        ("VAULTLET_OBJECT_ID", GUID),
        (
            "VAULTLET_RESOURCE_ID",
            "/subscriptions/a/resourceGroups/b/providers/Microsoft.ManagedIdentity/userAssignedIdentities/c",
        ),
    ] {
        let world = ScriptedContext::new(&ml_and(&[id]));
        failed(
            ask(&world, &Memory::default()),
            "identity-id-unsupported",
            ErrorKind::Configuration,
        );
    }
    let world = ScriptedContext::new(&[
        ("OBO_ENDPOINT", "http://localhost:1/x"),
        ("VAULTLET_CLIENT_ID", GUID),
    ]);
    failed(ask(&world, &Memory::default()), "identity-id-unsupported", ErrorKind::Configuration);
}

#[test]
fn app_service_and_imds_support_every_id() {
    let resource_id = "/subscriptions/a/x";
    for (setting, value, app, machine) in [
        ("VAULTLET_CLIENT_ID", GUID, format!("&client_id={GUID}"), format!("&client_id={GUID}")),
        ("VAULTLET_OBJECT_ID", GUID, format!("&object_id={GUID}"), format!("&object_id={GUID}")),
        (
            "VAULTLET_RESOURCE_ID",
            resource_id,
            "&mi_res_id=%2Fsubscriptions%2Fa%2Fx".into(),
            "&msi_res_id=%2Fsubscriptions%2Fa%2Fx".into(),
        ),
        ("VAULTLET_CLIENT_ID", "", String::new(), String::new()),
    ] {
        let answer = r#"{"access_token":"T0KEN","expires_on":"1700003600"}"#;
        let world = ScriptedContext::new(&[
            ("IDENTITY_ENDPOINT", "http://169.254.130.2:8081/msi/token"),
            ("IDENTITY_HEADER", "msi-s3cret"),
            (setting, value),
        ])
        .answer(&format!("GET http://169.254.130.2:8081/msi/token?api-version=2019-08-01&{RESOURCE}{app} x-identity-header: msi-s3cret"), 200, &[], answer);
        assert_eq!(
            ask(&world, &Memory::default()).unwrap().endpoint.as_deref(),
            Some("app-service")
        );
        let world = ScriptedContext::new(&[(setting, value)])
            .answer(&format!("GET {IMDS}"), 400, &[], "")
            .answer(&imds(&machine), 200, &[], answer);
        assert_eq!(ask(&world, &Memory::default()).unwrap().endpoint.as_deref(), Some("imds"));
    }
}

#[test]
fn the_form_is_chosen_as_in_azures_sdks() {
    let identity = ("IDENTITY_ENDPOINT", "http://127.0.0.1:1/i");
    let arc = "GET http://127.0.0.1:1/i?api-version=2020-06-01&resource=https%3A%2F%2Fvault.azure.net metadata: true";
    let shell = "POST http://127.0.0.1:1/x content-type: application/x-www-form-urlencoded metadata: true | resource=https%3A%2F%2Fvault.azure.net";
    for (variables, form, request) in [
        (vec![identity, ("IMDS_ENDPOINT", "http://localhost:2")], "azure-arc", arc),
        (vec![("MSI_ENDPOINT", "http://127.0.0.1:1/x")], "cloud-shell", shell),
        (vec![("MSI_ENDPOINT", "http://127.0.0.1:1/x"), ("MSI_SECRET", "")], "cloud-shell", shell),
    ] {
        let world = ScriptedContext::new(&variables).answer(request, 400, &[], "");
        let error =
            failed(ask(&world, &Memory::default()), "identity-refused", ErrorKind::Unauthenticated);
        let last = error.attempts.iter().find(|a| a.outcome == Outcome::Failed).unwrap();
        assert_eq!(last.endpoint.as_deref(), Some(form));
    }
    let world = ScriptedContext::new(&[
        identity,
        ("IDENTITY_HEADER", "msi-s3cret"),
        ("IDENTITY_SERVER_THUMBPRINT", "x"),
    ]);
    failed(ask(&world, &Memory::default()), "setting-malformed", ErrorKind::Configuration);
    let world = ScriptedContext::new(&[
        ("VAULTLET_IDENTITY", "managed"),
        ("AZURE_TENANT_ID", "t"),
        ("AZURE_CLIENT_ID", GUID),
        ("AZURE_FEDERATED_TOKEN_FILE", "/x"),
    ]);
    // Without the token file, the machine's own identity is used.
    let world = world.answer(&imds(""), 200, &[], ML_TOKEN);
    let token = ask(&world, &Memory::default()).unwrap();
    assert_eq!(token.endpoint.as_deref(), Some("imds"));
    // An empty variable counts as unset, and `IDENTITY_ENDPOINT` alone selects no form.
    let world = ScriptedContext::new(&ml_and(&[identity, ("IDENTITY_HEADER", "")])).answer(
        ML_REQUEST,
        200,
        &[],
        ML_TOKEN,
    );
    ask(&world, &Memory::default()).unwrap();
}

#[test]
fn plain_http_is_accepted_only_on_near_addresses() {
    for url in [
        "http://example.com/x",
        "http://8.8.8.8/x",
        "http://127.0.0.1.example.com/x",
        "http://127.1/x",
        "http://[2001:db8::1]/x",
        "ftp://127.0.0.1/x",
        "127.0.0.1/x",
        "http://u:p@127.0.0.1/x",
        "http://127.0.0.1/#x",
        "http://127.0.0.1:0/x",
        "http://127.0.0.1:99999/x",
        "http:///x",
        "http://[::ffff:8.8.8.8]/x",
        "http://0x7f000001/x",
    ] {
        let world = ScriptedContext::new(&[("MSI_ENDPOINT", url), ("MSI_SECRET", "msi-s3cret")]);
        let error =
            failed(ask(&world, &Memory::default()), "setting-malformed", ErrorKind::Configuration);
        assert!(error.message.contains("`MSI_ENDPOINT`"), "{}", error.line());
    }
    for url in [
        "http://localhost:1/x",
        "http://a.localhost/x",
        "http://10.1.2.3/x",
        "http://192.168.1.1/x",
        "http://172.16.0.1/x",
        "http://[::1]:8/x",
        "http://[fe80::1]/x",
        "http://[fd00::1]/x",
        "http://[::ffff:127.0.0.1]/x",
        "https://example.com/x",
        "http://169.254.1.1/x?y=z",
    ] {
        let glue = if url.contains('?') { '&' } else { '?' };
        let request = ML_REQUEST.replace(&format!("{MSI}?"), &format!("{url}{glue}"));
        let world = ScriptedContext::new(&[("MSI_ENDPOINT", url), ("MSI_SECRET", "msi-s3cret")])
            .answer(&request, 200, &[], ML_TOKEN);
        ask(&world, &Memory::default()).expect(url);
    }
}

#[test]
fn the_absence_of_imds_is_cached_after_one_probe() {
    for error in [SendError::Timeout, SendError::Refused, SendError::Unreachable, SendError::Denied]
    {
        let world = ScriptedContext::new(&[]).fail(&format!("GET {IMDS}"), error);
        let failure =
            failed(ask(&world, &Memory::default()), "no-identity", ErrorKind::NotConfigured);
        assert!(world.waits().is_empty());
        assert!(crate::context::Context::monotonic(&world) <= Duration::from_secs(1));
        let outcomes: Vec<_> = failure
            .attempts
            .iter()
            .map(|a| (a.source.as_str(), a.endpoint.as_deref(), a.outcome))
            .collect();
        assert_eq!(
            outcomes,
            [
                ("environment", None, Outcome::NotConfigured),
                ("workload-identity", None, Outcome::NotConfigured),
                ("azureml-obo", None, Outcome::NotConfigured),
                ("managed-identity", Some("imds"), Outcome::NotConfigured),
                ("azure-cli", None, Outcome::NotConfigured),
                ("azure-developer-cli", None, Outcome::NotConfigured),
                ("azure-powershell", None, Outcome::NotConfigured),
            ]
        );
    }
    let world = ScriptedContext::new(&[]).answer(
        &format!("GET {IMDS}"),
        403,
        &[],
        "A socket operation was attempted to an unreachable network",
    );
    failed(ask(&world, &Memory::default()), "no-identity", ErrorKind::NotConfigured);
}

#[test]
fn a_named_imds_is_not_probed() {
    let answer = r#"{"access_token":"T0KEN","expires_in":"3600"}"#;
    let pod = "http://127.0.0.1:2579/";
    for variable in [
        ("VAULTLET_IDENTITY", "managed-identity"),
        ("AZURE_TOKEN_CREDENTIALS", " ManagedIdentityCredential "),
    ] {
        let world = ScriptedContext::new(&[variable]).answer(&imds(""), 200, &[], answer);
        ask(&world, &Memory::default()).unwrap();
    }
    let request = imds("").replace("http://169.254.169.254/", pod);
    let world = ScriptedContext::new(&[("AZURE_POD_IDENTITY_AUTHORITY_HOST", pod)]).answer(
        &request,
        200,
        &[],
        answer,
    );
    ask(&world, &Memory::default()).unwrap();
    let mut world = ScriptedContext::new(&[("AZURE_POD_IDENTITY_AUTHORITY_HOST", pod)]);
    for _ in 0..3 {
        world = world.fail(&request, SendError::Refused);
    }
    failed(ask(&world, &Memory::default()), "identity-unreachable", ErrorKind::Unavailable);
}

#[test]
fn imds_under_update_is_retried_for_seventy_seconds() {
    let answer = r#"{"access_token":"T0KEN","expires_in":"3600"}"#;
    for (last, body) in [(200, answer), (410, "")] {
        let mut world = ScriptedContext::new(&[("VAULTLET_IDENTITY", "managed")]);
        for _ in 0..4 {
            world = world.answer(&imds(""), 410, &[], "");
        }
        let world = world.answer(&imds(""), last, &[], body);
        let result = ask(&world, &Memory::default());
        assert_eq!(world.waits(), [5, 10, 20, 40].map(Duration::from_secs));
        if last == 200 {
            result.unwrap();
        } else {
            // The next delay would exceed the time of the call.
            failed(result, "identity-failed", ErrorKind::Unavailable);
        }
    }
}

#[test]
fn responses_of_an_endpoint_map_to_documented_errors() {
    use ErrorKind::*;
    let text = [("content-type", "text/plain")];
    for (status, headers, body, tries, id, kind, says) in [
        (
            400,
            &[][..],
            r#"{"error":{"code":"a","message":"Identity not found msi-s3cret"}}"#,
            1,
            "identity-refused",
            Unauthenticated,
            "Identity not found …",
        ),
        (
            400,
            &text[..],
            "SSO failure: unable to retrieve a token. Error Token service X",
            1,
            "identity-refused",
            Unauthenticated,
            "SSO failure",
        ),
        (
            401,
            &text[..],
            "Invalid secret token header: msi-s3cret.",
            1,
            "identity-refused",
            Unauthenticated,
            "Invalid secret token header",
        ),
        (404, &[][..], "", 1, "identity-refused", Unauthenticated, "404"),
        (500, &[][..], "", 4, "identity-failed", Unavailable, "500"),
        (429, &[][..], "", 4, "identity-throttled", Throttled, "throttling"),
        (
            302,
            &[("location", "https://evil.example")][..],
            "",
            1,
            "identity-redirect",
            Unavailable,
            "302",
        ),
        (200, &text[..], "T0KEN is here", 1, "identity-unexpected", Unavailable, "not JSON"),
        (200, &[][..], "", 1, "identity-unexpected", Unavailable, "not JSON"),
        (200, &[][..], r#"{"foo":"T0KEN"}"#, 1, "identity-unexpected", Unavailable, "no token"),
        (
            200,
            &[][..],
            r#"{"access_token":"T0KEN","expires_on":"1"}"#,
            1,
            "identity-unexpected",
            Unavailable,
            "expired",
        ),
    ] {
        let mut world = ScriptedContext::new(&ML);
        for _ in 0..tries {
            world = world.answer(ML_REQUEST, status, headers, body);
        }
        let error = failed(ask(&world, &Memory::default()), id, kind);
        assert!(error.message.contains(says), "{}", error.line());
        assert!(
            error.message.starts_with(
                "getting a token for https://vault.azure.net: managed-identity (azure-ml): "
            ),
            "{}",
            error.line()
        );
        assert!(error.attempts.iter().any(|a| a.outcome == Outcome::Failed));
    }
    let world = ScriptedContext::new(&ML).answer(ML_REQUEST, 200, &[], vec![b'x'; 100_000]);
    failed(ask(&world, &Memory::default()), "identity-unexpected", Unavailable);
    let world = ScriptedContext::new(&ML)
        .fail(ML_REQUEST, SendError::Refused)
        .fail(ML_REQUEST, SendError::Refused)
        .fail(ML_REQUEST, SendError::Refused);
    let error = failed(ask(&world, &Memory::default()), "identity-unreachable", Unavailable);
    assert!(error.help.contains("`MSI_ENDPOINT`"));
}

#[test]
fn the_error_of_a_refused_id_names_its_setting() {
    for (name, says) in [
        ("AZURE_CLIENT_ID", "`AZURE_CLIENT_ID`"),
        ("DEFAULT_IDENTITY_CLIENT_ID", "`DEFAULT_IDENTITY_CLIENT_ID`"),
        ("VAULTLET_CLIENT_ID", "`VAULTLET_CLIENT_ID`"),
    ] {
        let request = ML_REQUEST.replace(" secret", &format!("&clientid={GUID} secret"));
        let world = ScriptedContext::new(&ml_and(&[(name, GUID)])).answer(
            &request,
            400,
            &[],
            r#"{"error":"invalid_request"}"#,
        );
        let error =
            failed(ask(&world, &Memory::default()), "identity-refused", ErrorKind::Unauthenticated);
        assert!(error.help.contains(says) && error.help.contains(GUID), "{}", error.line());
        assert_eq!(error.code.as_deref(), Some("invalid_request"));
    }
}
