//! Every case of `tests/cases`, twice: the guest's core natively in a scripted world, and the
//! component in the host against scripted servers. Both must send the same and end the same.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod component;
mod native;

use std::io::{Write as _, stderr};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;
use vaultlet_guest::testing::START;
use vaultlet_tests::case::{Case, Exchange, Suite, rendered, suites};
use vaultlet_tests::root;

use component::component;
use native::native;

/// Cases at once: each waits more than it computes.
const AT_ONCE: usize = 4;
/// Variables that hold a secret.
const SECRET_VARIABLES: [&str; 4] =
    ["MSI_SECRET", "IDENTITY_HEADER", "AZURE_CLIENT_SECRET", "AZURE_PASSWORD"];
/// Members of a body that do.
const SECRET_MEMBERS: [&str; 3] = ["access_token", "token", "value"];

/// A case that holds.
const GOOD: &str = r#"
purpose = "a good case"
get = "akv://job/db-password"
environment = { MSI_ENDPOINT = "http://127.0.0.1:46808/MSI/auth", MSI_SECRET = "msi-s3cret" }
expect = { value = "hunter2-value", content-type = "text/plain" }
[[exchange]]
request = "GET http://127.0.0.1:46808/MSI/auth?api-version=2017-09-01&resource=https%3A%2F%2Fvault.azure.net"
with = { secret = "msi-s3cret" }
body = '{"access_token":"T0KEN","expires_on":<now+3600>}'
[[exchange]]
request = "GET https://job.vault.azure.net/secrets/db-password?api-version=2025-07-01"
with = { authorization = "Bearer T0KEN" }
body = '{"value":"hunter2-value","contentType":"text/plain"}'
"#;

#[test]
fn each_case_natively_and_in_the_component() {
    let suites = suites(&root().join("tests/cases")).unwrap();
    let cases: Vec<(String, &Case)> = suites
        .iter()
        .flat_map(|suite| suite.cases.iter().map(|(n, c)| (format!("{}/{n}", suite.name), c)))
        .collect();
    let next = AtomicUsize::new(0);
    let wrong = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some((name, case)) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    for (form, result) in
                        [("natively", native(case)), ("component", component(case))]
                    {
                        if let Err(why) = result {
                            wrong.lock().unwrap().push(format!("{name}, {form}: {why}"));
                        }
                    }
                }
            });
        }
    });
    for Suite { name, cases } in &suites {
        // Not by `println`, which the test harness keeps to itself.
        let count = cases.len();
        let _ = writeln!(stderr(), "{name}: {count} cases, each natively and in the component");
    }
    let mut wrong = wrong.into_inner().unwrap();
    wrong.sort();
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

#[test]
fn a_folder_without_cases_is_a_failure() {
    let folder = tempfile::tempdir().unwrap();
    suites(folder.path()).unwrap_err();
    std::fs::create_dir(folder.path().join("suite")).unwrap();
    suites(folder.path()).unwrap_err();
    suites(Path::new("/nowhere")).unwrap_err();
}

/// Each change makes a good case wrong in one way; both forms must notice just that.
#[test]
fn a_case_that_is_wrong_fails_in_both_forms() {
    let good = Case::parse(GOOD).unwrap();
    native(&good).unwrap();
    component(&good).unwrap();
    for (from, to, why) in [
        (
            "value = \"hunter2-value\"",
            "value = \"hunter3-value\"",
            ["the value is", "the value is"],
        ),
        ("text/plain\" }", "text/html\" }", ["the content type is", "the content type is"]),
        (
            "value = \"hunter2-value\", content-type = \"text/plain\"",
            "error = { kind = \"denied\", id = \"vault-forbidden\" }",
            ["the value is", "the value is"],
        ),
        ("secret = \"msi-s3cret\" }", "secret = \"another\" }", ["left == right", "expected: GET"]),
        ("with = { secret = \"msi-s3cret\" }\n", "", ["left == right", "expected: GET"]),
        ("{ secret =", "{ metadata = \"true\", secret =", ["left == right", "expected: GET"]),
        ("api-version=2017-09-01", "api-version=2018-02-01", ["left == right", "expected: GET"]),
        ("/secrets/db-password?", "/secrets/db-passwort?", ["left == right", "expected: GET"]),
        ("GET https://job.vault", "PUT https://job.vault", ["left == right", "expected: PUT"]),
        ("Bearer T0KEN", "Bearer T1KEN", ["left == right", "expected: GET"]),
        ("expect", "times = 2\nexpect", ["nothing was expected", "expected: nothing"]),
        ("purpose", "hidden = [\"text/plain\"]\npurpose", ["shows", "shows"]),
    ] {
        wrong_in_both(&GOOD.replacen(from, to, 1), why);
    }
    let one_more = "[[exchange]]\nrequest = \"GET https://job.vault.azure.net/\"\n";
    wrong_in_both(&format!("{GOOD}{one_more}"), ["not sent", "not sent"]);
}

#[track_caller]
fn wrong_in_both(text: &str, why: [&str; 2]) {
    let case = Case::parse(text).unwrap_or_else(|error| panic!("{error}: {text}"));
    for (result, why) in [native(&case), component(&case)].into_iter().zip(why) {
        let Err(error) = result else { panic!("not noticed: {text}") };
        assert!(error.contains(why), "noticed otherwise: {error}");
    }
}

/// A request in the form of [`World::answer`].
fn expected(exchange: &Exchange) -> String {
    let headers: String =
        exchange.with.iter().map(|(name, value)| format!(" {name}: {value}")).collect();
    format!("{}{headers}", exchange.request)
}

/// Nothing of what is secret in a case may be in what it shows.
fn scan(case: &Case, shown: &str) -> Result<(), String> {
    let mut hidden = case.hidden.clone();
    let variables = SECRET_VARIABLES.iter().filter_map(|name| case.environment.get(*name));
    hidden.extend(variables.cloned());
    for exchange in &case.exchanges {
        let headers = exchange.with.iter().filter(|(name, _)| *name != "metadata");
        hidden.extend(headers.map(|(_, v)| v.trim_start_matches("Bearer ").to_owned()));
        if let Ok(body) = serde_json::from_str::<Value>(&rendered(&exchange.body, START)) {
            let members = SECRET_MEMBERS.iter().filter_map(|name| body.get(*name)?.as_str());
            hidden.extend(members.map(Into::into));
        }
    }
    for value in hidden.clone() {
        leaves(&serde_json::from_str(&value).unwrap_or_default(), &mut hidden);
    }
    hidden.push("eyJ".into());
    // A shorter one is in any text by chance.
    match hidden.iter().find(|h| h.len() >= 3 && shown.contains(h.as_str())) {
        Some(found) => Err(format!("`{found}` shows: {shown}")),
        None => Ok(()),
    }
}

fn leaves(value: &Value, into: &mut Vec<String>) {
    match value {
        Value::String(text) => into.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| leaves(item, into)),
        Value::Object(members) => members.values().for_each(|member| leaves(member, into)),
        _ => {}
    }
}

fn attempt(source: &str, endpoint: Option<&str>, outcome: &str) -> String {
    match endpoint {
        Some(endpoint) => format!("{source} ({endpoint}): {outcome}"),
        None => format!("{source}: {outcome}"),
    }
}
