//! `resolve_environment`: the secrets that a program's own variables refer to, in Rust. The libraries of
//! other languages are tested by the same table in their own suites.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::collections::BTreeMap;
use std::sync::mpsc;
use std::time::Duration;

use vaultlet_dev::Local;
use vaultlet_host::{EnvironmentRequest, Error, Kind, Secret, Vaultlet};
use vaultlet_tests::environment::{Case, Failed, Table};
use vaultlet_tests::job::VALUE;

type Secrets = BTreeMap<String, Secret>;

fn open(local: &Local, more: &BTreeMap<String, String>) -> Vaultlet {
    let variables = local.environment().iter().cloned().chain(more.clone());
    Vaultlet::builder().variables(variables).timeout(Duration::from_secs(30)).open().unwrap()
}

#[test]
fn each_case_in_every_form_of_the_call() {
    let table = Table::read();
    let local = table.local().start().unwrap();
    let shared = open(&local, &BTreeMap::new());
    for case in &table.cases {
        // The variables are given with the call, or the handle has them.
        let given = EnvironmentRequest {
            variables: Some(case.variables.clone().into_iter().collect()),
            only: case.only.clone(),
        };
        let own = EnvironmentRequest { variables: None, only: case.only.clone() };
        let opened = open(&local, &case.variables);
        for (vaultlet, request) in [(&shared, &given), (&opened, &own)] {
            check(case, vaultlet.resolve_environment_blocking(request));
            check(case, futures_lite::future::block_on(vaultlet.resolve_environment(request)));
            let (done, result) = mpsc::channel();
            vaultlet.resolve_environment_then(request, move |it| done.send(it).unwrap());
            check(case, result.recv_timeout(Duration::from_secs(60)).unwrap());
        }
    }
}

fn check(case: &Case, result: Result<Secrets, Error>) {
    let name = &case.name;
    match (result, &case.secrets, &case.failed) {
        (Ok(found), Some(expected), None) => {
            let found: BTreeMap<_, _> =
                found.iter().map(|(name, it)| (name.clone(), it.reveal().to_owned())).collect();
            assert!(found == *expected, "{name}: {:?}", found.keys());
        }
        (Err(error), None, Some(expected)) => {
            let found: Vec<_> = error
                .variables
                .iter()
                .map(|it| Failed {
                    name: it.name.clone(),
                    id: it.id.clone(),
                    kind: it.kind.as_str().into(),
                })
                .collect();
            assert_eq!(&found, expected, "{name}: {error}");
            assert_eq!((&error.id, error.kind), (&found[0].id, error.variables[0].kind), "{name}");
            let line = error.to_string();
            for Failed { name: variable, .. } in expected {
                assert!(line.contains(&format!("`{variable}`")), "{name}: {line}");
            }
            assert!(!format!("{error:?}{error}").contains(VALUE), "{name}: a value is shown");
        }
        (Ok(found), ..) => panic!("{name}: found {:?}", found.keys()),
        (Err(error), ..) => panic!("{name}: {error}"),
    }
}

#[test]
fn a_default_is_a_secret_that_shows_where_it_would_be() {
    let local = Table::read().local().start().unwrap();
    let reference = format!("akv://my-key-vault/missing?default={VALUE}").replace(' ', "%20");
    let request = EnvironmentRequest {
        variables: Some(vec![("A".into(), reference)]),
        ..EnvironmentRequest::default()
    };
    let secrets = open(&local, &BTreeMap::new()).resolve_environment_blocking(&request).unwrap();
    assert!(secrets["A"].reveal() == VALUE);
    assert_eq!(format!("{:?}", secrets["A"]), "Secret(akv://my-key-vault.vault.azure.net/missing)");
    assert_eq!(secrets["A"].properties().version, None);
    assert_eq!(format!("{request:?}"), "EnvironmentRequest");
}

#[test]
fn each_secret_is_read_once_and_what_is_malformed_costs_no_request() {
    let table = Table::read();
    let local = table.local().start().unwrap();
    let reads = |case: &str| {
        let case = table.cases.iter().find(|it| it.name.contains(case)).unwrap();
        let variables = Some(case.variables.clone().into_iter().collect());
        let request = EnvironmentRequest { variables, only: None };
        let before = local.counters().vault.get("get").cloned().unwrap_or_default();
        let _ = open(&local, &BTreeMap::new()).resolve_environment_blocking(&request);
        let after = local.counters().vault.get("get").cloned().unwrap_or_default();
        after.values().sum::<u64>() - before.values().sum::<u64>()
    };
    assert_eq!(reads("every form of a reference"), 1);
    assert_eq!(reads("a member of a secret"), 1);
    assert_eq!(reads("malformed"), 0);
    assert_eq!(reads("left alone"), 0);
}

#[test]
fn what_fails_besides_a_variable_has_no_variables() {
    let table = Table::read();
    let local = table.local().start().unwrap();
    let vaultlet = open(&local, &BTreeMap::new());
    let variables = Some(vec![("A".into(), "akv://my-key-vault/db-password".into())]);
    let only = Some(vec!["A".to_owned(), "OTHER".to_owned()]);
    let request = EnvironmentRequest { variables: variables.clone(), only };
    let error = vaultlet.resolve_environment_blocking(&request).unwrap_err();
    assert_eq!((error.kind, error.variables.len()), (Kind::Usage, 0));
    assert!(error.message.contains("`OTHER`, which is not set"), "{error}");

    // No identity: the variables have one message, which is not told twice.
    let nowhere = Vaultlet::builder().variables([("VAULTLET_IDENTITY", "environment")]);
    let variables = ["A", "B"].map(|name| (name.into(), "akv://my-key-vault/db-password".into()));
    let request = EnvironmentRequest { variables: Some(variables.into()), only: None };
    let error = nowhere.open().unwrap().resolve_environment_blocking(&request).unwrap_err();
    assert_eq!((error.kind, error.variables.len()), (Kind::NotConfigured, 2));
    assert!(error.message.starts_with("resolving the environment: `A`, `B`: "), "{error}");
    assert_eq!(error.message.matches(&error.variables[0].message).count(), 1, "{error}");
}
