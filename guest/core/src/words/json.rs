//! JSON in and out, over a reader that keeps numbers and strings as they were written.

use alloc::{
    string::{String, ToString},
    vec::Vec,
};
use core::fmt::Write as _;
use justjson::{JsonString, parser::ParseConfig};
use zeroize::Zeroizing;

use crate::words::secret::SecretString;

/// A value that borrows from the text. Its `Debug` shows that text: it must never be formatted.
pub(crate) type Value<'a> = justjson::Value<'a>;

/// Values that are read, each of which takes memory of its own: the largest page of a vault, 25 items
/// with 15 tags, has some hundreds.
const VALUES: usize = 16 * 1024;
/// Nesting that is followed: no service has more than 5, and the stack is 64 KiB.
const DEPTH: usize = 32;

/// Parses UTF-8 text that is one JSON value. No error is told apart: what it was about may not show.
pub(crate) fn parse(bytes: &[u8]) -> Option<Value<'_>> {
    parse_text(core::str::from_utf8(bytes).ok()?)
}

/// The same of text.
pub(crate) fn parse_text(text: &str) -> Option<Value<'_>> {
    if values(text) > VALUES {
        return None;
    }
    Value::from_json_with_config(text, ParseConfig::new().with_recursion_limit(DEPTH)).ok()
}

/// At least how many values there are, if it is JSON, and at most twice as many.
fn values(text: &str) -> usize {
    let (mut count, mut is_string) = (1, false);
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => is_string = !is_string,
            b'\\' => drop(bytes.next()),
            b',' | b'[' | b'{' if !is_string => count += 1,
            _ => {}
        }
    }
    count
}

/// The members of an object by name; one of another type is as good as absent.
pub(crate) trait Members {
    /// A string.
    fn text(&self, name: &str) -> Option<String>;
    /// A string that must not show.
    fn secret(&self, name: &str) -> Option<SecretString>;
    /// A whole number, also if it is written with a fraction of zeros.
    fn integer(&self, name: &str) -> Option<i64>;
    /// A truth value.
    fn boolean(&self, name: &str) -> Option<bool>;
}

impl Members for Value<'_> {
    fn text(&self, name: &str) -> Option<String> {
        self.get(name).and_then(text_of)
    }

    fn secret(&self, name: &str) -> Option<SecretString> {
        self.text(name).map(SecretString::new)
    }

    fn integer(&self, name: &str) -> Option<i64> {
        match self.get(name)? {
            Self::Number(number) => whole(number.source()),
            _ => None,
        }
    }

    fn boolean(&self, name: &str) -> Option<bool> {
        match self.get(name)? {
            Self::Boolean(value) => Some(*value),
            _ => None,
        }
    }
}

/// A string's text.
pub(crate) fn text_of(value: &Value<'_>) -> Option<String> {
    match value {
        Value::String(text) => Some(decoded(text)),
        _ => None,
    }
}

/// A JSON string as text.
pub(crate) fn decoded(text: &JsonString<'_>) -> String {
    text.decode_if_needed().to_string()
}

/// A number without exponent, its fraction cut.
pub(crate) fn whole(source: &str) -> Option<i64> {
    let (whole, fraction) = source.split_once('.').unwrap_or((source, "0"));
    if !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    whole.parse().ok()
}

/// An object under construction. All that is absent is left out.
#[derive(Default)]
pub(crate) struct Object(Zeroizing<String>);

impl Object {
    /// A string.
    pub(crate) fn text(&mut self, name: &str, value: &str) -> &mut Self {
        self.name(name);
        quote(&mut self.0, value);
        self
    }

    /// A string, if there is one.
    pub(crate) fn some_text(&mut self, name: &str, value: Option<&str>) -> &mut Self {
        match value {
            Some(value) => self.text(name, value),
            None => self,
        }
    }

    /// A number, if there is one.
    pub(crate) fn some_number(&mut self, name: &str, value: Option<i64>) -> &mut Self {
        if let Some(value) = value {
            self.name(name);
            // Writing to a string cannot fail.
            let _ = write!(self.0, "{value}");
        }
        self
    }

