//! Malformed references, flags and variables.

use super::*;

/// A row of [`SETTINGS`] from a flag and its malformed value.
macro_rules! setting {
    ($flag:literal, $value:literal) => {{
        const VARIABLE: &str = match $flag.as_bytes() {
            b"timeout" => "VAULTLET_TIMEOUT",
            b"client-id" => "VAULTLET_CLIENT_ID",
            b"object-id" => "VAULTLET_OBJECT_ID",
            b"resource-id" => "VAULTLET_RESOURCE_ID",
            b"cloud" => "VAULTLET_CLOUD",
            b"identity" => "VAULTLET_IDENTITY",
            b"exclude" => "VAULTLET_EXCLUDE",
            b"resolve" => "VAULTLET_RESOLVE",
            b"output" => "VAULTLET_OUTPUT",
            b"log" => "VAULTLET_LOG",
            _ => panic!("a variable for each flag"),
        };
        (
            concat!($flag, " ", $value),
            concat!("--", $flag),
            concat!("--", $flag, "=", $value),
            VARIABLE,
            &[(VARIABLE, $value)],
        )
    }};
}

#[test]
fn a_malformed_reference_is_explained() {
    const LONG: &str = "akv://job/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    let references = [
        "",
        "db-password",
        "akv:",
        "akv://",
        "akv://job",
        "akv://job/",
        "akv:///db-password",
        "akv://job//db-password",
        "akv://job/db_password",
        "akv://job/db password",
        "akv://job/db%2Dpassword",
        "akv://job/../secrets",
        "akv://job/pässword",
        "akv://job/x/latest",
        "akv://job/x/0123456789abcdef0123456789abcde",
        "akv://job/x/0123456789abcdef0123456789abcdef/x",
        "akv://job/x#fragment",
        "akv://job/x?json",
        "akv://job/x?json=user",
        "akv://job/x?json=/a~2",
        "akv://job/x?json=/a&json=/b",
        "akv://job/x?nonsense=1",
        "akv://job/x?as=file",
        "akv://j/x",
        "akv://1job/x",
        "akv://job-/x",
        "akv://jo--b/x",
        "akv://job:99999/x",
        "akv://job:0/x",
        "akv://user@job.vault.azure.net/x",
        "akv://job.vault.azure.net\\@evil.test/x",
        "akv://[::1/x",
        "akv://job.vault.azure.net:/x/y/z/",
        "AKV//job/x",
        "ftp://job.vault.azure.net/secrets/x",
        "http://job.vault.azure.net/secrets/x",
        "http://127.0.0.1:8080/secrets/x",
        "https://job.vault.azure.net/",
        "https://job.vault.azure.net/keys/x",
        "https://job.vault.azure.net/secrets/",
        "https://user:hidden@job.vault.azure.net/secrets/x",
        "https:///secrets/x",
        "@Microsoft.KeyVault(",
        "@Microsoft.KeyVault()",
        "@Microsoft.KeyVault(VaultName=job)",
        "@Microsoft.KeyVault(SecretName=x)",
        "@Microsoft.KeyVault(VaultName=job;SecretName=x;Nonsense=1)",
        "@Microsoft.KeyVault(VaultName=job;VaultName=job;SecretName=x)",
        "@Microsoft.KeyVault(SecretUri=http://job.vault.azure.net/secrets/x)",
        "@Microsoft.KeyVault(SecretUri=https://job.vault.azure.net/secrets/x;VaultName=job)",
        LONG,
    ];
    for chunk in references.chunks(13) {
        let rows: Vec<_> = chunk
            .iter()
            .map(|&reference| Row {
                name: reference,
                reference,
                expected: (65, "invalid-argument", "reference-malformed"),
                requests: Some((0, 0)),
                ..ROW
            })
            .collect();
        refused(&rows);
    }
}

/// A malformed setting: the row's name, the flag, the flag with its value, the variable, and the variable
/// with its value.
type Setting = (
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    &'static [(&'static str, &'static str)],
);

