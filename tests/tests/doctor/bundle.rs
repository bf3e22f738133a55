//! The file for a ticket, in which nothing is secret.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use vaultlet_tests::sandbox::{in_namespace, skipped};

use super::*;

#[test]
fn the_bundle_has_what_was_seen_and_nothing_secret() {
    let local = local();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ticket.json");
    let to = path.to_str().unwrap();
    let proxy = local.proxy().trim_start_matches("http://");
    let msi = local.environment().iter().find(|(name, _)| name == "MSI_SECRET").unwrap().1.clone();
    let place = Place::without_reference(&local)
        .unset(&["HTTPS_PROXY", "https_proxy"])
        .set("HTTPS_PROXY", format!("http://sentinel-user:sentinel-password@{proxy}"))
        .set("DB_PASSWORD", "akv://job/db-password?default=sentinel-default")
        .set("WRONG", "akv://job/sentinel_name?x=sentinel-query")
        .set("AZURE_CLIENT_CERTIFICATE_PASSWORD", "sentinel-certificate")
        .set("UNRELATED", "sentinel-unrelated");
    let ended = place.run(&["--bundle", to]);
    assert_eq!(ended.code, 65, "{}{}", ended.stdout, ended.stderr);
    let text = fs::read_to_string(&path).unwrap();
    for secret in ["sentinel", &msi, "eyJ", "UNRELATED"] {
        assert!(!text.contains(secret), "{secret}: {text}");
    }
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let bundle: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(bundle["checks"].as_array().unwrap().len(), ended.stdout.lines().count());
    assert!(bundle["plan"]["servers"].is_array(), "{text}");
    let variable = |name: &str| {
        let variables = bundle["variables"].as_array().unwrap();
        variables.iter().find(|it| it["name"] == name).cloned().unwrap_or_default()
    };
    assert_eq!(variable("HTTPS_PROXY")["value"], local.proxy());
    assert_eq!(variable("MSI_SECRET"), serde_json::json!({"name": "MSI_SECRET"}));
    assert_eq!(variable("DB_PASSWORD"), serde_json::json!({"name": "DB_PASSWORD"}));
    // Nothing is replaced, and nothing is asked either.
    local.reset_counters();
    let again = place.run(&["--bundle", to]);
    assert_eq!((again.code, again.stdout.as_str()), (73, ""), "{}", again.stderr);
    assert!(again.stderr.contains("(bundle-exists)"), "{}", again.stderr);
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
    assert_eq!(local.counters().tokens_issued, 0);
    let nowhere = place.run(&["--bundle", "/no/such/folder/ticket.json"]);
    assert_eq!(nowhere.code, 69, "{}", nowhere.stderr);
}

