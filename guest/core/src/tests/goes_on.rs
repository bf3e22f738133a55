//! When a chain asks its next source, and what that costs.

use super::*;
use crate::context::SendError;
use core::time::Duration;

const PROBE: &str = "GET http://169.254.169.254/metadata/identity/oauth2/token";
const IMDS: &str = "GET http://169.254.169.254/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https%3A%2F%2Fvault.azure.net metadata: true";
const OBO: (&str, &str) = ("OBO_ENDPOINT", "http://localhost:46809/OBO/token");
const OBO_REQUEST: &str =
    "GET http://localhost:46809/OBO/token?resource=https%3A%2F%2Fvault.azure.net";
const AZ: &str =
    "GET http://programs.vaultlet.internal/azure-cli?resource=https%3A%2F%2Fvault.azure.net";
const AZD: &str = "GET http://programs.vaultlet.internal/azure-developer-cli?resource=https%3A%2F%2Fvault.azure.net";
const TOKEN: &str = r#"{"access_token":"T0KEN.2","expires_in":"3600"}"#;

fn ran(status: &'static str, length: &'static str) -> [(&'static str, &'static str); 2] {
    [("vaultlet-exit-status", status), ("vaultlet-stdout-length", length)]
}

#[test]
fn a_named_list_of_two_goes_on_after_a_machine_that_is_absent_fails_or_refuses() {
    let list = ("VAULTLET_IDENTITY", "managed-identity,azureml-obo");
    let guessed = || ScriptedContext::new(&[list, OBO]);
    let named = || ScriptedContext::new(&ml_and(&[list, OBO]));
    let pod = || {
        let host = ("AZURE_POD_IDENTITY_AUTHORITY_HOST", "http://10.255.255.1");
        ScriptedContext::new(&[list, OBO, host])
    };
    let pod_request = IMDS.replace("169.254.169.254", "10.255.255.1");
    let refusal = r#"{"error":"invalid_request","error_description":"Identity not found"}"#;
    for (case, world) in [
        ("silent", guessed().fail(PROBE, SendError::Timeout)),
        ("refused connection", guessed().fail(PROBE, SendError::Refused)),
        ("unreachable", guessed().fail(PROBE, SendError::Unreachable)),
        ("refusal", guessed().answer(PROBE, 400, &[], "").answer(IMDS, 400, &[], refusal)),
        ("a page", guessed().answer(PROBE, 200, &[("content-type", "text/html")], "<html>")),
        ("nonsense", guessed().answer(PROBE, 400, &[], "").answer(IMDS, 200, &[], "{}")),
        ("Azure ML refuses", named().answer(ML_REQUEST, 400, &[], refusal)),
        ("Azure ML's nonsense", named().answer(ML_REQUEST, 200, &[], "nonsense")),
        ("Azure ML's secret", named().answer(ML_REQUEST, 401, &[], "")),
        ("Azure ML is silent", named().fail(ML_REQUEST, SendError::Timeout)),
        (
            "Azure ML is not there",
            named()
                .fail(ML_REQUEST, SendError::Refused)
                .fail(ML_REQUEST, SendError::Refused)
                .fail(ML_REQUEST, SendError::Refused),
        ),
        ("another IMDS is silent", pod().fail(&pod_request, SendError::Timeout)),
    ] {
        let world = world.answer(OBO_REQUEST, 200, &[], TOKEN);
        let token =
            ask(&world, &Memory::default()).unwrap_or_else(|e| panic!("{case}: {}", e.line()));
        assert_eq!(token.source, "azureml-obo", "{case}");
        let took = crate::context::Context::monotonic(&world);
        assert!(took <= Duration::from_secs(1), "{case}: {took:?}");
    }
    // The cause is kept where nobody has a token.
    let world = guessed().answer(PROBE, 400, &[], "").answer(IMDS, 400, &[], refusal).answer(
        OBO_REQUEST,
        400,
        &[],
        "",
    );
    let error =
        failed(ask(&world, &Memory::default()), "identity-refused", ErrorKind::Unauthenticated);
    assert!(error.attempts[0].message.contains("Identity not found"), "{:?}", error.attempts);
    assert_eq!(error.attempts.len(), 2);
}

#[test]
fn a_named_list_of_two_goes_on_after_a_login_that_fails() {
    for list in ["azure-cli,azure-developer-cli", "azure-cli,azure-developer-cli,environment"] {
        for (status, stderr) in [("1", "ERROR: AADSTS70043: expired"), ("1", "ERROR: x"), ("0", "")]
        {
            let world = ScriptedContext::new(&[("VAULTLET_IDENTITY", list)])
                .hosted()
                .answer(AZ, 200, &ran(status, "0"), stderr)
                .answer(AZD, 200, &ran("0", "46"), TOKEN);
            assert_eq!(TOKEN.len(), 46);
            assert_eq!(ask(&world, &Memory::default()).unwrap().source, "azure-developer-cli");
        }
    }
    // On a runtime that runs no programs, too.
    let list = ("VAULTLET_IDENTITY", "azure-cli,managed-identity");
    let world = ScriptedContext::new(&ml_and(&[list])).answer(ML_REQUEST, 200, &[], ML_TOKEN);
    assert_eq!(ask(&world, &Memory::default()).unwrap().source, "managed-identity");
}

