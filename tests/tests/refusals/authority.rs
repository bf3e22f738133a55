//! Failures of the token authority, of a credential's files and of developers' tools: missing, down,
//! refusing or malformed. The scripted identity endpoint plays the authority.

use super::*;

const UNAVAILABLE: &str = "unavailable";
const REFUSED: (i32, &str, &str) = (79, "unauthenticated", "authority-refused");
const FILE: (i32, &str, &str) = (78, "configuration", "credential-file");

const AUTHORITY: (&str, &str) = ("AZURE_AUTHORITY_HOST", "http://127.0.0.1:{identity}");
const CLIENT: (&str, &str) = ("AZURE_CLIENT_ID", "11111111-1111-4111-8111-111111111111");
const TENANT: (&str, &str) = ("AZURE_TENANT_ID", "contoso.example");
const SECRET: (&str, &str) = ("AZURE_CLIENT_SECRET", CLIENT_SECRET);

/// A service principal whose authority is the scripted server.
const CLIENT_ROW: Row = Row { variables: &[AUTHORITY, CLIENT, TENANT, SECRET, PLAIN], ..ROW };
const PLAIN: (&str, &str) = ("VAULTLET_ALLOW_HTTP_LOOPBACK", "true");

fn entra(code: u32, error: &str) -> Answer {
    let text = format!(
        r#"{{"error":"{error}","error_description":"AADSTS{code}: said of {CLIENT_SECRET}.\r\nTrace ID: 1\r\nTimestamp: 2","error_codes":[{code}],"trace_id":"aaaaaaaa-0000-4000-8000-000000000001"}}"#
    );
    Answer::json(401, text)
}

#[test]
fn an_error_of_the_authority_is_explained() {
    refused(&[
        Row {
            name: "wrong secret",
            identity: |_| entra(7_000_215, "invalid_client"),
            expected: REFUSED,
            says: &[
                "environment (client-secret)",
                "AADSTS7000215",
                "`AZURE_CLIENT_SECRET`",
                "not its id",
            ],
            requests: Some((1, 0)),
            ..CLIENT_ROW
        },
        Row {
            name: "expired secret",
            identity: |_| entra(7_000_222, "invalid_client"),
            expected: REFUSED,
            says: &["AADSTS7000222", "has expired"],
            ..CLIENT_ROW
        },
        Row {
            name: "wrong tenant",
            identity: |_| entra(90_002, "invalid_request"),
            expected: REFUSED,
            says: &["AADSTS90002", "`AZURE_TENANT_ID`"],
            ..CLIENT_ROW
        },
        Row {
            name: "unknown application",
            identity: |_| entra(700_016, "unauthorized_client"),
            expected: REFUSED,
            says: &["AADSTS700016", "`AZURE_CLIENT_ID`"],
            ..CLIENT_ROW
        },
        Row {
            name: "no consent",
            identity: |_| entra(65_001, "invalid_grant"),
            expected: REFUSED,
            says: &["AADSTS65001", "consent"],
            ..CLIENT_ROW
        },
        Row {
            name: "conditional access",
            identity: |_| entra(53_003, "access_denied"),
            expected: REFUSED,
            says: &["AADSTS53003", "conditional access"],
            ..CLIENT_ROW
        },
        Row {
            name: "a wrong clock",
            identity: |_| {
                entra(700_024, "invalid_client").header("date", "Wed, 21 Oct 2015 07:28:00 GMT")
            },
            expected: REFUSED,
            says: &["AADSTS700024", "clock"],
            ..CLIENT_ROW
        },
        Row {
            name: "an undocumented code",
            identity: |_| entra(9_999_999, "invalid_grant"),
            expected: REFUSED,
            says: &["AADSTS9999999", "said of"],
            ..CLIENT_ROW
        },
    ]);
}

