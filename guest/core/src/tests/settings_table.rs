//! Settings as people set them: with white space around them, in another case, cut short. Every setting of
//! the table and every variable of a source is here.

use super::{
    in_vain::{APP, APP_SERVICE, PIPELINES, SPARK, Variables, WORKLOAD, ask_in_vain, outcome},
    *,
};
use crate::settings::{Reader, SETTINGS, Settings};

/// With white space around its value every variable means what it means without, or is refused by name
/// before anything is sent. Secrets that go into a form are sent as they are.
#[test]
fn white_space_around_a_value_does_not_count() {
    let groups: [&[(&str, &str)]; 14] = [
        &APP,
        &SPARK,
        &PIPELINES,
        &WORKLOAD,
        &APP_SERVICE,
        &ML,
        &[("MSI_ENDPOINT", MSI), ("MSI_SECRET", "s"), ("DEFAULT_IDENTITY_CLIENT_ID", GUID)],
        &[("MSI_ENDPOINT", MSI), ("MSI_SECRET", "s"), ("AZURE_CLIENT_ID", GUID)],
        &[("IDENTITY_ENDPOINT", "http://127.0.0.1:1/i"), ("IMDS_ENDPOINT", "http://127.0.0.1:2")],
        &[("OBO_ENDPOINT", "http://127.0.0.1:1/x")],
        &[("AZURE_POD_IDENTITY_AUTHORITY_HOST", "http://127.0.0.1:1")],
        &[
            ("AZURE_CLIENT_ID", GUID),
            ("AZURE_USERNAME", "user@contoso.example"),
            ("AZURE_PASSWORD", "p4ssword"),
            ("AZURE_AUTHORITY_HOST", "https://login.contoso.example"),
        ],
        &[
            ("MSI_ENDPOINT", "http://neighbour:1/x"),
            ("MSI_SECRET", "s"),
            ("VAULTLET_ALLOW_HTTP_IDENTITY", "neighbour"),
            ("VAULTLET_TIMEOUT", "3"),
            ("VAULTLET_CLOUD", "public"),
            ("VAULTLET_ALLOW_HTTP_LOOPBACK", "true"),
        ],
        &[
            ("IDENTITY_ENDPOINT", "https://127.0.0.1:1/i"),
            ("IDENTITY_HEADER", "s"),
            ("IDENTITY_SERVER_THUMBPRINT", "0123456789abcdef0123456789abcdef01234567"),
            ("VAULTLET_IDENTITY", "managed-identity"),
            ("VAULTLET_EXCLUDE", "azure-cli"),
        ],
    ];
    for group in groups {
        let expected = outcome(group);
        assert!(!expected.0.is_empty(), "{}", expected.1);
        for (name, value) in group.iter().filter(|(_, value)| !value.is_empty()) {
            if ["AZURE_CLIENT_SECRET", "AZURE_PASSWORD"].contains(name) {
                continue;
            }
            for (before, after) in
                [("", "\n"), (" ", ""), ("\t", "\r\n"), ("", " "), ("\u{a0}", "")]
            {
                let spaced = format!("{before}{value}{after}");
                let mut variables = group.to_vec();
                variables.retain(|(key, _)| key != name);
                variables.push((name, &spaced));
                assert_eq!(outcome(&variables), expected, "{name}={spaced:?}");
            }
        }
    }
}

/// Every setting of the component, with values that it may have in unusual spellings, and values that it
/// may not have.
const TABLE: &[(&str, &[&str], &[&str])] = &[
    (
        "VAULTLET_IDENTITY",
        &["Azure-CLI", " managed , azure-cli ", "auto", "azure-cli,"],
        &["azure-cliX", "azure cli", ",", "auto,azure-cli", "azure-cli;obo"],
    ),
    ("VAULTLET_EXCLUDE", &["Azure-CLI", " obo , managed "], &["azure-cliX", "*", "obo managed"]),
    (
        "VAULTLET_CLIENT_ID",
        &["0A1B2C3D-0000-4000-8000-0123456789AB"],
        &[
            "0a1b2c3d",
            "{0a1b2c3d-0000-4000-8000-0123456789ab}",
            "\u{feff}0a1b2c3d-0000-4000-8000-0123456789ab",
        ],
    ),
    ("VAULTLET_OBJECT_ID", &["0A1B2C3D-0000-4000-8000-0123456789AB"], &["0a1b2c3d", "a b"]),
    (
        "VAULTLET_RESOURCE_ID",
        &["/SUBSCRIPTIONS/a/x"],
        &["subscriptions/a", "/subscriptions/a?b", "/subscriptions/a b"],
    ),
    (
        "VAULTLET_ADDITIONAL_TENANTS",
        &["*", " a.example ; b.example", "a.example;"],
        &["a b", "a/b", "https://a"],
    ),
    ("VAULTLET_USER_ASSERTION_FILE", &["any text"], &[]),
    ("VAULTLET_CLOUD", &["Public", "CHINA", " usgov"], &["germany", "azure", "public,china"]),
    (
        "VAULTLET_TIMEOUT",
        &["10", " 0.5 ", "86400"],
        &["0", "-1", "+1", "1e3", "inf", "NaN", "1s", "1,5", "86401", "1."],
    ),
    ("VAULTLET_ALLOW_HTTP_LOOPBACK", &["True", "FALSE", "1", " 0"], &["yes", "on", "2", "truee"]),
    (
        "VAULTLET_ALLOW_HTTP_IDENTITY",
        &["proxy", " Proxy:8080 , other.example", "proxy,"],
        &[
            "*",
            "http://proxy",
            "proxy:65536",
            "proxy:0x1",
            "proxy:",
            "a b",
            "10.0.0.4",
            "8.8.8.8:80",
            "user@proxy",
            "[::1]",
        ],
    ),
];

