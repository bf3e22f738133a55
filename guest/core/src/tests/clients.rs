use super::*;
use base64ct::Encoding as _;
use core::time::Duration;

const FORM: &str = "content-type: application/x-www-form-urlencoded";
const CLAIMS: &str =
    "claims=%7B%22access_token%22%3A%7B%22xms_cc%22%3A%7B%22values%22%3A%5B%22cp1%22%5D%7D%7D%7D";
const SCOPE: &str = "scope=https%3A%2F%2Fvault.azure.net%2F.default";
const ENTRA: &str = r#"{"token_type":"Bearer","expires_in":3599,"ext_expires_in":3599,"access_token":"T0KEN.a-b_c"}"#;
const APPLICATION: [(&str, &str); 2] = [("AZURE_CLIENT_ID", "app-1"), ("AZURE_TENANT_ID", "t-1")];

fn with(more: &[(&'static str, &'static str)]) -> Vec<(&'static str, &'static str)> {
    APPLICATION.into_iter().chain(more.iter().copied()).collect()
}

fn post(path: &str, body: &str) -> String {
    format!("POST https://login.microsoftonline.com/{path} {FORM} | {body}")
}

#[test]
fn a_client_secret_gets_a_token() {
    let request = post(
        "t-1/oauth2/v2.0/token",
        &format!(
            "{CLAIMS}&client_id=app-1&client_secret=hunter2%26&grant_type=client_credentials&{SCOPE}"
        ),
    );
    let world = ScriptedContext::new(&with(&[("AZURE_CLIENT_SECRET", "hunter2&")])).answer(
        &request,
        200,
        &[],
        ENTRA,
    );
    let token = ask(&world, &Memory::default()).unwrap();
    assert_eq!(
        (token.source.as_str(), token.endpoint.as_deref()),
        ("environment", Some("client-secret"))
    );
    assert_eq!((token.client_id.as_deref(), token.secret.reveal()), (Some("app-1"), "T0KEN.a-b_c"));
}

