//! Settings as people set them: with white space around them, in another case, cut short. Every setting of
//! the table and every variable of a source is here.

use super::*;
use crate::{
    context::{Context, FileError, Request, Response, SendError},
    settings::{Reader, SETTINGS, Settings},
    words::scrub::Scrubbed,
};
use core::{cell::RefCell, time::Duration};

const APP: [(&str, &str); 3] = [
    ("AZURE_CLIENT_ID", GUID),
    ("AZURE_TENANT_ID", "contoso.example"),
    ("AZURE_CLIENT_SECRET", "client-s3cret"),
];
const SPARK: [(&str, &str); 9] = [
    ("AZUREML_DATAPREP_TOKEN_PROVIDER", "sparkobo"),
    ("AZUREML_OBO_CANARY_TOKEN", "c4nary"),
    ("AZUREML_OBO_SERVICE_ENDPOINT", "obo.example"),
    ("AZUREML_SYNAPSE_CLUSTER_IDENTIFIER", "cluster"),
    ("AZUREML_SYNAPSE_TOKEN_SERVICE_ENDPOINT", "synapse.example"),
    ("AZUREML_ARM_SUBSCRIPTION", "sub"),
    ("AZUREML_ARM_RESOURCEGROUP", "group"),
    ("AZUREML_ARM_WORKSPACE_NAME", "space"),
    ("AZUREML_OBO_USER_TOKEN_FOR_SPARK_RETRIEVAL_API", "api"),
];
const PIPELINES: [(&str, &str); 6] = [
    ("VAULTLET_IDENTITY", "azure-pipelines"),
    ("AZURESUBSCRIPTION_CLIENT_ID", GUID),
    ("AZURESUBSCRIPTION_TENANT_ID", "contoso.example"),
    ("AZURESUBSCRIPTION_SERVICE_CONNECTION_ID", GUID),
    ("SYSTEM_ACCESSTOKEN", "p1peline"),
    ("SYSTEM_OIDCREQUESTURI", "https://dev.azure.example/oidc"),
];
const WORKLOAD: [(&str, &str); 3] = [
    ("AZURE_CLIENT_ID", GUID),
    ("AZURE_TENANT_ID", "contoso.example"),
    ("AZURE_FEDERATED_TOKEN_FILE", "/run/token"),
];
const APP_SERVICE: [(&str, &str); 2] =
    [("IDENTITY_ENDPOINT", "https://127.0.0.1:1/i"), ("IDENTITY_HEADER", "msi-s3cret")];

type Variables<'a> = &'a [(&'a str, &'a str)];

/// A context whose servers refuse every request.
struct Refusing(ScriptedContext, RefCell<Vec<String>>);

impl Context for Refusing {
    fn send(&self, request: Request) -> Result<Response, SendError> {
        let headers = request.headers.iter().map(|(name, value)| (*name, value.reveal()));
        let headers: Vec<_> = headers.collect();
        let body = request.body.as_ref().map(SecretString::reveal).unwrap_or_default();
        self.1.borrow_mut().push(format!("{} {headers:?} {body}", request.url));
        Ok(Response { status: 400, headers: Vec::new(), body: Vec::new().into() })
    }

    fn variable(&self, name: &str) -> Option<String> {
        self.0.variable(name)
    }

    fn now(&self) -> i64 {
        self.0.now()
    }

    fn monotonic(&self) -> Duration {
        self.0.monotonic()
    }

    fn wait(&self, duration: Duration) {
        self.0.wait(duration);
    }

    fn random(&self, bytes: &mut [u8]) {
        self.0.random(bytes);
    }

    fn read_file(&self, path: &str, max: usize) -> Result<Scrubbed<Vec<u8>>, FileError> {
        self.0.read_file(path, max)
    }

    fn is_file(&self, path: &str) -> bool {
        self.0.is_file(path)
    }

    fn has_host_services(&self) -> bool {
        self.0.has_host_services()
    }

    fn can_prompt(&self) -> bool {
        self.0.can_prompt()
    }

    fn prompt(&self, line: &str) {
        self.0.prompt(line);
    }
}

