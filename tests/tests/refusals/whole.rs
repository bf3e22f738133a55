//! Unusual but correct environments: the value is printed in full.

use super::*;

#[test]
fn values_of_every_size_are_printed_whole() {
    let longest = "é".repeat(12_800);
    assert_eq!(longest.len(), 25_600);
    gets("", |_| Answer::json(200, r#"{"value":""}"#));
    gets(&longest, |_| Answer::json(200, format!(r#"{{"value":"{}"}}"#, "é".repeat(12_800))));
    // Six bytes of JSON for each character.
    gets(&longest, |_| Answer::json(200, format!(r#"{{"value":"{}"}}"#, r"\u00e9".repeat(12_800))));
    gets(&"\u{1}".repeat(25_600), |_| {
        Answer::json(200, format!(r#"{{"value":"{}"}}"#, r"\u0001".repeat(25_600)))
    });
    gets("a\n\"b\"\t\\\u{0}é🔑\r\n", |_| {
        Answer::json(200, r#"{"value":"a\n\"b\"\t\\\u0000é\ud83d\udd11\r\n"}"#)
    });
}

#[test]
fn a_transient_failure_is_retried() {
    let row = Row { identity: first_busy, vault: first_busy_vault, ..ROW };
    let scene = Scene::new(&row);
    let ended = scene.run(&row, &["--log=debug"]);
    assert_eq!((ended.code, &*ended.stdout), (0, VALUE), "{}", ended.stderr);
    assert_eq!((scene.requests(&scene.identity), scene.requests(&scene.vault)), (2, 2));
    ended.reveals_none_of(&[VALUE, MSI_SECRET, TOKEN], false);
}

/// Throttles the first request to each server, which its port identifies.
fn first_busy(request: &Request) -> Answer {
    if is_first(request) { Answer::status(503).header("retry-after", "0") } else { token(request) }
}

fn first_busy_vault(request: &Request) -> Answer {
    if is_first(request) {
        fault(429, "Throttled", None).header("retry-after", "0")
    } else {
        secret(request)
    }
}

fn is_first(request: &Request) -> bool {
    use std::collections::HashSet;
    use std::sync::Mutex;
    static SEEN: Mutex<Option<HashSet<String>>> = Mutex::new(None);
    let host = request.header("host").to_owned();
    SEEN.lock().unwrap().get_or_insert_default().insert(host)
}

#[test]
fn empty_variables_are_unset() {
    let mut variables: Vec<(&str, &str)> = [
        "VAULTLET_IDENTITY",
        "VAULTLET_EXCLUDE",
        "VAULTLET_CLIENT_ID",
        "VAULTLET_OBJECT_ID",
        "VAULTLET_RESOURCE_ID",
        "VAULTLET_CLOUD",
        "VAULTLET_TIMEOUT",
        "VAULTLET_CA_FILE",
        "VAULTLET_RESOLVE",
        "VAULTLET_ALLOW_HTTP_LOOPBACK",
        "VAULTLET_OUTPUT",
        "VAULTLET_LOG",
        "AZURE_AUTHORITY_HOST",
        "AZURE_CLIENT_ID",
        "AZURE_CLIENT_SECRET",
        "AZURE_TENANT_ID",
        "AZURE_FEDERATED_TOKEN_FILE",
        "AZURE_TOKEN_CREDENTIALS",
        "DEFAULT_IDENTITY_CLIENT_ID",
        "IDENTITY_ENDPOINT",
        "IDENTITY_HEADER",
        "OBO_ENDPOINT",
        "HTTPS_PROXY",
        "https_proxy",
        "NO_PROXY",
        "SSL_CERT_FILE",
    ]
    .map(|name| (name, ""))
    .to_vec();
    variables.extend(ROW.variables);
    let row = Row { variables: variables.leak(), ..ROW };
    let ended = Scene::new(&row).run(&row, &[]);
    assert_eq!((ended.code, &*ended.stdout, &*ended.stderr), (0, VALUE, ""));
}

/// The metadata service gets a probe without the header of a token request, then a token request.
#[test]
fn a_metadata_service_is_found_without_any_variable() {
    let row = Row {
        identity: |request| match request.header("metadata") {
            "true" => token(request),
            _ => Answer::json(400, r#"{"error":"invalid_request"}"#),
        },
        flags: &["--resolve=169.254.169.254:80:127.0.0.1:{identity}"],
        variables: &[],
        ..ROW
    };
    let scene = Scene::new(&row);
    let ended = scene.run(&row, &[]);
    assert_eq!((ended.code, &*ended.stdout), (0, VALUE), "{}", ended.stderr);
    let identity = scene.identity.as_ref().unwrap().requests();
    assert_eq!(identity.len(), 2, "{identity:?}");
    assert!(
        identity
            .iter()
            .all(|request| request.target.starts_with("/metadata/identity/oauth2/token"))
    );
}

/// `VAULTLET_RESOLVE` is a list, as `--resolve` can be repeated.
#[test]
fn addresses_may_be_set_by_a_variable() {
    let row = Row {
        network: &["--ca-file={ca}"],
        variables: &[
            BY_ENDPOINT,
            BY_SECRET,
            (
                "VAULTLET_RESOLVE",
                "other.vault.azure.net:443:127.0.0.1:{vault}, job.vault.azure.net:443:127.0.0.1:{vault}",
            ),
        ],
        ..ROW
    };
    let ended = Scene::new(&row).run(&row, &[]);
    assert_eq!((ended.code, &*ended.stdout), (0, VALUE), "{}", ended.stderr);
}

/// A valid challenge may follow a challenge of another scheme.
#[test]
fn an_unknown_vault_gets_a_request_without_a_token_first() {
    let row = Row {
        vault: |request| {
            match request.header("authorization") {
            "" => Answer::status(401).header("www-authenticate", "Negotiate").header(
                "www-authenticate",
                r#"Bearer authorization="https://login.example.test/t", resource="https://example.test""#,
            ),
            _ => secret(request),
        }
        },
        reference: "akv://kv.example.test/db-password",
        ..ROW
    };
    let scene = Scene::new(&row);
    let ended = scene.run(&row, &[]);
    assert_eq!((ended.code, &*ended.stdout), (0, VALUE), "{}", ended.stderr);
    let identity = scene.identity.as_ref().unwrap().requests();
    assert!(
        identity
            .iter()
            .all(|request| request.target.contains("resource=https%3A%2F%2Fexample.test"))
    );
    assert_eq!((identity.len(), scene.requests(&scene.vault)), (1, 2));
}

fn gets(value: &str, vault: fn(&Request) -> Answer) {
    let row = Row { vault, ..ROW };
    let ended = Scene::new(&row).run(&row, &[]);
    assert_eq!((ended.code, &*ended.stderr), (0, ""));
    assert!(ended.stdout == value, "{} bytes instead of {}", ended.stdout.len(), value.len());
    let ended = Scene::new(&row).run(&row, &["-o", "json"]);
    let json: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert!(json["value"] == value, "as JSON");
}