    /// A truth value, if there is one.
    pub(crate) fn some_boolean(&mut self, name: &str, value: Option<bool>) -> &mut Self {
        match value {
            Some(value) => self.raw(name, if value { "true" } else { "false" }),
            None => self,
        }
    }

    /// What is JSON already.
    pub(crate) fn raw(&mut self, name: &str, json: &str) -> &mut Self {
        self.name(name);
        self.0.push_str(json);
        self
    }

    /// The object's text.
    pub(crate) fn finish(&mut self) -> Zeroizing<String> {
        if self.0.is_empty() {
            self.0.push('{');
        }
        self.0.push('}');
        core::mem::take(&mut self.0)
    }

    fn name(&mut self, name: &str) {
        let before = if self.0.is_empty() { '{' } else { ',' };
        self.0.push(before);
        quote(&mut self.0, name);
        self.0.push(':');
    }
}

/// A string as JSON.
pub(crate) fn text(text: &str) -> Zeroizing<String> {
    let mut out = Zeroizing::new(String::new());
    quote(&mut out, text);
    out
}

/// An array of what is JSON already.
pub(crate) fn array(items: &[Zeroizing<String>]) -> Zeroizing<String> {
    let items: Vec<&str> = items.iter().map(|item| item.as_str()).collect();
    let mut text = Zeroizing::new(String::from("["));
    text.push_str(&Zeroizing::new(items.join(",")));
    text.push(']');
    text
}

fn quote(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            // No others need to be escaped, and `serde_json` does not escape them either.
            '\0'..' ' => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_json_is_refused() {
        let deep = "[".repeat(DEPTH + 1) + &"]".repeat(DEPTH + 1);
        let bomb = "[".repeat(100_000);
        for text in [
            "",
            " ",
            "{",
            "}",
            "nul",
            "'a'",
            "{\"a\":1,}",
            "[1,]",
            "01",
            "1.",
            "+1",
            "\"a",
            "\"\n\"",
            "{\"a\" 1}",
            "{a:1}",
            "1 2",
            "\"\\ud800\"",
            "\"\\udc00\"",
            "\"\\ud800\\u0041\"",
            "\"\\x\"",
            "\"\\u12\"",
            &deep,
            &bomb,
            "NaN",
            "\u{feff}1",
            "{\"a\":1}x",
        ] {
            assert!(parse_text(text).is_none(), "{}", text.get(..40).unwrap_or(text));
        }
        assert!(parse(b"\"\xff\"").is_none());
        // What only looks like many values is one.
        assert!(parse_text(&format!("[{}0]", "0,".repeat(VALUES))).is_none());
        assert!(parse_text(&format!("\"\\\"{}\"", "[{,".repeat(VALUES))).is_some());
    }

    #[test]
    fn members_are_read_by_type() {
        let json = r#"{"t":"a\"\u00e9\ud83d\ude00\n","n":12.0,"m":-3,"e":1e3,"b":true,"z":null,"\u0061":"x"}"#;
        let value = parse_text(json).unwrap();
        assert_eq!(value.text("t").as_deref(), Some("a\"é😀\n"));
        assert_eq!(value.text("a").as_deref(), Some("x"));
        assert_eq!(value.integer("n"), Some(12));
        assert_eq!(value.integer("m"), Some(-3));
        assert_eq!(value.integer("e"), None);
        assert_eq!(value.integer("t"), None);
        assert_eq!(value.boolean("b"), Some(true));
        assert_eq!(value.text("z"), None);
        assert_eq!(parse_text("[1]").unwrap().text("t"), None);
    }

    #[test]
    fn what_is_written_reads_back() {
        let text = "a\"\\\n\r\t\u{0}\u{1f}\u{7f}\u{85}é😀/";
        let json = Object::default().text(text, text).some_text("none", None).finish();
        assert_eq!(parse_text(&json).unwrap().text(text).as_deref(), Some(text));
        assert_eq!(Object::default().finish().as_str(), "{}");
        assert_eq!(array(&[]).as_str(), "[]");
        let one =
            Object::default().some_number("a", Some(1)).some_boolean("b", Some(false)).finish();
        assert_eq!(array(&[one.clone(), one]).as_str(), r#"[{"a":1,"b":false},{"a":1,"b":false}]"#);
    }
}