#[test]
fn the_host_signs_with_the_key_of_a_certificate() {
    for (tenant, path, algorithm, thumbprint, chain) in [
        ("t-1", "t-1/oauth2/v2.0/token", "PS256", "x5t#S256\":\"s256", true),
        ("adfs", "adfs/oauth2/token", "RS256", "x5t\":\"s1", false),
    ] {
        let variables = [
            ("AZURE_CLIENT_ID", "app-1"),
            ("AZURE_TENANT_ID", tenant),
            ("AZURE_CLIENT_CERTIFICATE_PATH", "/key.pem"),
            ("AZURE_CLIENT_SEND_CERTIFICATE_CHAIN", if chain { "TRUE" } else { "0" }),
        ];
        let pem = "-----BEGIN CERTIFICATE-----\nAAAA\nBB==\n-----END CERTIFICATE-----\n-----BEGIN CERTIFICATE-----\nCCCC\n-----END CERTIFICATE-----\n";
        let digests = [("vaultlet-sha1", "s1"), ("vaultlet-sha256", "s256")];
        let request = post(
            path,
            &format!(
                "{CLAIMS}&client_assertion=<*>&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer&client_id=app-1&grant_type=client_credentials&{SCOPE}"
            ),
        );
        let keys = "http://keys.vaultlet.internal/client-certificate";
        let world = ScriptedContext::new(&variables)
            .hosted()
            .answer(&format!("GET {keys}"), 200, &digests, pem)
            .answer(&format!("POST {keys}?algorithm={algorithm} | <*>"), 200, &[], vec![1, 2, 255])
            .answer(&request, 200, &[], ENTRA);
        let token = ask(&world, &Memory::default()).unwrap();
        assert_eq!(token.endpoint.as_deref(), Some("client-certificate"));
        let signed = world.sent()[1].clone();
        let mut parts = signed.split(" | ").nth(1).unwrap().split('.').map(|part| {
            String::from_utf8(base64ct::Base64UrlUnpadded::decode_vec(part).unwrap()).unwrap()
        });
        let (header, claims) = (parts.next().unwrap(), parts.next().unwrap());
        assert!(
            header.contains(&format!(r#""alg":"{algorithm}","typ":"JWT","{thumbprint}""#)),
            "{header}"
        );
        assert_eq!(header.contains(r#""x5c":["AAAABB==","CCCC"]"#), chain, "{header}");
        assert!(claims.contains(&format!(r#"{{"aud":"https://login.microsoftonline.com/{path}","iss":"app-1","sub":"app-1","jti":"00000000-0000-4000-8000-000000000000","nbf":1700000000,"iat":1700000000,"exp":1700000600}}"#)), "{claims}");
        assert!(world.sent()[2].contains(".AQL_&client_assertion_type"));
    }
}

#[test]
fn a_device_code_is_prompted_and_polled_until_it_was_entered() {
    let code = r#"{"user_code":"AB12-CD","device_code":"d3vice-c0de","verification_uri":"https://microsoft.com/devicelogin","expires_in":900,"interval":5}"#;
    let first = post(
        "organizations/oauth2/v2.0/devicecode",
        &format!("{CLAIMS}&client_id=04b07795-8ddb-461a-bbee-02f9e1bf7b46&{SCOPE}"),
    );
    let poll = post(
        "organizations/oauth2/v2.0/token",
        &format!(
            "{CLAIMS}&client_id=04b07795-8ddb-461a-bbee-02f9e1bf7b46&device_code=d3vice-c0de&grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code"
        ),
    );
    let named = [("VAULTLET_IDENTITY", "device-code")];
    let world = ScriptedContext::new(&named)
        .answer(&first, 200, &[], code)
        .answer(&poll, 400, &[], r#"{"error":"authorization_pending"}"#)
        .answer(&poll, 400, &[], r#"{"error":"slow_down"}"#)
        .answer(&poll, 200, &[], ENTRA);
    assert_eq!(ask(&world, &Memory::default()).unwrap().source, "device-code");
    assert_eq!(
        world.prompts(),
        ["to log in, open https://microsoft.com/devicelogin and enter the code AB12-CD"]
    );
    assert_eq!(world.waits(), [5, 5, 10].map(Duration::from_secs));

    let world = ScriptedContext::new(&named).unattended();
    failed(ask(&world, &Memory::default()), "terminal-required", ErrorKind::Configuration);
    let world = ScriptedContext::new(&named).answer(&first, 200, &[], code).answer(
        &poll,
        400,
        &[],
        r#"{"error":"expired_token","error_description":"AADSTS70020: gone d3vice-c0de"}"#,
    );
    let error =
        failed(ask(&world, &Memory::default()), "authority-refused", ErrorKind::Unauthenticated);
    assert_eq!(error.code.as_deref(), Some("AADSTS70020"));
    let mut world =
        ScriptedContext::new(&[("VAULTLET_IDENTITY", "device-code"), ("VAULTLET_TIMEOUT", "12")])
            .answer(&first, 200, &[], code);
    for _ in 0..2 {
        world = world.answer(&poll, 400, &[], r#"{"error":"authorization_pending"}"#);
    }
    failed(ask(&world, &Memory::default()), "timeout", ErrorKind::Timeout);
}

#[test]
fn errors_of_the_authority_name_the_variables_to_check() {
    let request = post("t-1/oauth2/v2.0/token", "<*>");
    for (code, says) in [
        ("7000215", "`AZURE_CLIENT_SECRET`"),
        ("7000222", "has expired"),
        ("700016", "`AZURE_CLIENT_ID` and `AZURE_TENANT_ID`"),
        ("90002", "`AZURE_TENANT_ID`"),
        ("65001", "consent"),
        ("53003", "conditional access"),
        ("99999", "the words of the service"),
    ] {
        let body = format!(
            r#"{{"error":"invalid_client","error_description":"AADSTS{code}: the words of the service, hunter2.\r\nTrace ID: 1 Correlation ID: 2","error_codes":[{code}],"trace_id":"tr4ce"}}"#
        );
        let world = ScriptedContext::new(&with(&[("AZURE_CLIENT_SECRET", "hunter2")])).answer(
            &request,
            401,
            &[],
            body,
        );
        let error = failed(
            ask(&world, &Memory::default()),
            "authority-refused",
            ErrorKind::Unauthenticated,
        );
        assert!(error.line().contains(says), "{}", error.line());
        assert_eq!(error.code, Some(format!("AADSTS{code}")));
        assert_eq!((error.request_id.as_deref(), error.status), (Some("tr4ce"), Some(401)));
    }
    let date = [("date", "Tue, 14 Nov 2023 23:13:20 GMT")];
    let body = r#"{"error":"invalid_client","error_description":"AADSTS700024: time"}"#;
    let world = ScriptedContext::new(&with(&[("AZURE_CLIENT_SECRET", "hunter2")]))
        .answer(&request, 401, &date, body);
    let error =
        failed(ask(&world, &Memory::default()), "authority-refused", ErrorKind::Unauthenticated);
    assert!(error.message.contains("clock is 3600 s"), "{}", error.line());
}

#[test]
fn only_allowed_tenants_are_requested() {
    for (more, asked, path) in [
        (&[][..], None, Some("t-1")),
        (&[], Some("T-1"), Some("t-1")),
        (&[], Some("other"), None),
        (&[("VAULTLET_ADDITIONAL_TENANTS", "*")], Some("other"), Some("other")),
        (&[("AZURE_ADDITIONALLY_ALLOWED_TENANTS", "x; Other")], Some("other"), Some("other")),
        (&[("AZURE_ADDITIONALLY_ALLOWED_TENANTS", "x")], Some("other"), None),
        (&[("AZURE_IDENTITY_DISABLE_MULTITENANTAUTH", "1")], Some("other"), Some("t-1")),
        (&[("AZURE_TENANT_ID", "adfs")], Some("other"), Some("adfs")),
    ] {
        let variables: Vec<_> =
            more.iter().copied().chain(with(&[("AZURE_CLIENT_SECRET", "hunter2")])).collect();
        let mut world = ScriptedContext::new(&variables);
        if let Some(path) = path {
            let version = if path == "adfs" { "" } else { "/v2.0" };
            world = world.answer(
                &post(&format!("{path}/oauth2{version}/token"), "<*>"),
                200,
                &[],
                ENTRA,
            );
        }
        let request =
            TokenRequest::parse("https://vault.azure.net", asked.map(Into::into), None, None)
                .unwrap();
        let got = world.run(|| token(&Call::new(&world, &Memory::default())?, &request));
        match path {
            Some(_) => drop(got.unwrap()),
            None => {
                let error = failed(got, "tenant-not-allowed", ErrorKind::Configuration);
                assert!(error.message.contains("`AZURE_TENANT_ID`"));
            }
        }
    }
}

#[test]
fn errors_of_a_developers_tool_are_quoted_without_tokens() {
    let run =
        "GET http://programs.vaultlet.internal/azure-cli?resource=https%3A%2F%2Fvault.azure.net";
    let named = [("VAULTLET_IDENTITY", "azure-cli")];
    let printed = |status: &'static str, stdout: &str, stderr: &str| {
        let length = stdout.len().to_string();
        ScriptedContext::new(&named).hosted().answer(
            run,
            200,
            &[("vaultlet-exit-status", status), ("vaultlet-stdout-length", &length)],
            format!("{stdout}{stderr}"),
        )
    };
    for answer in [
        r#"{"accessToken":"T0KEN.a-b_c","expiresOn":"2023-11-14 23:13:20.000000","tokenType":"Bearer"}"#,
        r#"{"accessToken":"T0KEN.a-b_c","expiresOn":"nonsense","expires_on":1700003600}"#,
    ] {
        let token = ask(&printed("0", answer, "WARNING: x"), &Memory::default()).unwrap();
        assert_eq!((token.source.as_str(), token.expires_on), ("azure-cli", 1_700_003_600));
    }
    let world = printed("1", "", "ERROR: Please run 'az login' to setup account.");
    let error = failed(ask(&world, &Memory::default()), "no-identity", ErrorKind::NotConfigured);
    assert!(error.message.ends_with("nobody has logged in"), "{}", error.line());
    assert_eq!(error.help, "run `az login`");
    let world = printed("1", "", "ERROR: AADSTS50076: mfa, run az login; eyJhbGciOiJ.x.y");
    let error = failed(ask(&world, &Memory::default()), "login-failed", ErrorKind::Unauthenticated);
    assert!(error.message.contains("AADSTS50076: mfa, run az login; …"), "{}", error.line());
    for (status, id) in [(404, "no-identity"), (504, "login-failed"), (502, "login-failed")] {
        let world = ScriptedContext::new(&named).hosted().answer(run, status, &[], "");
        assert_eq!(ask(&world, &Memory::default()).unwrap_err().id, id);
    }
    let world = ScriptedContext::new(&named);
    failed(ask(&world, &Memory::default()), "host-required", ErrorKind::Configuration);
}