const SETTINGS: &[Setting] = &[
    setting!("timeout", "soon"),
    setting!("timeout", "0"),
    setting!("timeout", "-1"),
    setting!("timeout", "1e9"),
    setting!("timeout", "NaN"),
    setting!("client-id", "not-a-guid"),
    setting!("object-id", "not-a-guid"),
    setting!("resource-id", "not-an-id"),
    setting!("cloud", "mars"),
    setting!("identity", "nobody"),
    setting!("identity", "auto,managed-identity"),
    setting!("exclude", "nobody"),
    setting!("resolve", "job.vault.azure.net"),
    setting!("resolve", "job.vault.azure.net:443:not-an-address"),
    setting!("output", "xml"),
    setting!("log", "loud"),
];

/// A malformed flag is a usage error that names the flag; a malformed variable is a configuration error
/// that names the variable.
#[test]
fn a_malformed_setting_is_named_as_it_was_given() {
    let plain = |row: &Row| check_line(row, &Scene::new(row).run(row, &[]));
    std::thread::scope(|scope| {
        for (name, flag, given, variable, variables) in SETTINGS {
            scope.spawn(move || {
                plain(&Row {
                    name,
                    network: std::slice::from_ref(given),
                    expected: (64, "usage", "usage"),
                    says: std::slice::from_ref(flag),
                    ..ROW
                });
                plain(&Row {
                    name,
                    network: &[],
                    variables,
                    expected: (78, "configuration", "setting-malformed"),
                    says: std::slice::from_ref(variable),
                    ..ROW
                });
            });
        }
    });
}

#[test]
fn wrong_arguments_are_usage_errors() {
    let both = "--object-id=11111111-1111-4111-8111-111111111111";
    let arguments: [(&[&str], &str); 5] = [
        (&["get"], "REFERENCE"),
        (&["get", "akv://job/x", "--nonsense"], "--nonsense"),
        (&["get", "akv://job/x", "akv://job/y"], "--output value"),
        (
            &["get", "akv://job/x", "--client-id=11111111-1111-4111-8111-111111111111", both],
            "--object-id",
        ),
        (&["token"], "--reveal"),
    ];
    for (given, word) in arguments {
        let ended = Run::vaultlet(given).end();
        let row = Row { name: word, expected: (64, "usage", "usage"), ..ROW };
        check_line(&row, &ended);
        assert!(ended.stderr.contains(word), "`{word}` is not named: {}", ended.stderr);
        if !word.contains("--output") {
            check_json(&row, &Run::vaultlet(given).arguments(["-o", "json"]).end());
        }
    }
}

#[test]
fn contradictory_or_useless_settings_are_named() {
    refused(&[
        Row {
            name: "two ids",
            variables: &[
                ("VAULTLET_CLIENT_ID", "11111111-1111-4111-8111-111111111111"),
                ("VAULTLET_OBJECT_ID", "11111111-1111-4111-8111-111111111111"),
            ],
            expected: (78, "configuration", "settings-conflict"),
            says: &["`VAULTLET_CLIENT_ID`", "`VAULTLET_OBJECT_ID`"],
            ..ROW
        },
        Row {
            name: "an id that the source cannot carry",
            flags: &["--object-id=11111111-1111-4111-8111-111111111111"],
            expected: (78, "configuration", "identity-id-unsupported"),
            says: &["object id", "client id"],
            requests: Some((0, 0)),
            ..ROW
        },
        Row {
            name: "Azure's client id",
            variables: &[BY_ENDPOINT, BY_SECRET, ("AZURE_CLIENT_ID", "not-a-guid")],
            expected: (78, "configuration", "setting-malformed"),
            says: &["`AZURE_CLIENT_ID`"],
            requests: Some((0, 0)),
            ..ROW
        },
        Row {
            name: "an endpoint that is no URL",
            variables: &[("MSI_ENDPOINT", "not a url"), BY_SECRET],
            expected: (78, "configuration", "setting-malformed"),
            says: &["`MSI_ENDPOINT`"],
            ..ROW
        },
        Row {
            name: "an endpoint far away, in plain text",
            variables: &[("MSI_ENDPOINT", "http://identity.example.test/token"), BY_SECRET],
            expected: (78, "configuration", "setting-malformed"),
            says: &["`MSI_ENDPOINT`", "https"],
            ..ROW
        },
        Row {
            name: "every source excluded",
            flags: &["--identity=managed-identity", "--exclude=managed-identity"],
            expected: (79, "not-configured", "no-identity"),
            says: &["no source"],
            requests: Some((0, 0)),
            ..ROW
        },
    ]);
}
