//! The cases cannot show that a wrong case fails; these tests do.

use std::path::Path;

use vaultlet_tests::case::{Case, suites, variations};
use vaultlet_tests::root;

use crate::component::{embedded, public};
use crate::native::native;
use crate::scan::scan;

/// A case that passes.
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

/// A case of two calls for a token with claims, neither of which is served from the cache.
const CLAIMS: &str = r#"
purpose = "a good case of two calls"
token = "https://vault.azure.net"
claims = '{"nbf":{"value":"1"}}'
environment = { OBO_ENDPOINT = "http://127.0.0.1:46809/OBO/token" }
expect = { token = "T0KEN.1", expires-in = 3600 }
[[exchange]]
request = "GET http://127.0.0.1:46809/OBO/token?resource=https%3A%2F%2Fvault.azure.net"
body = '{"token":"T0KEN.1","expiresOn":"<zulu now+3600>"}'
[[exchange]]
request = "GET http://127.0.0.1:46809/OBO/token?resource=https%3A%2F%2F<*>.azure.net"
status = 400
body = '{"error":{"code":"Bad","message":"no"}}'
[[next]]
token = "https://vault.azure.net"
claims = '{"nbf":{"value":"2"}}'
expect.error = { kind = "unauthenticated", id = "identity-refused", says-not = ["T0KEN"] }
"#;

#[test]
fn a_folder_without_cases_is_a_failure() {
    let folder = tempfile::tempdir().unwrap();
    suites(folder.path()).unwrap_err();
    std::fs::create_dir(folder.path().join("suite")).unwrap();
    suites(folder.path()).unwrap_err();
    suites(Path::new("/nowhere")).unwrap_err();
}

/// A case with a secret in every place that may hold one.
const SECRETS: &str = r#"
purpose = "all that may be secret"
token = "https://vault.azure.net"
hidden = ['{"a":["h1dden-00"]}']
stdin = "h1dden-01"
files = { "<dir>/a" = "h1dden-02\n" }
expect = { token = "T0KEN" }
[environment]
MSI_SECRET = "h1dden-03"
IDENTITY_HEADER = "h1dden-04"
AZURE_CLIENT_SECRET = "h1dden-05"
AZURE_CLIENT_CERTIFICATE_PASSWORD = "h1dden-06"
AZURE_PASSWORD = "h1dden-07"
SYSTEM_ACCESSTOKEN = "h1dden-08"
AZUREML_OBO_CANARY_TOKEN = "h1dden-09"
[[exchange]]
request = "POST https://a.example/"
with = { authorization = "Bearer h1dden-10", obo-access-token = "h1dden-11" }
body = '{"access_token":"h1dden-12","refresh_token":"h1dden-13","id_token":"h1dden-14","oidcToken":"h1dden-15","device_code":"h1dden-16","token":"h1dden-17","value":"h1dden-18"}'
[exchange.form]
assertion = "h1dden-19"
client_assertion = "h1dden-20"
client_secret = "h1dden-21"
password = "h1dden-22"
refresh_token = "h1dden-23"
device_code = "h1dden-24"
[[exchange]]
request = "POST https://a.example/"
json = '{"oboToken":"h1dden-25"}'
[[exchange]]
program = "azure-cli"
arguments = ["x"]
stdout = '{"accessToken":"h1dden-26"}'
[[next]]
token = "https://vault.azure.net"
files = { "<dir>/a" = "h1dden-27" }
expect = { token = "T0KEN" }
"#;

/// Each change makes a good case wrong in one way, and both forms must report just that.
#[test]
fn a_case_that_is_wrong_fails_in_all_forms() {
    let good = Case::parse(GOOD).unwrap();
    native(&good).unwrap();
    embedded(&good).unwrap();
    public(&good).unwrap();
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
        wrong_in_all(&GOOD.replacen(from, to, 1), why);
    }
    for (more, why) in [
        ("[[exchange]]\nrequest = \"GET https://job.vault.azure.net/\"\n", "not sent"),
        (
            "[[next]]\nget = \"akv://job/db-password\"\nexpect = { value = \"hunter2-value\" }\n",
            "nothing",
        ),
    ] {
        wrong_in_all(&format!("{GOOD}{more}"), [why, why]);
    }
}

#[test]
fn a_case_of_several_calls_that_is_wrong_fails_in_all_forms() {
    let good = Case::parse(CLAIMS).unwrap();
    native(&good).unwrap();
    embedded(&good).unwrap();
    public(&good).unwrap();
    for (from, to, why) in [
        ("T0KEN.1\", expires", "T0KEN.2\", expires", "the token is"),
        ("expires-in = 3600", "expires-in = 3700", "its lifetime is"),
        ("now+3600", "now+3500", "its lifetime is"),
        ("identity-refused", "identity-failed", "the id is"),
        ("says-not = [\"T0KEN\"]", "says-not = [\"400\"]", "is in: "),
        ("<*>.azure.net\"", "<*>.azure.org\"", ""),
    ] {
        wrong_in_all(&CLAIMS.replacen(from, to, 1), [why, why]);
    }
    // Without claims the second call is served from the cache.
    let cached = CLAIMS.replacen("claims = '{\"nbf\":{\"value\":\"2\"}}'\n", "", 1);
    wrong_in_all(&cached, ["not sent", "the token is"]);
}

