use super::*;
use crate::command::{Output, run};
use base64ct::Encoding as _;

fn command(world: &ScriptedContext, arguments: &[&str]) -> Output {
    let arguments: Vec<String> = arguments.iter().map(|a| a.to_string()).collect();
    world.run(|| run(world, &Memory::default(), &arguments))
}

fn ready() -> ScriptedContext {
    ScriptedContext::new(&ML).answer(ML_REQUEST, 200, &[], ML_TOKEN)
}

#[test]
fn get_prints_the_value_and_nothing_else() {
    let world = ready().answer(SECRET_REQUEST, 200, &[], BUNDLE);
    let done = command(&world, &["get", "akv://job/db-password"]);
    assert_eq!((done.stdout.as_str(), done.stderr.as_str(), done.exit), ("hunter2", "", 0));
}

#[test]
fn get_prints_json_and_variables() {
    let other = SECRET_REQUEST.replace("db-password", "other");
    let world = ready().answer(SECRET_REQUEST, 200, &[], BUNDLE);
    let done = command(&world, &["get", "-o", "json", "akv://job/db-password"]);
    assert_eq!(
        done.stdout.as_str(),
        "{\"reference\":\"akv://job/db-password\",\"vault\":\"job.vault.azure.net\",\"name\":\"db-password\",\"version\":\"0123456789abcdef0123456789abcdef\",\"value\":\"hunter2\",\"contentType\":\"text/plain\",\"enabled\":true,\"created\":1700000001,\"updated\":1700000002,\"notBefore\":1,\"expires\":32503680000,\"recoveryLevel\":\"Recoverable+Purgeable\",\"recoverableDays\":90,\"tags\":{\"a\":\"1\",\"b\":\"2\"}}\n"
    );
    let value = r#"{"value":"it's\n\"so\""}"#;
    let world = ready().answer(SECRET_REQUEST, 200, &[], BUNDLE).answer(&other, 200, &[], value);
    let done =
        command(&world, &["get", "--output=env", "akv://job/db-password", "akv://job/other"]);
    assert_eq!(
        done.stdout.as_str(),
        "export DB_PASSWORD='hunter2'\nexport OTHER='it'\\''s\n\"so\"'\n"
    );
    let world = ready().answer(SECRET_REQUEST, 200, &[], BUNDLE).answer(&other, 200, &[], value);
    let done =
        command(&world, &["get", "akv://job/db-password", "akv://job/other", "--output", "json"]);
    assert!(done.stdout.starts_with("[{") && done.stdout.ends_with("}]\n"));
}

/// `1PASS='…'` would be a command to a shell, which shows it, value included, when there is none.
#[test]
fn a_variable_of_a_shell_does_not_begin_with_a_digit() {
    let request = SECRET_REQUEST.replace("db-password", "1pass");
    let world = ready().answer(&request, 200, &[], r#"{"value":"hunter2"}"#);
    let done = command(&world, &["get", "-oenv", "akv://job/1pass"]);
    assert_eq!((done.stdout.as_str(), done.stderr.as_str()), ("export _1PASS='hunter2'\n", ""));
}

#[test]
fn an_answer_in_parts_is_the_whole_answer() {
    use crate::command::render::{Format, Item, Part, secrets};
    let properties = crate::vault::Properties { name: "a".into(), ..Default::default() };
    let item = |reference| Item { reference, properties: &properties, value: "x" };
    let items = [item("akv://job/a"), item("B=akv://job/a"), item("C=akv://job/a")];
    for format in [Format::Json, Format::Env] {
        let render = |range: core::ops::Range<usize>, first, last| {
            secrets(&items[range], Part { first, last }, format).unwrap().to_string()
        };
        let parts =
            [render(0..1, true, false), render(1..2, false, false), render(2..3, false, true)];
        assert_eq!(render(0..3, true, true), parts.concat(), "{format:?}");
        let two = render(0..2, true, false) + &render(2..3, false, true);
        assert_eq!(two, parts.concat(), "{format:?}");
    }
    let item = items[0];
    let object = secrets(&[item], Part::WHOLE, Format::Json).unwrap();
    assert!(object.starts_with('{') && object.ends_with("}\n"));
    assert_eq!(secrets(&[], Part::WHOLE, Format::Json).unwrap().as_str(), "[]\n");
}

#[test]
fn one_failure_means_no_output() {
    let other = SECRET_REQUEST.replace("db-password", "other");
    let world = ready().answer(SECRET_REQUEST, 200, &[], BUNDLE).answer(
        &other,
        404,
        &[],
        r#"{"error":{"code":"SecretNotFound"}}"#,
    );
    let done = command(&world, &["get", "-o", "json", "akv://job/db-password", "akv://job/other"]);
    assert_eq!((done.stdout.as_str(), done.exit), ("", 66));
    assert!(
        done.stderr.starts_with("{\"error\":{\"id\":\"secret-not-found\",\"kind\":\"not-found\","),
        "{}",
        done.stderr
    );
    assert!(done.stderr.ends_with("}}\n"));
    let world = ready().answer(SECRET_REQUEST, 404, &[], r#"{"error":{"code":"SecretNotFound"}}"#);
    let done = command(&world, &["get", "akv://job/db-password"]);
    assert_eq!(
        done.stderr,
        "vaultlet: reading secret `db-password` of job.vault.azure.net: there is no such secret [SecretNotFound]; check the name, or create the secret (secret-not-found)\n"
    );
}

const ITEMS: &str = r#"{"value":[
{"id":"https://job.vault.azure.net/secrets/db-password","attributes":{"enabled":true,"created":1700000000,"exp":32503680000},"tags":{"a":"1"}},
{"id":"https://job.vault.azure.net/secrets/off","attributes":{"enabled":false,"created":253402300800}},
{"id":"https://job.vault.azure.net/secrets/z"}],"nextLink":null}"#;

