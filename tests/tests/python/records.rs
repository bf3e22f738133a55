//! The package's records have the fields of the WIT's, so that no field is forgotten.

use vaultlet_tests::Run;

use super::install;
use super::wit::{fields, renamed};

#[test]
fn properties_have_the_fields_of_the_wit() {
    let names = [
        ("created", "created_on"),
        ("updated", "updated_on"),
        ("expires", "expires_on"),
        ("kid", "key_id"),
    ];
    let expected = renamed(fields("types.wit", "properties"), &names);
    if let Some(found) = names_of("vaultlet.Properties._fields") {
        assert_eq!(found, expected);
    }
    // A secret has its properties as attributes of its own.
    if let Some(found) = names_of("dir(vaultlet.Secret)") {
        let missing: Vec<_> = expected.iter().filter(|name| !found.contains(name)).collect();
        assert_eq!(missing, Vec::<&String>::new());
    }
}

#[test]
fn an_identity_has_the_fields_of_the_wit() {
    let holder = fields("types.wit", "holder");
    let mut expected = [fields("types.wit", "token-properties"), holder].concat();
    let Some(mut found) = names_of("vaultlet.Identity._fields") else { return };
    expected.sort();
    found.sort();
    assert_eq!(found, expected);
}

#[test]
fn an_error_has_the_fields_of_the_wit() {
    let names = [("retry_after_ms", "retry_after")];
    let mut expected = renamed(fields("types.wit", "error"), &names);
    // The component knows nothing of variables.
    expected.push("variables".into());
    let Some(found) = names_of("vaultlet.VaultletError.__annotations__") else { return };
    assert_eq!(found, expected);
    assert_eq!(names_of("vaultlet.Attempt._fields").unwrap(), fields("types.wit", "attempt"));
}

/// The names that an expression yields in a program that imports the package.
fn names_of(expression: &str) -> Option<Vec<String>> {
    let python = install::python()?;
    let program = format!("import vaultlet\nprint(*{expression})");
    let ended = Run::program(python).arguments(["-c", &program]).end();
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    Some(ended.stdout.split_whitespace().map(str::to_owned).collect())
}
