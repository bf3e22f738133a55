//! Properties of the JSON reader: it agrees with `serde_json::Value` on every text.

use proptest::{collection::vec, prelude::*};
use serde_json::Value as Expected;

use crate::words::json::{Value, parse_text};

/// Quoted strings, as they are and with every character escaped.
fn strings() -> impl Strategy<Value = String> {
    (any::<String>(), any::<bool>()).prop_map(|(text, is_escaped)| {
        if is_escaped {
            let escaped = text.encode_utf16().map(|unit| format!("\\u{unit:04x}"));
            format!("\"{}\"", escaped.collect::<String>())
        } else {
            serde_json::to_string(&text).unwrap()
        }
    })
}

/// JSON with white space between its parts, and with names that occur more than once.
fn texts() -> impl Strategy<Value = String> {
    let scalar = prop_oneof![
        Just("null".to_owned()),
        any::<bool>().prop_map(|value| value.to_string()),
        "-?(0|[1-9][0-9]{0,24})([.][0-9]{1,20})?([eE][+-]?[0-9]{1,2})?",
        strings(),
    ];
    let nested = scalar.prop_recursive(5, 64, 6, |inner| {
        let name = prop_oneof!["\"[ab]\"", strings()];
        let member = (name, "[ \t\r\n]{0,2}", inner.clone());
        let member =
            member.prop_map(|(name, space, value)| format!("{space}{name}{space}:{value}"));
        prop_oneof![
            vec(inner, 0..6).prop_map(|items| format!("[ {}]", items.join(" ,"))),
            vec(member, 0..6).prop_map(|members| format!("{{{} }}", members.join(", "))),
        ]
    });
    ("[ \t\r\n]{0,2}", nested).prop_map(|(space, value)| format!("{space}{value}{space}"))
}

/// Whether both readers agree.
fn is_same(value: &Value<'_>, expected: &Expected) -> bool {
    match expected {
        Expected::Null => value.is_null(),
        Expected::String(text) => value.as_text() == Some(text),
        Expected::Array(items) => value.items().is_some_and(|found| {
            found.len() == items.len()
                && found.iter().zip(items).all(|(value, expected)| is_same(value, expected))
        }),
        Expected::Object(members) => {
            value.members().is_some_and(|found| {
                found.iter().all(|(name, _)| members.contains_key(name.as_ref()))
            }) && members.iter().all(|(name, expected)| {
                value.get(name).is_some_and(|value| is_same(value, expected))
            })
        }
        Expected::Bool(_) | Expected::Number(_) => {
            value.as_text().is_none()
                && value.items().is_none()
                && value.members().is_none()
                && serde_json::from_str::<Expected>(&value.to_json()).unwrap() == *expected
        }
    }
}

proptest! {
    #[test]
    fn json_is_parsed_as_by_serde_json(text in texts()) {
        let expected: Expected = serde_json::from_str(&text).unwrap();
        let value = parse_text(&text);
        prop_assert!(value.is_some_and(|value| is_same(&value, &expected)), "{}", text);
    }

    #[test]
    fn a_written_value_parses_back(text in texts()) {
        let expected: Expected = serde_json::from_str(&text).unwrap();
        let compact = parse_text(&text).unwrap().to_json();
        prop_assert!(is_same(&parse_text(&compact).unwrap(), &expected), "{}", compact);
        prop_assert_eq!(parse_text(&compact).unwrap().to_json(), compact);
    }

    #[test]
    fn malformed_json_is_refused_as_by_serde_json(
        text in texts(),
        at in any::<prop::sample::Index>(),
        other in "[\\[\\]{}\",:0-9eE+.\\-a-z \\\\\u{1}]{0,2}",
    ) {
        let chars: Vec<char> = text.chars().collect();
        let at = at.index(chars.len() + 1);
        let (before, after) = chars.split_at(at);
        let text: String = before.iter().copied().chain(other.chars()).chain(after.iter().skip(1).copied()).collect();
        match serde_json::from_str::<Expected>(&text) {
            Ok(expected) => {
                let value = parse_text(&text);
                prop_assert!(value.is_some_and(|value| is_same(&value, &expected)), "{}", text);
            }
            // Numbers that do not fit into a float are valid JSON.
            Err(error) if error.to_string().starts_with("number out of range") => {}
            Err(_) => prop_assert!(parse_text(&text).is_none(), "{}", text),
        }
    }
}