#[test]
fn list_prints_what_there_is() {
    let request = SECRET_REQUEST.replace("/secrets/db-password?", "/secrets?");
    for (arguments, expected) in [
        (
            &["list", "job"][..],
            "ENABLED  CREATED               EXPIRES               NAME
yes      2023-11-14T22:13:20Z  3000-01-01T00:00:00Z  db-password
no       253402300800          -                     off
-        -                     -                     z
",
        ),
        (&["list", "--vault", "akv://job", "-o", "value"], "db-password\noff\nz\n"),
        (
            &["list", "https://job.vault.azure.net/", "-o", "json"],
            "[{\"reference\":\"akv://job.vault.azure.net/db-password\",\"vault\":\"job.vault.azure.net\",\"name\":\"db-password\",\"enabled\":true,\"created\":1700000000,\"expires\":32503680000,\"tags\":{\"a\":\"1\"}},{\"reference\":\"akv://job.vault.azure.net/off\",\"vault\":\"job.vault.azure.net\",\"name\":\"off\",\"enabled\":false,\"created\":253402300800},{\"reference\":\"akv://job.vault.azure.net/z\",\"vault\":\"job.vault.azure.net\",\"name\":\"z\"}]\n",
        ),
    ] {
        let done = command(&ready().answer(&request, 200, &[], ITEMS), arguments);
        assert_eq!((done.stdout.as_str(), done.stderr.as_str()), (expected, ""));
    }
}