#[test]
fn a_source_that_is_named_alone_still_decides() {
    let refusal = r#"{"error":"invalid_request","error_description":"Identity not found"}"#;
    for variables in [
        &[("VAULTLET_IDENTITY", "managed-identity")][..],
        &[("VAULTLET_IDENTITY", "managed-identity,azure-cli"), ("VAULTLET_EXCLUDE", "azure-cli")],
        &[("AZURE_TOKEN_CREDENTIALS", "ManagedIdentityCredential")],
    ] {
        let world = ScriptedContext::new(variables).hosted().answer(IMDS, 400, &[], refusal);
        failed(ask(&world, &Memory::default()), "identity-refused", ErrorKind::Unauthenticated);
    }
}

#[test]
fn a_400_of_imds_that_names_a_time_is_retried_once() {
    let alone = [("VAULTLET_IDENTITY", "managed-identity")];
    let later = [("retry-after", "3")];
    let world =
        ScriptedContext::new(&alone).answer(IMDS, 400, &later, "").answer(IMDS, 200, &[], TOKEN);
    ask(&world, &Memory::default()).unwrap();
    assert_eq!(world.waits(), [Duration::from_secs(3)]);
    let world =
        ScriptedContext::new(&alone).answer(IMDS, 400, &later, "").answer(IMDS, 400, &later, "");
    failed(ask(&world, &Memory::default()), "identity-refused", ErrorKind::Unauthenticated);
    let world = ScriptedContext::new(&alone).answer(IMDS, 400, &[], "");
    failed(ask(&world, &Memory::default()), "identity-refused", ErrorKind::Unauthenticated);
    // Other endpoints mean it when they refuse.
    let world = ScriptedContext::new(&ML).answer(ML_REQUEST, 400, &later, "");
    failed(ask(&world, &Memory::default()), "identity-refused", ErrorKind::Unauthenticated);
}

#[test]
fn something_else_at_the_guessed_address_costs_no_time_on_the_way_to_a_login() {
    let az = r#"{"accessToken":"T0KEN.2","expires_on":1700003600}"#;
    let length = az.len().to_string();
    for status in [500, 501, 502, 503, 504, 403, 404, 407, 302, 511] {
        let printed = [("vaultlet-exit-status", "0"), ("vaultlet-stdout-length", length.as_str())];
        let world = ScriptedContext::new(&[])
            .hosted()
            .answer(PROBE, status, &[], "Bad Gateway")
            .answer(IMDS, status, &[], "Bad Gateway")
            .answer(AZ, 200, &printed, az);
        assert_eq!(ask(&world, &Memory::default()).unwrap().source, "azure-cli", "{status}");
        let waited: Duration = world.waits().iter().sum();
        assert!(waited < Duration::from_secs(1), "{status}: {waited:?}");
        // Without a login, no setting is named that is not set.
        let world = ScriptedContext::new(&[])
            .hosted()
            .answer(PROBE, status, &[], "Bad Gateway")
            .answer(IMDS, status, &[], "Bad Gateway")
            .answer(AZ, 404, &[], "")
            .answer(AZD, 404, &[], "")
            .answer(&AZ.replace("azure-cli", "azure-powershell"), 404, &[], "");
        let error = ask(&world, &Memory::default()).unwrap_err();
        assert!(!error.line().contains("AZURE_POD_IDENTITY_AUTHORITY_HOST"), "{}", error.line());
        let machine = error.attempts.iter().find(|a| a.source == "managed-identity").unwrap();
        assert!(machine.message.contains(&status.to_string()), "{machine:?}");
    }
}

#[test]
fn a_metadata_service_that_says_who_it_is_gets_all_the_retries() {
    for (status, headers) in [
        (400, &[][..]),
        (410, &[]),
        (429, &[]),
        (503, &[("server", "IMDS/150.870.65.1854")]),
        (404, &[("server", "Microsoft-IIS/10.0 IMDS")]),
    ] {
        let world = ScriptedContext::new(&[("AZURE_TOKEN_CREDENTIALS", "prod")])
            .answer(PROBE, status, headers, "")
            .answer(IMDS, 500, &[], "")
            .answer(IMDS, 404, &[], "")
            .answer(IMDS, 200, &[], TOKEN);
        ask(&world, &Memory::default()).unwrap_or_else(|e| panic!("{status}: {}", e.line()));
    }
}