/// A file with two cases.
const VARY: &str = r#"
purpose = "A ${status} is final"
vary = [
  { status = 400, id = "identity-refused" },
  { status = 404, id = "identity-refused" },
]
token = "https://vault.azure.net"
environment = { MSI_ENDPOINT = "http://127.0.0.1:46808/MSI/auth", MSI_SECRET = "msi-s3cret" }
expect.error = { kind = "unauthenticated", id = "${id}", status = "${status}" }
[[exchange]]
request = "GET http://127.0.0.1:46808/MSI/auth?api-version=2017-09-01&resource=https%3A%2F%2Fvault.azure.net"
with = { secret = "msi-s3cret" }
status = "${status}"
"#;

#[test]
fn each_variation_is_a_case_with_a_name() {
    let names: Vec<_> = variations(VARY).unwrap().into_iter().map(|v| v.name).collect();
    assert_eq!(names, [" [status=400]", " [status=404]"]);
    // Only the second variation is wrong.
    let text = VARY.replace("404, id = \"identity-refused\"", "404, id = \"identity-failed\"");
    assert_ne!(text, VARY);
    let [right, wrong] = variations(&text).unwrap().try_into().unwrap();
    for run in [native, embedded, public] {
        run(&right.case).unwrap();
        let error = run(&wrong.case).expect_err("it passes");
        assert!(error.contains("the id is"), "{error}");
    }
}

#[test]
fn variations_that_are_wrong_are_refused() {
    for (from, to, why) in [
        ("{ status = 400,", "{ more = 1, status = 400,", "[status=400]: nothing uses `${more}`"),
        ("404, id = \"identity-refused\"", "404", "[status=404]: no value for `${id}`"),
        ("status = 404", "code = 404", "variation 2: no value for `${status}`"),
        ("token = \"https", "token = \"${scheme}", "[status=400]: no value for `${scheme}`"),
        ("status = 404", "status = 400", "[status=400]: two variations have this name"),
        ("A ${status} is", "Each is", "variation 1: the purpose names no value"),
        ("id = \"${id}\"", "id = \"${id\"", "[status=400]: a `${` has no `}`"),
        ("status = 400", "status = [400]", "variation 1: `${status}` is part of a text"),
        ("with = {", "with = { \"${id}\" = \"\", identity-refused = \"\",", "two values for"),
        ("400, id = \"identity-refused\"", "400, id = \"${status}\"", "no value for `${status}`"),
        ("  { status = 404, id = \"identity-refused\" },\n", "", "fewer than two variations"),
        ("vary = [", "vary = 1\nhidden = [", "not a list of tables"),
    ] {
        let text = VARY.replacen(from, to, 1);
        assert_ne!(text, VARY);
        let error = variations(&text).expect_err(&text);
        assert!(error.contains(why), "{error}, not {why}");
    }
    variations(&GOOD.replacen("T0KEN", "${token}", 1)).expect_err("a placeholder without `vary`");
    Case::parse(VARY).expect_err("several cases");
    let twins = VARY
        .replacen("A ${status}", "A ${what}", 1)
        .replacen("{ status = 400", "{ what = \"first\", status = 400", 1)
        .replacen("{ status = 404", "{ what = \"second\", status = 400", 1);
    let error = variations(&twins).expect_err(&twins);
    assert_eq!(error, "[what=second]: it differs from another variation in its purpose only");
}

#[test]
fn the_examples_in_the_readme_pass() {
    let text = std::fs::read_to_string(root().join("tests/README.md")).unwrap();
    let blocks = text.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next());
    let examples: Vec<_> = blocks.flat_map(|block| variations(block).unwrap()).collect();
    assert_eq!(examples.len(), 3);
    for example in examples {
        native(&example.case).unwrap();
        embedded(&example.case).unwrap();
        public(&example.case).unwrap();
    }
}

#[test]
fn an_error_names_the_file_and_the_variation() {
    let folder = tempfile::tempdir().unwrap();
    let suite = folder.path().join("suite");
    std::fs::create_dir(&suite).unwrap();
    std::fs::write(suite.join("final.toml"), VARY).unwrap();
    let [read] = suites(folder.path()).unwrap().try_into().unwrap();
    assert_eq!((read.name.as_str(), read.files), ("suite", 1));
    let names: Vec<_> = read.cases.into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["final [status=400]", "final [status=404]"]);
    let wrong = VARY.replace("{ status = 404,", "{ more = 1, status = 404,");
    std::fs::write(suite.join("final.toml"), wrong).unwrap();
    let error = suites(folder.path()).unwrap_err();
    assert!(error.ends_with("final.toml: [status=404]: nothing uses `${more}`"), "{error}");
}