#[test]
fn versions_are_printed_newest_first() {
    let request = SECRET_REQUEST.replace("db-password?", "db-password/versions?");
    let item = |version: &str, created: i64| {
        format!(
            r#"{{"id":"https://job.vault.azure.net/secrets/DB-password/{version}","attributes":{{"created":{created}}}}}"#
        )
    };
    let (old, new) = ("0".repeat(32), "f".repeat(32));
    let items = [item(VERSION, 1), item(&old, 1), item(&new, 2)].join(",");
    let body = format!(r#"{{"value":[{items}],"nextLink":""}}"#);
    for arguments in [
        &["versions", "akv://job/db-password"][..],
        &["versions", "db-password", "--vault", "job"],
        &["versions", "db-password", "--vault", "akv://job/"],
        &["versions", "db-password", "--vault", "https://job.vault.azure.net"],
    ] {
        let world = ready().answer(&request, 200, &[], body.as_str());
        let done = command(&world, &[arguments, &["-o", "value"]].concat());
        let expected = format!("{new}\n{VERSION}\n{old}\n");
        assert_eq!((done.stdout.as_str(), done.stderr.as_str()), (expected.as_str(), ""));
    }
    let none = ready().answer(&request, 200, &[], r#"{"value":[],"nextLink":null}"#);
    let done = command(&none, &["versions", "akv://job/db-password"]);
    assert_eq!(
        done.stderr,
        "vaultlet: listing the versions of secret `db-password` of job.vault.azure.net: there is no such secret; check the name, or create the secret (secret-not-found)\n"
    );
}

#[test]
fn token_is_printed_when_asked_for() {
    let done = command(&ready(), &["token", "--reveal"]);
    assert_eq!((done.stdout.as_str(), done.exit), ("T0KEN.a-b_c", 0));
    let done = command(
        &ready(),
        &["token", "--scope", "https://vault.azure.net/.default", "--reveal", "-ojson"],
    );
    assert_eq!(
        done.stdout.as_str(),
        "{\"token\":\"T0KEN.a-b_c\",\"expiresOn\":1700086400,\"refreshOn\":1700043200,\"resource\":\"https://vault.azure.net\",\"source\":\"managed-identity\",\"endpoint\":\"azure-ml\"}\n"
    );
}

#[test]
fn wrong_arguments_are_said_in_one_line_and_nothing_is_sent() {
    for arguments in [
        &["get"][..],
        &["put", "x"],
        &["get", "a", "b"],
        &["get", "--reveal", "a"],
        &["get", "--nope", "a"],
        &["get", "-x", "a"],
        &["get", "-o", "table", "a"],
        &["get", "a", "-o"],
        &["token"],
        &["token", "x", "--reveal"],
        &["token", "--reveal", "-o", "env"],
        &["token", "--reveal", "--resource", "a", "--scope", "b"],
        &["get", "--output="],
        &["token", "--reveal=x"],
        &["get", "a", "--vault", "job"],
        &["list"],
        &["list", "a", "b"],
        &["list", "a", "--vault", "b"],
        &["list", "a", "-o", "env"],
        &["list", "a", "--tenant", "b"],
        &["versions"],
        &["versions", "a"],
        &["versions", "--vault", "a"],
        &["versions", "akv://a/b", "--vault", "a"],
    ] {
        let done = command(&ScriptedContext::new(&ML), arguments);
        assert!(done.exit != 0 && done.stdout.is_empty(), "{arguments:?}");
        assert!(
            done.stderr.starts_with("vaultlet: reading the arguments: "),
            "{arguments:?}: {}",
            done.stderr
        );
        assert!(
            done.stderr.ends_with("(usage)\n") && done.stderr.lines().count() == 1,
            "{}",
            done.stderr
        );
    }
    let done = command(&ScriptedContext::new(&[]), &["get", "-o", "json"]);
    assert!(done.stderr.contains(r#""kind":"usage""#), "{}", done.stderr);
    let done = command(&ScriptedContext::new(&[]), &["get", "--help"]);
    assert!(done.exit == 0 && done.stdout.starts_with("usage: "));
}

#[test]
fn whoami_says_whose_the_token_is_and_not_the_token() {
    let claims =
        r#"{"tid":"t-1","oid":"o-1","appid":"a-1","aud":"https://vault.azure.net","idtyp":"app"}"#;
    let claims = base64ct::Base64UrlUnpadded::encode_string(claims.as_bytes());
    let token = format!("eyJhbGci.{claims}.c2ln");
    let answer = ML_TOKEN.replace("T0KEN.a-b_c", &token);
    for (arguments, expected) in [
        (
            &["whoami", "-o", "json"][..],
            r#"{"source":"managed-identity","endpoint":"azure-ml","tenant":"t-1","objectId":"o-1","appId":"a-1","audience":"https://vault.azure.net","expiresOn":1700086400,"notes":["of an application, not of a user"]}"#,
        ),
        (&["whoami"], "source    managed-identity\nendpoint  azure-ml\ntenant    t-1\n"),
    ] {
        let world = ScriptedContext::new(&ML).answer(ML_REQUEST, 200, &[], answer.as_str());
        let done = command(&world, arguments);
        assert!(done.exit == 0, "{}", done.stderr);
        assert!(done.stdout.starts_with(expected), "{}", done.stdout.as_str());
        assert!(!done.stdout.contains("eyJ"));
    }
}