/// Asks for a token that nobody gives, and returns what was sent and the error.
fn ask_in_vain(variables: &[(&str, &str)]) -> (Vec<String>, Error) {
    let script = ScriptedContext::new(variables).file("/run/token", "f3derated.t0k.en");
    let world = Refusing(script, RefCell::default());
    let memory = Memory::default();
    let request = TokenRequest::parse("https://vault.azure.net", None, None, None).unwrap();
    let result = Call::new(&world, &memory).and_then(|call| token(&call, &request));
    (world.1.take(), result.err().unwrap())
}

/// What was sent, and how the call ended.
fn outcome(variables: &[(&str, &str)]) -> (Vec<String>, String) {
    let (sent, error) = ask_in_vain(variables);
    (sent, error.line())
}

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

#[test]
fn a_source_of_several_variables_names_those_that_are_missing() {
    let endpoint = ("IDENTITY_ENDPOINT", "http://127.0.0.1:1/i");
    for (identity, variables, says) in [
        (
            "workload-identity",
            &WORKLOAD[1..],
            "`AZURE_CLIENT_ID` is not set, though `AZURE_TENANT_ID` and `AZURE_FEDERATED_TOKEN_FILE` are",
        ),
        ("workload-identity", &WORKLOAD[..2], "`AZURE_FEDERATED_TOKEN_FILE` is not set, though"),
        ("workload-identity", &[WORKLOAD[0], WORKLOAD[2]], "`AZURE_TENANT_ID` is not set, though"),
        (
            "workload-identity",
            &[],
            "`AZURE_CLIENT_ID`, `AZURE_TENANT_ID` and `AZURE_FEDERATED_TOKEN_FILE` are not set",
        ),
        (
            "workload-identity",
            &[WORKLOAD[1], ("VAULTLET_CLIENT_ID", GUID)],
            "`AZURE_FEDERATED_TOKEN_FILE` is not set, though `AZURE_TENANT_ID` is",
        ),
        (
            "environment",
            &APP[1..],
            "`AZURE_CLIENT_ID` is not set, though `AZURE_TENANT_ID` and `AZURE_CLIENT_SECRET` are",
        ),
        ("environment", &APP[..2], "`AZURE_CLIENT_SECRET` is not set, though"),
        ("environment", &[APP[0], APP[2]], "`AZURE_TENANT_ID` is not set, though"),
        (
            "environment",
            &[APP[0], ("AZURE_CLIENT_CERTIFICATE_PATH", "x")],
            "`AZURE_TENANT_ID` is not set, though `AZURE_CLIENT_ID` and `AZURE_CLIENT_CERTIFICATE_PATH` are",
        ),
        ("environment", &[APP[0], ("AZURE_USERNAME", "x")], "`AZURE_PASSWORD` is not set, though"),
        (
            "environment",
            &[("AZURE_PASSWORD", "x")],
            "`AZURE_CLIENT_ID` and `AZURE_USERNAME` are not set, though `AZURE_PASSWORD` is",
        ),
        ("azure-pipelines", &PIPELINES[1..5], "`SYSTEM_OIDCREQUESTURI` is not set, though"),
        ("azure-pipelines", &PIPELINES[2..], "`AZURESUBSCRIPTION_CLIENT_ID` is not set, though"),
        (
            "on-behalf-of",
            &[("VAULTLET_USER_ASSERTION_FILE", "x"), APP[0], APP[2]],
            "`AZURE_TENANT_ID` is not set, though",
        ),
        (
            "managed-identity",
            &[endpoint],
            "`IDENTITY_HEADER` is not set, though `IDENTITY_ENDPOINT` is",
        ),
        (
            "managed-identity",
            &[("IDENTITY_HEADER", "x")],
            "`IDENTITY_ENDPOINT` is not set, though `IDENTITY_HEADER` is",
        ),
        (
            "managed-identity",
            &[endpoint, ("IDENTITY_SERVER_THUMBPRINT", "x")],
            "`IDENTITY_HEADER` is not set, though `IDENTITY_ENDPOINT` is",
        ),
        (
            "managed-identity",
            &[("MSI_SECRET", "x")],
            "`MSI_ENDPOINT` is not set, though `MSI_SECRET` is",
        ),
        (
            "managed-identity",
            &[("IMDS_ENDPOINT", "x")],
            "`IDENTITY_ENDPOINT` is not set, though `IMDS_ENDPOINT` is",
        ),
        ("managed-identity", &[("MSI_ENDPOINT", MSI)], "`MSI_SECRET` is not set"),
    ] {
        let mut variables = variables.to_vec();
        variables.push(("VAULTLET_IDENTITY", identity));
        let (_, error) = ask_in_vain(&variables);
        assert!(error.message.contains(says), "{says}\n{}", error.line());
    }
}