#[test]
fn off_azure_the_first_words_say_so_and_name_two_ways_on() {
    for probe in [SendError::Refused, SendError::Timeout, SendError::Unreachable, SendError::Denied]
    {
        let world = ScriptedContext::new(&[]).hosted().fail(PROBE, probe.clone());
        let world = world
            .answer(AZ, 404, &[], "")
            .answer(AZD, 200, &ran("1", "0"), "ERROR: not logged in, run `azd auth login`")
            .answer(&AZ.replace("azure-cli", "azure-powershell"), 404, &[], "");
        let error =
            failed(ask(&world, &Memory::default()), "no-identity", ErrorKind::NotConfigured);
        assert!(
            error
                .line()
                .starts_with("getting a token for https://vault.azure.net: you are not on Azure"),
            "{}",
            error.line()
        );
        assert!(
            error.help.contains("`az login`") && error.help.contains("`vaultlet dev"),
            "{}",
            error.help
        );
    }
    // Inside a service, or where the sources are named, nobody knows that.
    for more in [
        &[("AZUREML_RUN_ID", "r")][..],
        &[("VAULTLET_IDENTITY", "environment,workload-identity")],
        &[("VAULTLET_EXCLUDE", "managed-identity,azure-cli,azure-developer-cli,azure-powershell")],
    ] {
        let mut world = ScriptedContext::new(more).hosted();
        if more[0].0 == "AZUREML_RUN_ID" {
            world = world.fail(PROBE, SendError::Refused);
        }
        let error =
            failed(ask(&world, &Memory::default()), "no-identity", ErrorKind::NotConfigured);
        assert!(!error.line().contains("not on Azure"), "{}", error.line());
    }
}

#[test]
fn a_clock_that_is_ahead_does_not_refuse_a_token() {
    for (fields, expires_on) in [
        (r#""expires_on":1699999940,"expires_in":"86399""#, Some(1_700_086_399)),
        (r#""expires_on":"1699999940","expires_in":3600"#, Some(1_700_003_600)),
        (r#""expiresOn":"2023-11-14T22:00:00Z","expires_in":60"#, Some(1_700_000_060)),
        (r#""expires_on":1700000000,"expires_in":1"#, Some(1_700_000_001)),
        (r#""expires_on":1699999940,"expires_in":0"#, None),
        (r#""expires_on":1699999940,"expires_in":-5"#, None),
        (r#""expires_on":1699999940"#, None),
        (r#""expires_in":0"#, None),
        (r#""expires_on":1700003600,"expires_in":7"#, Some(1_700_003_600)),
        (r#""expires_on":1700003600,"expires_in":86400"#, Some(1_700_003_600)),
    ] {
        let body = format!(r#"{{"access_token":"T0KEN.a-b_c",{fields}}}"#);
        let world = ScriptedContext::new(&ML).answer(ML_REQUEST, 200, &[], body);
        match (ask(&world, &Memory::default()), expires_on) {
            (Ok(token), Some(expires_on)) => assert_eq!(token.expires_on, expires_on, "{fields}"),
            (Err(error), None) => {
                assert_eq!(error.id, "identity-unexpected");
                assert!(
                    error.message.contains("this machine's clock is ahead"),
                    "{}",
                    error.line()
                );
            }
            (result, _) => panic!("{fields}: {result:?}"),
        }
    }
}

#[test]
fn an_authority_that_names_no_tenant_means_the_credentials_own() {
    for authority in [
        "https://login.example/adfs",
        "https://login.example/ADFS/",
        "https://login.example:443/adfs/oauth2/authorize",
        "https://login.microsoftonline.com/common",
        "https://login.microsoftonline.com/organizations/oauth2/v2.0",
    ] {
        let url = "GET https://kv.corp.example/secrets/db-password?api-version=2025-07-01";
        let challenge =
            format!(r#"Bearer authorization="{authority}", resource="https://corp.example""#);
        let variables = [
            ("AZURE_CLIENT_ID", "a"),
            ("AZURE_TENANT_ID", "t"),
            ("AZURE_CLIENT_SECRET", "hunter2"),
        ];
        let world = ScriptedContext::new(&variables)
            .answer(url, 401, &[("www-authenticate", &challenge)], "")
            .answer(
                "POST https://login.microsoftonline.com/t/oauth2/v2.0/token content-type: application/x-www-form-urlencoded | <*>",
                200,
                &[],
                ML_TOKEN,
            )
            .answer(&format!("{url} authorization: Bearer T0KEN.a-b_c"), 200, &[], r#"{"value":"hunter2"}"#);
        read(&world, &Memory::default(), "akv://kv.corp.example/db-password").expect(authority);
    }
}