#[test]
fn an_authority_that_is_down_or_not_an_authority_is_reported() {
    refused(&[
        Row {
            name: "the connection is refused",
            identity_behavior: Behavior::Refused,
            expected: (69, UNAVAILABLE, "authority-unreachable"),
            says: &["refused", "`AZURE_AUTHORITY_HOST`"],
            ..CLIENT_ROW
        },
        Row {
            name: "it fails after several attempts",
            identity: |_| Answer::status(503).text("<html>down</html>"),
            expected: (69, UNAVAILABLE, "authority-failed"),
            says: &["503"],
            requests: Some((4, 0)),
            ..CLIENT_ROW
        },
        Row {
            name: "a page",
            identity: |_| Answer::status(200).text("<html>login</html>"),
            expected: (69, UNAVAILABLE, "authority-unexpected"),
            says: &["`AZURE_AUTHORITY_HOST`"],
            requests: Some((1, 0)),
            ..CLIENT_ROW
        },
        Row {
            name: "a proxy's 403",
            identity: |_| Answer::status(403).text("blocked"),
            expected: (69, UNAVAILABLE, "authority-unexpected"),
            says: &["403"],
            ..CLIENT_ROW
        },
        Row {
            name: "it redirects, and the secret does not follow",
            identity: |request| {
                Answer::status(307)
                    .header("location", format!("http://{}/x", request.header("host")))
            },
            expected: (69, UNAVAILABLE, "authority-unexpected"),
            says: &["307"],
            requests: Some((1, 0)),
            ..CLIENT_ROW
        },
        Row {
            name: "a token without an expiry",
            identity: |_| Answer::json(200, format!(r#"{{"access_token":"{TOKEN}"}}"#)),
            expected: (69, UNAVAILABLE, "authority-unexpected"),
            says: &["expires"],
            ..CLIENT_ROW
        },
        Row {
            name: "a retry-after longer than the timeout",
            identity: |_| Answer::status(429).header("retry-after", "3600"),
            expected: (75, "throttled", "authority-throttled"),
            says: &["throttling"],
            requests: Some((1, 0)),
            ..CLIENT_ROW
        },
        Row {
            name: "plain where TLS is due",
            variables: &[AUTHORITY, CLIENT, TENANT, SECRET],
            expected: (78, "configuration", "setting-malformed"),
            says: &["`AZURE_AUTHORITY_HOST`", "`https`"],
            requests: Some((0, 0)),
            ..CLIENT_ROW
        },
        Row {
            name: "a malformed tenant",
            variables: &[AUTHORITY, CLIENT, ("AZURE_TENANT_ID", "../common"), SECRET, PLAIN],
            expected: (78, "configuration", "setting-malformed"),
            says: &["`AZURE_TENANT_ID`"],
            requests: Some((0, 0)),
            ..CLIENT_ROW
        },
    ]);
}

#[test]
fn unusable_credential_files_are_named() {
    refused(&[
        Row {
            name: "a missing certificate",
            variables: &[
                AUTHORITY,
                CLIENT,
                TENANT,
                ("AZURE_CLIENT_CERTIFICATE_PATH", "{folder}/missing.pem"),
                PLAIN,
            ],
            expected: FILE,
            says: &["`AZURE_CLIENT_CERTIFICATE_PATH`", "missing.pem", "no such file"],
            requests: Some((0, 0)),
            ..CLIENT_ROW
        },
        Row {
            name: "a certificate without its key",
            variables: &[
                AUTHORITY,
                CLIENT,
                TENANT,
                ("AZURE_CLIENT_CERTIFICATE_PATH", "{ca}"),
                PLAIN,
            ],
            expected: FILE,
            says: &["no private key"],
            requests: Some((0, 0)),
            ..CLIENT_ROW
        },
        Row {
            name: "a federated token that is a folder",
            variables: &[
                AUTHORITY,
                CLIENT,
                TENANT,
                ("AZURE_FEDERATED_TOKEN_FILE", "{folder}"),
                PLAIN,
            ],
            expected: FILE,
            says: &["workload-identity", "cannot be read"],
            requests: Some((0, 0)),
            ..CLIENT_ROW
        },
        Row {
            name: "a malformed federated token",
            variables: &[AUTHORITY, CLIENT, TENANT, ("AZURE_FEDERATED_TOKEN_FILE", "{ca}"), PLAIN],
            expected: FILE,
            says: &["no token in it"],
            requests: Some((0, 0)),
            ..CLIENT_ROW
        },
        Row {
            name: "no user's token",
            flags: &["--identity=on-behalf-of", "--user-assertion-file={folder}/missing"],
            expected: FILE,
            says: &["on-behalf-of", "missing"],
            requests: Some((0, 0)),
            ..CLIENT_ROW
        },
    ]);
}

#[test]
fn a_missing_login_or_person_is_reported() {
    refused(&[
        Row {
            name: "no tool",
            flags: &["--identity=azure-cli,azure-powershell"],
            variables: &[("PATH", "/nowhere")],
            expected: (79, "not-configured", "no-identity"),
            says: &["`az` is not in `PATH`", "`pwsh` is not in `PATH`"],
            requests: Some((0, 0)),
            ..ROW
        },
        Row {
            name: "no person who could enter a code",
            flags: &["--identity=device-code"],
            expected: (78, "configuration", "terminal-required"),
            says: &["terminal"],
            requests: Some((0, 0)),
            ..CLIENT_ROW
        },
        Row {
            name: "a pipeline without its variables",
            flags: &["--identity=azure-pipelines"],
            expected: (79, "not-configured", "no-identity"),
            says: &["`AZURESUBSCRIPTION_CLIENT_ID`"],
            requests: Some((0, 0)),
            ..CLIENT_ROW
        },
        Row {
            name: "an id that an application cannot carry",
            flags: &["--client-id=22222222-2222-4222-8222-222222222222"],
            expected: (78, "configuration", "identity-id-unsupported"),
            says: &["`--client-id`", "environment (client-secret)"],
            requests: Some((0, 0)),
            ..CLIENT_ROW
        },
    ]);
}
