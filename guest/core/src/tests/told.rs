//! What the other side said reaches the person: its words, codes and content type, without secrets
//! and without characters that a terminal obeys.

use super::*;

const CHALLENGE: &str = r#"Bearer authorization="https://login.microsoftonline.com/other", resource="https://vault.azure.net""#;

/// The error of a read that the vault answers so after a token.
fn refused(status: u16, kind: &str, body: &str) -> Error {
    let headers = [("content-type", kind), ("www-authenticate", CHALLENGE)];
    let world = with_token().answer(SECRET_REQUEST, status, &headers, body);
    let error = read(&world, &Memory::default(), "akv://job/db-password").unwrap_err();
    failed::<()>(Err(error.clone()), &error.id, error.kind)
}

fn body(message: &str, inner: &str) -> String {
    let inner = match inner {
        "" => String::new(),
        inner => format!(r#","innererror":{{"code":"{inner}"}}"#),
    };
    format!(r#"{{"error":{{"code":"Forbidden","message":"{message}"{inner}}}}}"#)
}

#[test]
fn a_403_whose_code_is_not_known_is_told_in_the_vaults_words() {
    let obo = "The policy requires the caller 'appid=a' to use on-behalf-of (OBO) flow.";
    for (message, inner, id, says) in [
        (
            obo,
            "ForbiddenByPolicy",
            "vault-forbidden",
            &["on-behalf-of (OBO) flow", "authorized application"][..],
        ),
        (obo, "", "vault-forbidden", &["on-behalf-of (OBO) flow", "authorized application"]),
        (
            "Public network access is disabled and request is not from a trusted service nor via an approved private link.",
            "",
            "vault-firewall",
            &["approved private link", "private endpoint"],
        ),
        (
            "Connection is not an approved private link.",
            "Other",
            "vault-firewall",
            &["[Other]", "private endpoint"],
        ),
        ("Client address is not authorized: 203.0.113.7", "", "vault-firewall", &["203.0.113.7"]),
        (
            "Denied by the network security perimeter",
            "ForbiddenByNsp",
            "vault-firewall",
            &["perimeter"],
        ),
        (
            "The user does not have secrets get permission on key vault 'job'",
            "",
            "vault-forbidden",
            &["secrets get permission", "Key Vault Secrets User"],
        ),
        (
            "The subscription is suspended",
            "SubscriptionSuspended",
            "vault-forbidden",
            &["is suspended", "[SubscriptionSuspended]"],
        ),
        (
            "Operation get is not allowed on a disabled secret.",
            "",
            "secret-disabled",
            &["disabled"],
        ),
        (
            "Operation get is not allowed on an expired secret.",
            "SecretExpired",
            "vault-forbidden",
            &["expired secret"],
        ),
        ("Token eyJhbGciOi.a.b of T0KEN.a-b_c\\u202e", "X", "vault-forbidden", &["Token … of …"]),
    ] {
        let error = refused(403, "application/json", &body(message, inner));
        assert_eq!(error.id, id, "{}", error.line());
        for says in says {
            assert!(error.line().contains(says), "{says}: {}", error.line());
        }
    }
    // These codes say it all, and their texts repeat the caller's ids.
    for inner in ["ForbiddenByRbac", "AccessDenied", "ForbiddenByFirewall", "ForbiddenByConnection"]
    {
        let error = refused(403, "application/json", &body("oid=caller", inner));
        assert!(!error.line().contains("caller"), "{}", error.line());
    }
}

#[test]
fn a_401_is_told_with_its_code_and_words() {
    for (message, code, says) in [
        (
            "AKV10032: Invalid issuer. Expected one of https://sts.windows.net/A/, found https://sts.windows.net/B/.",
            "AKV10032",
            &["https://sts.windows.net/A/", "https://sts.windows.net/B/", "tenant"][..],
        ),
        (
            "AKV10022: Invalid audience. Expected https://vault.azure.net, found: https://management.azure.com/.",
            "AKV10022",
            &["https://management.azure.com/", "--cloud"],
        ),
        ("AKV10045: The token is expired.", "AKV10045", &["expired", "clock"]),
        (
            "[BearerReadAccessTokenFailed] Error validating token: 'S2S12005'.",
            "Unauthorized",
            &["S2S12005"],
        ),
        (
            "AKV10046: Unable to resolve the key used for signature validation.",
            "AKV10046",
            &["signature"],
        ),
    ] {
        let body = format!(r#"{{"error":{{"code":"Unauthorized","message":"{message}"}}}}"#);
        let error = refused(401, "application/json; charset=utf-8", &body);
        assert_eq!((error.id.as_str(), error.code.as_deref()), ("vault-unauthorized", Some(code)));
        for says in says {
            assert!(error.line().contains(says), "{says}: {}", error.line());
        }
    }
}

#[test]
fn other_answers_of_a_vault_are_told_in_its_words() {
    for (status, message, id) in [
        (400, "Bad request of another kind", "vault-unexpected"),
        (404, "No such tenant of vaults", "vault-unexpected"),
        (409, "It is being recovered", "vault-conflict"),
        (415, "No such media", "vault-unexpected"),
        (500, "Out of order", "vault-failed"),
        (503, "Being moved", "vault-failed"),
    ] {
        let headers = [("content-type", "application/json"), ("retry-after", "0")];
        let mut world = with_token();
        for _ in 0..if status >= 500 { 4 } else { 1 } {
            world = world.answer(SECRET_REQUEST, status, &headers, body(message, "Inner"));
        }
        let error = read(&world, &Memory::default(), "akv://job/db-password").unwrap_err();
        assert_eq!(error.id, id, "{}", error.line());
        assert!(error.line().contains(message), "{}", error.line());
        assert!(error.line().contains("[Inner]"), "{}", error.line());
    }
}

#[test]
fn a_page_is_told_by_its_content_type_and_not_shown() {
    let page = "<!DOCTYPE html><html><title>hunter2</title></html>";
    for status in [200, 401, 403, 404, 418] {
        for (kind, body) in [("text/html; charset=utf-8", page), ("Text/HTML", " \n<html>hunter2")]
        {
            let error = refused(status, kind, body);
            let id = match status {
                401 => "vault-unauthorized",
                403 => "vault-forbidden",
                _ => "vault-unexpected",
            };
            assert_eq!(error.id, id, "{status}: {}", error.line());
            assert!(error.help.contains("in between"), "{}", error.line());
            assert!(error.line().to_ascii_lowercase().contains("text/html"), "{}", error.line());
        }
    }
    // A server may repeat a token in it.
    for kind in ["text/htmleyJhbGci", "eyJhbGci", "text/s3cr3t; charset=utf-8", "application/eyJ"] {
        let line = refused(418, kind, page).line();
        assert!(!line.contains("eyJ") && !line.contains("s3cr3t"), "{line}");
    }
    // An identity endpoint, the authority.
    for status in [200, 403, 404] {
        let headers = [("content-type", "text/html")];
        let world = ScriptedContext::new(&ML).answer(ML_REQUEST, status, &headers, page);
        let error = ask(&world, &Memory::default()).unwrap_err();
        assert!(error.line().contains("text/html"), "{}", error.line());
        let variables = [
            ("AZURE_CLIENT_ID", "a"),
            ("AZURE_TENANT_ID", "t"),
            ("AZURE_CLIENT_SECRET", "hunter2"),
        ];
        let world = ScriptedContext::new(&variables).answer(
            "POST https://login.microsoftonline.com/t/oauth2/v2.0/token content-type: application/x-www-form-urlencoded | <*>",
            status,
            &headers,
            page,
        );
        let error =
            failed(ask(&world, &Memory::default()), "authority-unexpected", ErrorKind::Unavailable);
        assert!(error.line().contains("text/html"), "{}", error.line());
    }
}

#[test]
fn no_character_that_a_terminal_obeys_or_hides_is_shown() {
    for c in [
        '\u{0}',
        '\u{7}',
        '\u{1b}',
        '\u{7f}',
        '\u{9b}',
        '\u{ad}',
        '\u{61c}',
        '\u{180e}',
        '\u{200b}',
        '\u{200d}',
        '\u{200e}',
        '\u{202a}',
        '\u{202e}',
        '\u{2028}',
        '\u{2029}',
        '\u{2060}',
        '\u{2066}',
        '\u{2069}',
        '\u{feff}',
        '\u{fff9}',
        '\u{e0041}',
        '\u{1d173}',
    ] {
        let text = format!("before{c}after msi-s3{c}cret msi-s3cret");
        let world = ScriptedContext::new(&ML).answer(
            ML_REQUEST,
            400,
            &[("content-type", "text/plain")],
            text,
        );
        let error =
            failed(ask(&world, &Memory::default()), "identity-refused", ErrorKind::Unauthenticated);
        let line = error.line();
        assert!(!line.contains(c), "{c:?}: {line:?}");
        assert!(line.contains("before") && line.contains("after"), "{line:?}");
        assert!(error.attempts.iter().all(|attempt| !attempt.message.contains(c)), "{c:?}");
    }
}

/// The error of a developer's tool that fails with this output.
fn tool(name: &str, stdout: &str, stderr: &str) -> Error {
    let length = stdout.len().to_string();
    let world = ScriptedContext::new(&[("VAULTLET_IDENTITY", name)]).hosted().answer(
        &format!(
            "GET http://programs.vaultlet.internal/{name}?resource=https%3A%2F%2Fvault.azure.net"
        ),
        200,
        &[("vaultlet-exit-status", "1"), ("vaultlet-stdout-length", &length)],
        format!("{stdout}{stderr}"),
    );
    let error = ask(&world, &Memory::default()).unwrap_err();
    failed::<()>(Err(error.clone()), &error.id, error.kind)
}

#[test]
fn the_error_of_a_developers_tool_is_found_in_its_output() {
    let azd = "azure-developer-cli";
    let blank = r#"{"type":"consoleMessage","timestamp":"t","data":{"message":"\n"}}"#;
    let mfa = r#"{"error":"fetching token: AADSTS50076: mfa is needed","links":[],"message":"Authentication with Azure failed."}"#;
    let console = r#"{"type":"consoleMessage","data":{"message":"\nERROR: fetching token: AADSTS53003: blocked\n"}}"#;
    let script = "Line |\n   1 |  … Import-Module Az.Accounts -MinimumVersion 2.2.0;$t=Get-AzAccessToken @p …\n     |  ~~~~~~~~~~~~~~~~~\n     | The network is down\n     | for now.\n";
    for (name, stdout, stderr, says, not) in [
        (
            azd,
            String::new(),
            format!("{blank}\n{mfa}\n"),
            "AADSTS50076: mfa is needed",
            "Authentication with",
        ),
        (
            azd,
            format!("{blank}\n{mfa}\n"),
            String::new(),
            "AADSTS50076: mfa is needed",
            "Authentication with",
        ),
        (
            azd,
            String::new(),
            format!("{blank}\r\n{console}\r\n"),
            "AADSTS53003: blocked",
            "consoleMessage",
        ),
        (azd, String::new(), format!("{console}\n{mfa}\n"), "AADSTS50076", "AADSTS53003"),
        (azd, String::new(), format!("{mfa}\n{blank}\n"), "AADSTS50076", "timestamp"),
        (
            azd,
            String::new(),
            r#"{"error":{"code":"x","message":"the disk is full"}}"#.into(),
            "the disk is full",
            "code",
        ),
        (
            azd,
            String::new(),
            "{\n  \"error\": \"\",\n  \"message\": \"only a message\"\n}\n".into(),
            "only a message",
            "\"error\"",
        ),
        (azd, String::new(), "ERROR: plain text\n".into(), "says: plain text", "ERROR"),
        (azd, mfa.into(), "Deprecated: something\n".into(), "AADSTS50076", "links"),
        (
            "azure-cli",
            String::new(),
            "WARNING: a new version is there\nERROR: AADSTS700082: expired\n".into(),
            "says: AADSTS700082: expired",
            "WARNING",
        ),
        (
            "azure-cli",
            String::new(),
            "\u{1b}[31mERROR: AADSTS700082: expired\u{1b}[0m\n".into(),
            "says: AADSTS700082: expired",
            "[31m",
        ),
        (
            "azure-powershell",
            String::new(),
            format!("\u{1b}[31;1mGet-AzAccessToken: \u{1b}[0m\n{script}"),
            "The network is down for now",
            "Import-Module",
        ),
        (
            "azure-powershell",
            String::new(),
            "Get-AzAccessToken: the network is down\n".into(),
            "the network is down",
            "Line |",
        ),
    ] {
        let error = tool(name, &stdout, &stderr);
        assert_eq!(error.id, "login-failed", "{}", error.line());
        assert!(error.message.contains(says), "{says}: {}", error.line());
        assert!(!error.message.contains(not), "{not}: {}", error.line());
    }
    // A module that is missing is not a missing login.
    let error = tool(
        "azure-powershell",
        "",
        "Import-Module: The specified module 'Az.Accounts' with version '2.2.0' was not loaded because no valid module file was found in any module directory.\n",
    );
    assert_eq!(error.id, "no-identity");
    assert!(error.line().contains("Install-Module Az.Accounts"), "{}", error.line());
}

#[test]
fn a_client_secret_with_white_space_or_quotes_is_named() {
    let answer = r#"{"error":"invalid_client","error_description":"AADSTS7000215: Invalid client secret provided. Trace ID: x"}"#;
    for (secret, says) in [
        ("hunter2\n", "white space"),
        (" hunter2", "white space"),
        ("\"hunter2\"", "quotes"),
        ("hunter2", "not its id"),
    ] {
        let variables =
            [("AZURE_CLIENT_ID", "a"), ("AZURE_TENANT_ID", "t"), ("AZURE_CLIENT_SECRET", secret)];
        let world = ScriptedContext::new(&variables).answer(
            "POST https://login.microsoftonline.com/t/oauth2/v2.0/token content-type: application/x-www-form-urlencoded | <*>",
            401,
            &[],
            answer,
        );
        let error = failed(
            ask(&world, &Memory::default()),
            "authority-refused",
            ErrorKind::Unauthenticated,
        );
        assert!(error.help.contains(says), "{}", error.line());
    }
}

#[test]
fn a_known_code_of_the_authority_is_told_with_its_words() {
    let answer = r#"{"error":"invalid_client","error_description":"AADSTS700213: No matching federated identity record found for presented assertion subject 'repo:a/b'. Trace ID: x"}"#;
    let variables =
        [("AZURE_CLIENT_ID", "a"), ("AZURE_TENANT_ID", "t"), ("AZURE_CLIENT_SECRET", "hunter2")];
    let world = ScriptedContext::new(&variables).answer(
        "POST https://login.microsoftonline.com/t/oauth2/v2.0/token content-type: application/x-www-form-urlencoded | <*>",
        401,
        &[],
        answer,
    );
    let error =
        failed(ask(&world, &Memory::default()), "authority-refused", ErrorKind::Unauthenticated);
    assert!(error.message.contains("subject 'repo:a/b'"), "{}", error.line());
}

#[test]
fn a_redirect_is_told_with_the_server_that_it_leads_to() {
    for (location, says) in [
        ("https://portal.example/login?x=hunter2", ", to portal.example"),
        ("http://10.0.0.1:8080/", ", to 10.0.0.1:8080"),
        ("/login", "(status 302)"),
        ("https://u:hunter2@portal.example/", "(status 302)"),
    ] {
        let world = with_token().answer(SECRET_REQUEST, 302, &[("location", location)], "");
        let error = failed(
            read(&world, &Memory::default(), "akv://job/db-password"),
            "vault-redirect",
            ErrorKind::Unavailable,
        );
        assert!(error.message.contains(says), "{}", error.line());
        let world =
            ScriptedContext::new(&ML).answer(ML_REQUEST, 302, &[("location", location)], "");
        let error =
            failed(ask(&world, &Memory::default()), "identity-redirect", ErrorKind::Unavailable);
        let says = says.trim_start_matches("(status 302)");
        assert!(error.message.contains(says), "{}", error.line());
    }
}
