use super::*;
use crate::{
    limits::{MARKER, PAGES},
    vault::{Listed, Page, Properties, all, page},
};

const LIST: &str = "https://job.vault.azure.net/secrets?api-version=2025-07-01";
const VERSIONS: &str =
    "https://job.vault.azure.net/secrets/db-password/versions?api-version=2025-07-01";

fn secrets_of(vault: &str) -> Result<Listed, Error> {
    Listed::secrets(vault, &settings(&[]))
}

fn settings(variables: &[(&str, &str)]) -> crate::settings::Settings {
    let find = |name: &str| {
        variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.to_string())
    };
    crate::settings::Settings::read(&find).unwrap()
}

fn asked(url: &str) -> String {
    format!("GET {url} authorization: Bearer T0KEN.a-b_c")
}

/// The body of a page with these items and this link.
fn answer(items: &[&str], next: Option<&str>) -> String {
    let next = next.map_or_else(|| "null".to_owned(), |next| format!("{next:?}"));
    format!(r#"{{"value":[{}],"nextLink":{next}}}"#, items.join(","))
}

fn secret(name: &str) -> String {
    format!(r#"{{"id":"https://job.vault.azure.net/secrets/{name}","attributes":{{}}}}"#)
}

fn listed(world: &ScriptedContext, what: &Listed) -> Result<Vec<Properties>, Error> {
    world.run(|| all(&Call::new(world, &Memory::default())?, what, None))
}

fn one(world: &ScriptedContext, what: &Listed, marker: Option<&str>) -> Result<Page, Error> {
    world.run(|| page(&Call::new(world, &Memory::default())?, what, marker, None))
}

#[test]
fn an_item_has_all_properties_and_no_value() {
    let item = r#"{"id":"https://job.vault.azure.net/secrets/db-password","value":"hunter2","contentType":"text/plain","managed":true,"attributes":{"enabled":false,"created":1,"updated":2,"nbf":3,"exp":4,"recoveryLevel":"Purgeable","recoverableDays":7},"tags":{"b":"2","a":"1"}}"#;
    let world = with_token().answer(&asked(LIST), 200, &[], answer(&[item], None));
    let items = listed(&world, &secrets_of("job").unwrap()).unwrap();
    assert_eq!(
        items,
        [Properties {
            vault: "job.vault.azure.net".into(),
            name: "db-password".into(),
            version: None,
            content_type: Some("text/plain".into()),
            enabled: Some(false),
            created: Some(1),
            updated: Some(2),
            not_before: Some(3),
            expires: Some(4),
            recovery_level: Some("Purgeable".into()),
            recoverable_days: Some(7),
            managed: Some(true),
            kid: None,
            tags: vec![("a".into(), "1".into()), ("b".into(), "2".into())],
        }]
    );
    assert!(!format!("{items:?}").contains("hunter2"));
}

#[test]
fn a_marker_cannot_lead_to_another_server_or_path() {
    let next = "https://job.vault.azure.net:443/secrets?api-version=2025-07-01&$skiptoken=eA";
    let what = secrets_of("job").unwrap();
    let world = with_token().answer(&asked(LIST), 200, &[], answer(&[], Some(next)));
    let first = one(&world, &what, None).unwrap();
    let marker = first.next.unwrap();
    assert_eq!((first.items.len(), marker.as_str()), (0, "1?api-version=2025-07-01&$skiptoken=eA"));
    // A marker from another instance, after a page with items.
    let query = "https://job.vault.azure.net/secrets?api-version=2025-07-01&$skiptoken=eA";
    let world = with_token().answer(&asked(query), 200, &[], answer(&[&secret("x")], Some(LIST)));
    let second = one(&world, &what, Some(&marker)).unwrap();
    assert_eq!(second.next.as_deref(), Some("2+?api-version=2025-07-01"));
    let long = format!("1?{}", "x".repeat(MARKER));
    for marker in [
        "",
        "1",
        "1?",
        "?a=b",
        "+?a=b",
        "x?a=b",
        "-1?a=b",
        "1++?a=b",
        "1?a b",
        "1?a#b",
        "1?a\r\nhost: x",
        "1?%zz",
        "https://evil.example/secrets?a=b",
        "1@evil.example/?a",
        &long,
    ] {
        let error = one(&ScriptedContext::new(&ML), &what, Some(marker));
        failed(error, "argument-malformed", ErrorKind::InvalidArgument);
    }
}

#[test]
fn a_link_to_another_server_is_refused_on_every_page() {
    let what = [
        secrets_of("job").unwrap(),
        Listed::versions("akv://job/db-password", &settings(&[])).unwrap(),
    ];
    for (listed, url) in what.iter().zip([LIST, VERSIONS]) {
        let (_, path) = url.split_once(".net").unwrap();
        let path = path.split('?').next().unwrap();
        for link in [
            format!("https://evil.example{path}?a=b"),
            format!("https://job.vault.azure.net.evil.example{path}?a=b"),
            format!("https://other.vault.azure.net{path}?a=b"),
            format!("https://job.vault.azure.net:8443{path}?a=b"),
            format!("http://job.vault.azure.net{path}?a=b"),
            format!("http://job.vault.azure.net:443{path}?a=b"),
            format!("https://job.vault.azure.net@evil.example{path}?a=b"),
            format!("https://user@job.vault.azure.net{path}?a=b"),
            format!("https://evil.example\\@job.vault.azure.net{path}?a=b"),
            format!("https://job.vault.azure.net{path}/x?a=b"),
            format!("https://job.vault.azure.net{path}/?a=b"),
            format!("https://job.vault.azure.net{path}/../deletedsecrets?a=b"),
            format!("https://job.vault.azure.net/x/..{path}?a=b"),
            format!("https://job.vault.azure.net/{path}?a=b"),
            "https://job.vault.azure.net/deletedsecrets?a=b".into(),
            "https://job.vault.azure.net/secrets/other/versions?a=b".into(),
            "https://job.vault.azure.net/keys?a=b".into(),
            "https://job.vault.azure.net?a=b".into(),
            format!("https://job.vault.azure.net{path}"),
            format!("https://job.vault.azure.net{path}?a=b#c"),
            format!("https://job.vault.azure.net{path}?a=b c"),
            format!("{path}?a=b"),
            format!("//job.vault.azure.net{path}?a=b"),
            format!("https://job.vault.azure.net{path}?{}", "x".repeat(MARKER)),
        ] {
            // Sent twice, because a refused link must not be cached.
            let memory = Memory::default();
            let world = with_token()
                .answer(&asked(url), 200, &[], answer(&[], Some(&link)))
                .answer(&asked(url), 200, &[], answer(&[], Some(&link)));
            world.run(|| {
                for _ in 0..2 {
                    let result = all(&Call::new(&world, &memory).unwrap(), listed, None);
                    let error = failed(result, "vault-unexpected", ErrorKind::Unavailable);
                    assert!(error.message.ends_with("its next page is at another address"));
                }
            });
        }
    }
}

#[test]
fn endless_pages_are_an_error() {
    let what = secrets_of("job").unwrap();
    let same = format!("{LIST}&$skiptoken=eA");
    let world = with_token().answer(&asked(LIST), 200, &[], answer(&[], Some(&same))).answer(
        &asked(&same),
        200,
        &[],
        answer(&[], Some(&same)),
    );
    let error = failed(listed(&world, &what), "vault-unexpected", ErrorKind::Unavailable);
    assert!(error.message.ends_with("its pages do not end"), "{}", error.line());
    // Every page links to another one.
    let mut world = with_token();
    let mut url = LIST.to_owned();
    for number in 1..=PAGES {
        let next = format!("{LIST}&$skiptoken={number}");
        world = world.answer(&asked(&url), 200, &[], answer(&[], Some(&next)));
        url = next;
    }
    let error = failed(listed(&world, &what), "vault-unexpected", ErrorKind::Unavailable);
    assert!(error.message.ends_with("its pages do not end"), "{}", error.line());
}

#[test]
fn malformed_pages_are_refused_without_quoting_them() {
    let other = secret("x").replace("job.", "hunter2.");
    for body in [
        "",
        "hunter2",
        "[]",
        "{}",
        r#"{"value":null,"nextLink":null}"#,
        r#"{"value":{},"nextLink":null}"#,
        r#"{"value":[],"nextLink":7}"#,
        r#"{"value":[],"nextLink":["hunter2"]}"#,
        &answer(&["7"], None),
        &answer(&["{}"], None),
        &answer(&[r#"{"id":7}"#], None),
        &answer(&[r#"{"id":"hunter2"}"#], None),
        &answer(&[&other], None),
        &answer(&[&secret("x").replace("https", "http")], None),
        &answer(&[&secret("x").replace(".net", ".net:8443")], None),
        &answer(&[&secret("")], None),
        &answer(&[&secret("a_b")], None),
        &answer(&[&secret("a/0123456789abcdef0123456789abcdef")], None),
        &answer(&[&secret("a?b")], None),
        &answer(&[&secret("x"), &secret("x").replace("/secrets/", "/keys/")], None),
    ] {
        let world = with_token().answer(&asked(LIST), 200, &[], body);
        failed(
            listed(&world, &secrets_of("job").unwrap()),
            "vault-unexpected",
            ErrorKind::Unavailable,
        );
    }
    let what = Listed::versions("akv://job/db-password", &settings(&[])).unwrap();
    for id in ["x", "other/0123456789abcdef0123456789abcdef", "db-password", "db-password/1"] {
        let world = with_token().answer(&asked(VERSIONS), 200, &[], answer(&[&secret(id)], None));
        failed(listed(&world, &what), "vault-unexpected", ErrorKind::Unavailable);
    }
}

#[test]
fn versions_are_listed_for_a_secret_not_for_a_version() {
    for reference in [
        "akv://job/db-password/0123456789abcdef0123456789abcdef",
        "akv://job/db-password?json=/a",
        "https://job.vault.azure.net/secrets/db-password/0123456789abcdef0123456789abcdef",
        "akv://job",
        "job",
        "",
    ] {
        let result = Listed::versions(reference, &settings(&[]));
        failed(result, "reference-malformed", ErrorKind::InvalidArgument);
    }
}

#[test]
fn a_vault_may_be_named_in_every_form() {
    for vault in [
        "job",
        " JOB ",
        "akv://job",
        "AKV://job/",
        "job.vault.azure.net",
        "job.vault.azure.net:443",
        "https://job.vault.azure.net",
        "https://job.vault.azure.net:443/",
    ] {
        let world = with_token().answer(&asked(LIST), 200, &[], answer(&[], None));
        assert_eq!(listed(&world, &secrets_of(vault).expect(vault)).unwrap(), []);
    }
    for vault in [
        "",
        "akv://",
        "a",
        "my_job",
        "akv://job/db-password",
        "akv://job?json=/a",
        "job#a",
        "https://job.vault.azure.net/secrets",
        "https://user@job.vault.azure.net/",
        "http://job.vault.azure.net/",
        "http://127.0.0.1:8080/",
        "ftp://job.vault.azure.net/",
        "job@evil.example",
    ] {
        failed(secrets_of(vault), "reference-malformed", ErrorKind::InvalidArgument);
    }
    Listed::secrets(
        "http://127.0.0.1:8080",
        &settings(&[("VAULTLET_ALLOW_HTTP_LOOPBACK", "true")]),
    )
    .unwrap();
}
