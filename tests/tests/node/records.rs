//! The package's records have the fields of the WIT's, so that no field is forgotten: in the native half
//! and in the declarations.

use std::collections::BTreeSet;
use std::fs;

use syn::{Fields, Item};
use vaultlet_tests::root;

use super::wit::{fields, renamed};

type Names = BTreeSet<String>;

#[test]
fn properties_have_the_fields_of_the_wit() {
    let expected: Names = fields("types.wit", "properties").into_iter().collect();
    assert_eq!(native("values.rs", "Properties"), expected);
    let reference = ["reference".to_owned()];
    let expected: Names = expected.iter().map(|name| camel_case(name)).chain(reference).collect();
    assert_eq!(declared("interface SecretProperties {"), expected);
    assert!(expected.is_subset(&declared("class Secret extends")));
    assert_eq!(listed("PROPERTIES"), expected);
}

#[test]
fn an_identity_has_the_fields_of_the_wit() {
    let holder = fields("types.wit", "holder");
    let properties = fields("types.wit", "token-properties");
    let expected: Names = properties.into_iter().chain(holder).collect();
    assert_eq!(native("values.rs", "Identity"), expected);
    let expected: Names = expected.iter().map(|name| camel_case(name)).collect();
    assert_eq!(declared("interface Identity {"), expected);
    assert!(expected.is_subset(&declared("class Token extends")));
    assert_eq!(listed("IDENTITY"), expected);
}

#[test]
fn an_error_has_the_fields_of_the_wit() {
    let attempt: Names = fields("types.wit", "attempt").into_iter().collect();
    assert_eq!(native("failure.rs", "FailedAttempt"), attempt);
    assert_eq!(declared("interface Attempt {"), attempt);

    // `message` of a JavaScript error is the whole line.
    let mut expected = renamed(fields("types.wit", "error"), &[("message", "detail")]);
    // The component knows nothing of variables.
    expected.push("variables".into());
    let line = ["line".to_owned()];
    let native_expected: Names = expected.iter().cloned().chain(line).collect();
    assert_eq!(native("failure.rs", "Failure"), native_expected);
    let expected = renamed(expected, &[("code", "service_code")]);
    let expected: Names = expected.iter().map(|name| camel_case(name)).collect();
    let mut found = declared("class VaultletError extends");
    assert!(found.remove("code"), "`code` is another name of `id`");
    assert_eq!(found, expected);
}

/// The fields of a struct of the native half.
fn native(file: &str, name: &str) -> Names {
    let text = fs::read_to_string(root().join("host/node/src").join(file)).unwrap();
    let items = syn::parse_file(&text).unwrap().items;
    let found = items.into_iter().find_map(|item| match item {
        Item::Struct(item) if item.ident == name => Some(item.fields),
        _ => None,
    });
    let Some(Fields::Named(fields)) = found else { panic!("{file} has no struct {name}") };
    fields.named.iter().map(|field| field.ident.as_ref().unwrap().to_string()).collect()
}

/// The read-only members that a declaration in `index.d.cts` lists.
fn declared(start: &str) -> Names {
    let text = fs::read_to_string(root().join("host/node/index.d.cts")).unwrap();
    let lines = text.lines().skip_while(|line| !line.contains(start)).skip(1);
    let members = lines.take_while(|line| *line != "}").filter_map(|line| {
        let member = line.strip_prefix("  readonly ")?.split_once(':')?.0;
        Some(member.trim_end_matches('?').to_owned())
    });
    members.collect()
}

/// The names in a list of `lib/values.cjs`, which become members of secrets and tokens.
fn listed(name: &str) -> Names {
    let text = fs::read_to_string(root().join("host/node/lib/values.cjs")).unwrap();
    let (_, rest) = text.split_once(&format!("const {name} = [")).unwrap();
    let (list, _) = rest.split_once(']').unwrap();
    let names = list.split(',').map(|name| name.trim().trim_matches('"').to_owned());
    names.filter(|name| !name.is_empty()).collect()
}

fn camel_case(name: &str) -> String {
    let mut words = name.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |name, word| name + &word[..1].to_uppercase() + &word[1..])
}