#[test]
fn a_workload_s_client_id_may_be_given_by_the_setting_alone() {
    for more in [&[][..], &[("VAULTLET_IDENTITY", "workload-identity")]] {
        let mut variables = WORKLOAD[1..].to_vec();
        variables.push(("VAULTLET_CLIENT_ID", GUID));
        variables.extend(more);
        let (sent, error) = ask_in_vain(&variables);
        assert!(sent[0].contains(&format!("client_id={GUID}")), "{sent:?}");
        assert_eq!(error.id, "authority-unexpected", "{}", error.line());
    }
}

#[test]
fn a_plain_identity_endpoint_at_a_name_is_used_where_it_is_allowed() {
    let sources: [(&str, &[(&str, &str)]); 5] = [
        ("MSI_ENDPOINT", &[("MSI_SECRET", "s")]),
        ("IDENTITY_ENDPOINT", &[("IDENTITY_HEADER", "s")]),
        ("IDENTITY_ENDPOINT", &[("IMDS_ENDPOINT", "s")]),
        ("OBO_ENDPOINT", &[]),
        ("AZURE_POD_IDENTITY_AUTHORITY_HOST", &[]),
    ];
    for (name, more) in sources {
        let ask = |url, allowed| {
            let mut variables = more.to_vec();
            variables.extend([(name, url), ("VAULTLET_ALLOW_HTTP_IDENTITY", allowed)]);
            ask_in_vain(&variables)
        };
        let url = "http://azclicredsproxy:8080/token";
        for allowed in ["azclicredsproxy", "x, AzCliCredsProxy:8080"] {
            let (sent, error) = ask(url, allowed);
            assert!(sent.first().is_some_and(|sent| sent.starts_with(url)), "{}", error.line());
        }
        for allowed in ["", "x", "azclicredsproxy:80", "proxy"] {
            let (sent, error) = ask(url, allowed);
            assert_eq!((sent.len(), error.id.as_str()), (0, "setting-malformed"), "{allowed}");
            let help = "--allow-http-identity azclicredsproxy";
            assert!(error.line().contains(help), "{}", error.line());
        }
        let (sent, error) = ask("http://20.50.1.1/token", "x");
        assert_eq!((sent.len(), error.id.as_str()), (0, "setting-malformed"));
        assert!(!error.line().contains("--allow-http-identity"), "{}", error.line());
    }
}

#[test]
fn a_refused_secret_with_white_space_at_its_end_is_told() {
    let body = r#"{"error":"invalid_client","error_description":"AADSTS7000215: Invalid client secret provided."}"#;
    let url = "POST https://login.microsoftonline.com/contoso.example/oauth2/v2.0/token";
    for (secret, told) in [("hunter2\n", true), (" hunter2", true), ("hunter2", false)] {
        let variables = [APP[0], APP[1], ("AZURE_CLIENT_SECRET", secret)];
        let request = format!("{url} content-type: application/x-www-form-urlencoded | <*>");
        let world = ScriptedContext::new(&variables).answer(&request, 401, &[], body);
        let error = failed(
            ask(&world, &Memory::default()),
            "authority-refused",
            ErrorKind::Unauthenticated,
        );
        let says = "`AZURE_CLIENT_SECRET` begins or ends with white space";
        assert_eq!(error.message.contains(says), told, "{}", error.line());
    }
}

#[test]
fn resources_that_no_request_can_be_for_are_not_lent() {
    let name = crate::settings::RESOURCES_VARIABLE;
    for list in [
        "https://vault.azure.net,",
        ",https://vault.azure.net",
        "https://vault.azure.net,,https://storage.azure.com",
        ",",
        "*",
        "not a uri",
        "a b",
        "https://vault.azure.net/?x",
        "https://vault.azure.net,\u{7f}",
        "/",
        "https://vault.azure.net https://storage.azure.com",
        "https://*.azure.net",
    ] {
        let error = failed(read(name, list), "argument-malformed", ErrorKind::InvalidArgument);
        assert!(error.message.contains("resource"), "{}", error.line());
    }
    for list in ["https://vault.azure.net", " https://vault.azure.net/.default , api://x ", GUID] {
        assert!(read(name, list).is_ok(), "{list}");
    }
}
