//! JSON pointers into a secret.
//! <https://www.rfc-editor.org/rfc/rfc6901>

use alloc::{
    borrow::Cow,
    collections::BTreeMap,
    string::{String, ToString},
    vec::Vec,
};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{
    error::{Error, Id},
    secret::SecretString,
};

/// What the pointer leads to: a string without its quotes, other JSON as it was written but without
/// spaces (so that a large number stays what it was).
pub(super) fn follow(value: &SecretString, pointer: &str) -> Result<SecretString, Error> {
    let doing = alloc::format!("following the JSON pointer `{pointer}`");
    let mut at: &RawValue = serde_json::from_str(value.reveal().trim()).map_err(|_| {
        Error::new(Id::SecretNotJson, alloc::format!("{doing}: the secret is not JSON"))
    })?;
    for segment in pointer.split('/').skip(1) {
        let segment = segment.replace("~1", "/").replace("~0", "~");
        at = step(at, &segment).ok_or_else(|| {
            Error::new(Id::PointerMissing, alloc::format!("{doing}: there is nothing"))
        })?;
    }
    Ok(match serde_json::from_str::<SecretString>(at.get()) {
        Ok(text) => text,
        Err(_) => compact(at.get()).into(),
    })
}

fn step<'a>(at: &'a RawValue, segment: &str) -> Option<&'a RawValue> {
    #[derive(Deserialize, PartialEq, Eq, PartialOrd, Ord)]
    struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

    if at.get().starts_with('{') {
        let members: BTreeMap<Key<'_>, &RawValue> = serde_json::from_str(at.get()).ok()?;
        return members.get(&Key(segment.into())).copied();
    }
    // No sign, no leading zero: `01` is not an index.
    let index: usize = segment.parse().ok()?;
    if index.to_string() != segment {
        return None;
    }
    let items: Vec<&RawValue> = serde_json::from_str(at.get()).ok()?;
    items.get(index).copied()
}

/// Without the spaces that stand outside of strings.
fn compact(json: &str) -> String {
    let (mut within, mut escaped) = (false, false);
    let mut text = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            ' ' | '\t' | '\r' | '\n' if !within => continue,
            '"' if !escaped => within = !within,
            _ => {}
        }
        escaped = within && c == '\\' && !escaped;
        text.push(c);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pointers_lead_to_what_was_written() {
        let json = r#" {"a": {"b~/c": [1, {"d": "x\n\"y"}]}, "": "e", "n": 12345678901234567890123.10,
            "o": { "k" : "a  \" b", "l" : [ ] }, "t": true, "z": null, "u\u0041": "v", "é": "w"} "#;
        for (pointer, expected) in [
            ("/a/b~0~1c/0", "1"),
            ("/a/b~0~1c/1/d", "x\n\"y"),
            ("/", "e"),
            ("/n", "12345678901234567890123.10"),
            ("/o", r#"{"k":"a  \" b","l":[]}"#),
            ("/t", "true"),
            ("/z", "null"),
            ("/uA", "v"),
            ("/é", "w"),
        ] {
            assert_eq!(follow(&json.into(), pointer).expect(pointer).reveal(), expected);
        }
        assert_eq!(follow(&"\"plain\"".into(), "").unwrap().reveal(), "plain");
    }

    #[test]
    fn a_miss_is_an_error_without_the_value() {
        for (json, pointer, id) in [
            (r#"{"a":"hunter2"}"#, "/b", Id::PointerMissing),
            (r#"{"a":"hunter2"}"#, "/a/b", Id::PointerMissing),
            (r#"["hunter2"]"#, "/1", Id::PointerMissing),
            (r#"["hunter2"]"#, "/00", Id::PointerMissing),
            (r#"["hunter2"]"#, "/-", Id::PointerMissing),
            (r#"["hunter2"]"#, "/+0", Id::PointerMissing),
            ("hunter2", "/a", Id::SecretNotJson),
            ("", "", Id::SecretNotJson),
            (r#"{"a":"hunter2""#, "/a", Id::SecretNotJson),
        ] {
            let error = follow(&json.into(), pointer).expect_err(json);
            assert!(error.is(id), "{json} {pointer}: {error:?}");
            assert!(!format!("{error:?}{}", error.line()).contains("hunter2"));
        }
    }
}