/// What flags have, values of a few bytes, and what a tool says of a person.
#[test]
fn values_of_flags_short_ones_and_people_are_not_in_the_bundle() {
    let local = local();
    let folder = tempfile::tempdir().unwrap();
    let bundled = |name: &str, place: Place, words: &[&str]| {
        let path = folder.path().join(name);
        let ended = place.run(&["--bundle", path.to_str().unwrap()]);
        let text = fs::read_to_string(&path).unwrap_or_else(|_| panic!("{ended:?}"));
        for word in words {
            assert!(ended.stdout.contains(word), "{name}: {word}: {}", ended.stdout);
            assert!(!text.contains(word), "{name}: {word}: {text}");
        }
        text
    };
    let flag = |flag: &str, value: &str| Place::job(&local).argument(flag).argument(value);
    bundled("ca", flag("--ca-file", "/home/sentinel/ca.pem"), &["/home/sentinel"]);
    bundled("resolve", flag("--resolve", "sentinel-of-rule"), &["sentinel-of-rule"]);
    bundled("id", flag("--client-id", "sentinel-id"), &[]);
    bundled("cloud", flag("--cloud", "sentinel-cloud"), &[]);
    bundled("short", flag("--resolve", "a.b"), &["`a.b`"]);
    let refusing = Server::plain(|_| {
        Answer::json(
            400,
            r#"{"error":"unauthorized_client","error_description":"tenant 'corp5' is not there"}"#,
        )
    });
    let place = Place::job(&local)
        .set("MSI_ENDPOINT", format!("http://127.0.0.1:{}/", refusing.port()))
        .set("AZURE_TENANT_ID", "corp5");
    bundled("a server", place, &["'corp5'"]);
    let az = folder.path().join("az");
    fs::write(
        &az,
        "#!/bin/sh\necho 'ERROR: The user account alice@corp.example is disabled' >&2; exit 1\n",
    )
    .unwrap();
    fs::set_permissions(&az, fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:/usr/bin:/bin", folder.path().display());
    let place = Place::job(&local).argument("--identity").argument("azure-cli").set("PATH", path);
    let text = bundled("a person", place, &["alice@corp.example"]);
    assert!(text.contains("a…@corp.example"), "{text}");
}

/// Each variable that vaultlet reads, with a secret in each place where it has room for one, in a network that leads
/// nowhere.
#[test]
fn no_variable_gets_into_the_bundle() {
    let folder = tempfile::tempdir().unwrap();
    let Some((unshare, namespace)) = in_namespace("ip link set lo up", [vaultlet()]) else {
        return skipped("variables in a bundle", "namespaces are not permitted");
    };
    let run = |variables: &[(String, String)], arguments: &[&str]| {
        Run::program(&unshare)
            .arguments(&namespace)
            .arguments(arguments)
            .environment(variables.iter().cloned())
            .end()
    };
    let plan = run(&[], &["plan", "-o", "json", "--identity", &LABELS.join(",")]);
    let plan: Value = serde_json::from_str(&plan.stdout).unwrap();
    let planned = plan["variables"].as_array().unwrap().iter().map(|it| it.as_str().unwrap());
    let names: Vec<_> = planned.chain(OTHERS).collect();
    assert!(names.len() > 50, "{names:?}");
    let shapes: [&str; SHAPES] = [
        "sentinel-Plain",
        "/sentinel-Folder/sentinel-File",
        "http://sentinel-User:sentinel-Password@127.0.0.1:9/sentinel-Path?sentinel-Name=sentinel-Query#sentinel-End",
        "https://127.0.0.1:9/sentinel-Path/?sentinel-Name=sentinel-Query",
        "akv://job/sentinel_Name?sentinel-Query",
    ];
    // All at once, then each alone, with right ids beside it.
    let mut places: Vec<Vec<(String, String)>> = Vec::new();
    for (number, shape) in shapes.into_iter().enumerate() {
        places.push(names.iter().map(|name| ((*name).to_owned(), shape.to_owned())).collect());
        for name in names.iter().skip(number).step_by(SHAPES) {
            let with = |(id, value): (&str, &str)| (id.to_owned(), value.to_owned());
            let mut place: Vec<_> =
                IDS.into_iter().map(with).filter(|(id, _)| id != name).collect();
            place.push(((*name).to_owned(), shape.to_owned()));
            places.push(place);
        }
    }
    let next = std::sync::atomic::AtomicUsize::new(0);
    std::thread::scope(|scope| {
        let work = || {
            while let Some(place) =
                places.get(next.fetch_add(1, std::sync::atomic::Ordering::Relaxed))
            {
                let number = next.fetch_add(0, std::sync::atomic::Ordering::Relaxed);
                let thread = std::thread::current().id();
                let path = folder.path().join(format!("{number}-{thread:?}"));
                let to = path.to_str().unwrap();
                let ended = run(place, &["doctor", "--timeout", "3", "--bundle", to]);
                let text =
                    fs::read_to_string(&path).unwrap_or_else(|_| panic!("{place:?}: {ended:?}"));
                let lower = text.to_lowercase();
                assert!(!lower.contains("sentinel"), "{place:?}: {text}");
                // On a terminal an error shows the path of a file, and the one setting that has no secret.
                let shows = |name: &str| {
                    ["_FILE", "_PATH", "VAULTLET_RESOLVE"].iter().any(|it| name.ends_with(it))
                };
                let is_quoted = place.iter().any(|(name, _)| shows(name));
                for secret in ["sentinel-Password", "sentinel-Query"] {
                    let is_shown = ended.stdout.contains(secret) && !is_quoted;
                    assert!(!is_shown, "{place:?}: {}", ended.stdout);
                }
            }
        };
        (0..4).for_each(|_| drop(scope.spawn(work)));
    });
}

/// How many forms of values there are.
const SHAPES: usize = 5;

const LABELS: [&str; 9] = [
    "environment",
    "workload-identity",
    "azureml-obo",
    "managed-identity",
    "azure-cli",
    "azure-developer-cli",
    "azure-powershell",
    "azure-pipelines",
    "on-behalf-of",
];

const OTHERS: [&str; 18] = [
    "VAULTLET_IDENTITY",
    "VAULTLET_EXCLUDE",
    "VAULTLET_CLIENT_ID",
    "VAULTLET_OBJECT_ID",
    "VAULTLET_RESOURCE_ID",
    "VAULTLET_ADDITIONAL_TENANTS",
    "VAULTLET_CLOUD",
    "VAULTLET_CA_FILE",
    "VAULTLET_RESOLVE",
    "VAULTLET_ALLOW_HTTP_LOOPBACK",
    "VAULTLET_ALLOW_HTTP_IDENTITY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "SSL_CERT_FILE",
    "AZURE_CLIENT_CERTIFICATE_PASSWORD",
    "ANYTHING",
    "PATH_OF_SOMETHING",
];

/// What makes other variables count.
const IDS: [(&str, &str); 3] = [
    ("AZURE_CLIENT_ID", "00000000-1111-2222-3333-444444444444"),
    ("AZURE_TENANT_ID", "00000000-1111-2222-3333-555555555555"),
    ("VAULTLET_EXCLUDE", "azure-cli,azure-developer-cli,azure-powershell"),
];
