//! JSON pointers into a secret's value.
//! <https://www.rfc-editor.org/rfc/rfc6901>

use alloc::{format, string::ToString};

use crate::{
    error::{Error, Id},
    message,
    words::{
        json::{self, Value},
        secret::SecretString,
    },
};

/// The part of a value that a pointer leads to: a string without quotes, or other JSON as it was
/// written but without white space, so that large numbers stay exact.
pub fn follow(value: &SecretString, pointer: &str) -> Result<SecretString, Error> {
    let doing = format!("following the JSON pointer `{}`", message::plain(pointer));
    let root = json::parse_text(value.reveal()).ok_or_else(|| {
        Error::new(Id::SecretNotJson, format!("{doing}: the secret is not JSON, or too deep"))
    })?;
    let mut at = &root;
    for segment in pointer.split('/').skip(1) {
        let segment = segment.replace("~1", "/").replace("~0", "~");
        at = step(at, &segment).ok_or_else(|| {
            Error::new(Id::PointerMissing, format!("{doing}: nothing at this path"))
        })?;
    }
    Ok(at.as_text().map_or_else(|| at.to_json().into(), SecretString::from))
}

/// The member or item that one segment of a pointer names.
fn step<'v, 'a>(at: &'v Value<'a>, segment: &str) -> Option<&'v Value<'a>> {
    if let Some(items) = at.items() {
        // No sign, no leading zero: `01` is not an index.
        let index: usize = segment.parse().ok()?;
        return items.get(index).filter(|_| index.to_string() == segment);
    }
    at.get(segment)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pointer_leads_to_the_json_as_written() {
        let json = r#" {"a": {"b~/c": [1, {"d": "x\n\"y"}]}, "": "e", "n": 12345678901234567890123.10,
            "o": { "k" : "a  \" b", "l" : [ ] }, "w": [ 1.0, 1e3, -0, "\u00e9\/" , { "k": 1, "k": 2 } ],
            "2": "first", "2": "last", "t": true, "z": null, "u\u0041": "v", "é": "w"} "#;
        for (pointer, expected) in [
            ("/a/b~0~1c/0", "1"),
            ("/a/b~0~1c/1/d", "x\n\"y"),
            ("/", "e"),
            ("/n", "12345678901234567890123.10"),
            ("/o", r#"{"k":"a  \" b","l":[]}"#),
            ("/w", r#"[1.0,1e3,-0,"\u00e9\/",{"k":1,"k":2}]"#),
            ("/w/0", "1.0"),
            ("/w/1", "1e3"),
            ("/w/2", "-0"),
            ("/w/3", "é/"),
            ("/w/4/k", "2"),
            ("/2", "last"),
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
    fn a_pointer_that_leads_nowhere_is_an_error_without_the_value() {
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