#[test]
fn a_text_that_is_no_case_is_refused() {
    for (from, to) in [
        ("purpose = \"a good case of two calls\"", "purpose = \" \""),
        ("token = \"https://vault.azure.net\"\nclaims", "claims"),
        ("token = \"https", "get = \"akv://a/b\"\ntoken = \"https"),
        ("claims = ", "client-id = \"a\"\nobject-id = \"b\"\nclaims = "),
        ("expect = { token = \"T0KEN.1\", ", "expect = { "),
        ("expect = { token", "times = 0\nnext = []\nexpect = { token"),
        ("request = \"GET", "key = \"k\"\nrequest = \"GET"),
        ("request = \"GET", "missing = true\nrequest = \"GET"),
        ("request = \"GET", "assertion = {}\nrequest = \"GET"),
        ("request = \"GET", "form = {}\njson = \"\"\nrequest = \"GET"),
        ("request = \"GET", "sent = \"\"\nrequest = \"GET"),
        ("environment = ", "surroundings = "),
    ] {
        let text = CLAIMS.replacen(from, to, 1);
        assert_ne!(text, CLAIMS);
        Case::parse(&text).expect_err(&text);
    }
}

/// Changes parts that only some cases have, in files of `tests/cases`.
#[test]
fn each_part_of_a_case_is_compared() {
    for (file, from, to, why) in [
        ("token-requests/device-code", "code ABCD-1234\"]", "code ABCD-1235\"]", "told: "),
        (
            "token-requests/device-code",
            "told = ",
            "alone = true\ntold = ",
            "not sent/terminal-required",
        ),
        (
            "token-requests/client-secret",
            "secret = \"client-s3cret~1",
            "secret = \"x",
            "client-s3cret",
        ),
        (
            "token-requests/client-secret",
            "client_credentials",
            "password",
            "grant_type=client_cred",
        ),
        ("token-requests/on-behalf-of-from-stdin", "us3r.assertion.t0ken\\n", "x", "assertion=x"),
        ("on-behalf-of/spark", "\"oid\":\"user-1\"", "\"oid\":\"user-2\"", "user-1"),
        (
            "workload-identity/a-token-in-a-file",
            "f3derated.t0k.en\" }",
            "f3\" }",
            "client_assertion=f3&",
        ),
        (
            "workload-identity/read-anew",
            "en-2\" }",
            "en-3\" }",
            "client_assertion=f3derated.t0k.en-3",
        ),
        ("certificate-assertion/signed-by-the-key", "<now+600>", "<now+900>", "`exp` is"),
        ("certificate-assertion/signed-by-the-key", "<sha256>", "<sha1>", "`x5t#S256` is"),
        ("certificate-assertion/signed-by-the-key", "typ = \"JWT\"\n", "", "the assertion says"),
        ("developer-logins/azure-cli", "\"--resource\"", "\"--scope\"", "run with"),
        ("developer-logins/azure-cli", "TZ = \"UTC\"", "TZ = \"CET\"", "without "),
        ("developer-logins/azure-cli", "\"T0KEN.az\"", "\"T0KEN.z\"", "the token is"),
        ("developer-logins/azure-cli-fails", "exit = 1\n", "", ""),
        ("requests/service-fabric", "\"<pin>\"", "\"<copied pin>0\"", "not sent/THUMBPRINT"),
        ("requests/the-call-names-an-identity", "object-id = ", "client-id = ", "client_id="),
        ("listing/several-pages", "\"c\", \"d\"]", "\"d\", \"c\"]", "the list is"),
    ] {
        let path = root().join("tests/cases").join(file).with_extension("toml");
        let good = std::fs::read_to_string(path).unwrap();
        let bad = good.replacen(from, to, 1);
        assert_ne!(good, bad, "{file}: {from}");
        let (native, component) = why.split_once('/').unwrap_or((why, why));
        wrong_in_all(&bad, [native, component]);
    }
}

#[test]
fn every_secret_of_a_case_is_looked_for() {
    let case = Case::parse(SECRETS).unwrap();
    scan(&case, "vaultlet: a line that says nothing of them").unwrap();
    for number in 0..SECRETS.matches("h1dden-").count() {
        scan(&case, &format!("vaultlet: h1dden-{number:02} was wrong")).expect_err(SECRETS);
    }
    for text in ["a token eyJhbGciOi", "-----BEGIN PRIVATE KEY-----"] {
        scan(&case, text).expect_err(text);
    }
}

#[track_caller]
fn wrong_in_all(text: &str, why: [&str; 2]) {
    let case = Case::parse(text).unwrap_or_else(|error| panic!("{error}: {text}"));
    let [native_why, component_why] = why;
    for (result, why) in [
        (native(&case), native_why),
        (embedded(&case), component_why),
        (public(&case), component_why),
    ] {
        let Err(error) = result else { panic!("it passes: {text}") };
        assert!(error.contains(why), "it fails for another reason: {error}");
    }
}