fn read(name: &str, value: &str) -> Result<Settings, Error> {
    Settings::read(&|key| (key == name).then(|| value.into()))
}

#[test]
fn every_setting_takes_its_values_in_any_spelling_and_refuses_others_by_name() {
    let mut known: Vec<_> = TABLE.iter().map(|(name, ..)| *name).collect();
    let mut all: Vec<_> = SETTINGS
        .iter()
        .filter(|setting| setting.reader == Reader::Component)
        .map(|setting| setting.variable)
        .collect();
    known.sort_unstable();
    all.sort_unstable();
    assert_eq!(known, all);
    for (name, right, wrong) in TABLE {
        for value in *right {
            let read = read(name, value);
            assert!(read.is_ok(), "{name}={value:?}: {}", read.err().unwrap().line());
        }
        for value in *wrong {
            let error = failed(read(name, value), "setting-malformed", ErrorKind::Configuration);
            assert!(error.message.contains(&format!("`{name}`")), "{}", error.line());
        }
        for unset in ["", " ", "\n", "\u{a0}"] {
            assert!(read(name, unset).is_ok(), "{name}={unset:?}");
        }
    }
}

/// A URL's port is a number up to 65535, and a value that goes into a header is text, wherever it is.
#[test]
fn variables_that_cannot_be_sent_are_refused_before_anything_is() {
    let mut inputs: Vec<(Variables<'_>, &str, String)> = Vec::new();
    let urls: [(&[(&str, &str)], &str); 7] = [
        (&ML, "MSI_ENDPOINT"),
        (&APP_SERVICE, "IDENTITY_ENDPOINT"),
        (&[("IDENTITY_ENDPOINT", ""), ("IMDS_ENDPOINT", "x")], "IDENTITY_ENDPOINT"),
        (&[], "OBO_ENDPOINT"),
        (&[], "AZURE_POD_IDENTITY_AUTHORITY_HOST"),
        (&APP, "AZURE_AUTHORITY_HOST"),
        (&PIPELINES, "SYSTEM_OIDCREQUESTURI"),
    ];
    for (group, name) in urls {
        for port in ["65536", "99999", "0", "", "0x1", "+80", "8 0", "４４３"] {
            inputs.push((group, name, format!("https://127.0.0.1:{port}/x")));
        }
        inputs.push((group, name, "https://user:pw@127.0.0.1/x".into()));
        inputs.push((group, name, "https://127.0.0.1:99999".into()));
    }
    inputs.push((&SPARK, "AZUREML_SYNAPSE_TOKEN_SERVICE_ENDPOINT", "host:70000".into()));
    inputs.push((&WORKLOAD, "AZURE_KUBERNETES_TOKEN_PROXY", "https://proxy:70000".into()));
    let headers: [(&[(&str, &str)], &str); 6] = [
        (&ML, "MSI_SECRET"),
        (&APP_SERVICE, "IDENTITY_HEADER"),
        (&SPARK, "AZUREML_OBO_CANARY_TOKEN"),
        (&SPARK, "AZUREML_OBO_SERVICE_ENDPOINT"),
        (&SPARK, "AZUREML_SYNAPSE_CLUSTER_IDENTIFIER"),
        (&PIPELINES, "SYSTEM_ACCESSTOKEN"),
    ];
    for (group, name) in headers {
        for value in ["a\nb", "a\r\nx: y", "a\u{0}b", "caf\u{e9}", "\u{feff}a", "a\u{7f}"] {
            inputs.push((group, name, value.into()));
        }
    }
    for (name, value) in [
        ("AZURE_CLIENT_ID", "not an id"),
        ("AZURE_TENANT_ID", "a/b"),
        ("AZURE_CLIENT_SEND_CERTIFICATE_CHAIN", "yes"),
    ] {
        let group: &[_] = &[
            ("AZURE_CLIENT_ID", GUID),
            ("AZURE_TENANT_ID", "contoso.example"),
            ("AZURE_CLIENT_CERTIFICATE_PATH", "/run/key.pem"),
        ];
        inputs.push((group, name, value.into()));
    }
    for (group, name, value) in inputs {
        let mut variables = group.to_vec();
        variables.retain(|(key, _)| *key != name);
        variables.push((name, &value));
        let (sent, error) = ask_in_vain(&variables);
        assert_eq!(error.id, "setting-malformed", "{name}={value:?}: {}", error.line());
        assert!(error.message.contains(&format!("`{name}`")), "{}", error.line());
        assert!(sent.is_empty(), "{name}={value:?}: {sent:?}");
    }
}
