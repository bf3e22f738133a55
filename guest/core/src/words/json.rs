//! JSON: a reader over `serde_json` that keeps every value as it was written, and a writer.
//! <https://www.rfc-editor.org/rfc/rfc8259>

use alloc::{borrow::Cow, string::String, vec::Vec};
use core::{fmt, fmt::Write as _};
use serde_core::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::words::{scrub::Scrubbed, secret::SecretString};

/// The most values in one text, as each takes memory. The largest page of a vault, 25 items with 15
/// tags each, has some hundreds.
const VALUES: usize = 16 * 1024;
/// The deepest nesting of arrays and objects: no service goes beyond 5, and the stack is 64 KiB.
const DEPTH: usize = 32;

/// A JSON value that borrows from the text it was read from. There is no `Debug`, which would show
/// that text.
pub(crate) struct Value<'a> {
    /// The value as it was written, without the white space around it.
    source: &'a str,
    content: Content<'a>,
}

/// The value null, as a stand-in for an absent member.
pub(crate) static NULL: Value<'static> = Value { source: "null", content: Content::Scalar };

enum Content<'a> {
    /// A number, a truth value or null: the source is all there is to know.
    Scalar,
    /// A string without its quotes and escapes.
    Text(Cow<'a, str>),
    Array(Vec<Value<'a>>),
    /// Members in the order of the text.
    Object(Vec<(Cow<'a, str>, Value<'a>)>),
}

/// Parses UTF-8 text that is one JSON value. Every error is the same: its cause may not show.
pub(crate) fn parse(bytes: &[u8]) -> Option<Value<'_>> {
    parse_text(core::str::from_utf8(bytes).ok()?)
}

/// Parses text that is one JSON value.
pub(crate) fn parse_text(text: &str) -> Option<Value<'_>> {
    let source = text.trim_matches([' ', '\t', '\n', '\r']);
    let mut reader = Reader { values: VALUES - 1, depth: DEPTH - 1 };
    let content = match source.as_bytes().first()? {
        b'[' | b'{' | b'"' => reader.content(source)?,
        _ => serde_json::from_str::<&RawValue>(source).ok().map(|_| Content::Scalar)?,
    };
    Some(Value { source, content })
}

/// A reader with the numbers of values and levels that it may still read.
struct Reader {
    values: usize,
    depth: usize,
}

impl Reader {
    /// Reads one value within another. Each level of nesting is scanned again, at most [`DEPTH`] times:
    /// `serde_json` either shows the source of a value or what is in it.
    fn value<'a>(&mut self, raw: &'a RawValue) -> Option<Value<'a>> {
        self.values = self.values.checked_sub(1)?;
        let source = raw.get();
        let content = match source.as_bytes().first()? {
            // The source is well-formed, so only an escape would have to be decoded.
            b'"' if !source.as_bytes().contains(&b'\\') => {
                Content::Text(Cow::Borrowed(source.get(1..source.len() - 1)?))
            }
            b'"' => self.content(source)?,
            b'[' | b'{' => {
                self.depth = self.depth.checked_sub(1)?;
                let content = self.content(source)?;
                self.depth += 1;
                content
            }
            _ => Content::Scalar,
        };
        Some(Value { source, content })
    }

    fn content<'a>(&mut self, source: &'a str) -> Option<Content<'a>> {
        let mut from = serde_json::Deserializer::from_str(source);
        let content = self.deserialize(&mut from).ok()?;
        from.end().ok()?;
        content
    }
}

/// Reads nothing once a limit is reached. An error of `serde_json` would format a text only to drop it.
impl<'a> DeserializeSeed<'a> for &mut Reader {
    type Value = Option<Content<'a>>;

    fn deserialize<D: Deserializer<'a>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'a> Visitor<'a> for &mut Reader {
    type Value = Option<Content<'a>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(Some(Content::Scalar))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(Some(Content::Scalar))
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(Some(Content::Scalar))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(Some(Content::Scalar))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Some(Content::Scalar))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Some(Content::Text(Cow::Owned(text.into()))))
    }

    fn visit_borrowed_str<E>(self, text: &'a str) -> Result<Self::Value, E> {
        Ok(Some(Content::Text(Cow::Borrowed(text))))
    }

    fn visit_seq<A: SeqAccess<'a>>(self, mut from: A) -> Result<Self::Value, A::Error> {
        let mut items = Vec::new();
        while let Some(raw) = from.next_element()? {
            let Some(item) = self.value(raw) else { return Ok(None) };
            items.push(item);
        }
        Ok(Some(Content::Array(items)))
    }

    fn visit_map<A: MapAccess<'a>>(self, mut from: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some(name) = from.next_key_seed(&mut *self)? {
            let Some(Content::Text(name)) = name else { return Ok(None) };
            let Some(value) = self.value(from.next_value()?) else { return Ok(None) };
            members.push((name, value));
        }
        Ok(Some(Content::Object(members)))
    }
}

impl<'a> Value<'a> {
    /// The items of an array.
    pub(crate) fn items(&self) -> Option<&[Self]> {
        match &self.content {
            Content::Array(items) => Some(items),
            _ => None,
        }
    }

    /// The members of an object, in the order of the text.
    pub(crate) fn members(&self) -> Option<&[(Cow<'a, str>, Self)]> {
        match &self.content {
            Content::Object(members) => Some(members),
            _ => None,
        }
    }

    /// A member of an object; the last one, if several have that name.
    pub(crate) fn get(&self, name: &str) -> Option<&Self> {
        let found = self.members()?.iter().rev().find(|(other, _)| other == name);
        found.map(|(_, value)| value)
    }

    /// The text of a string, without quotes and escapes.
    pub(crate) fn as_text(&self) -> Option<&str> {
        match &self.content {
            Content::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Whether this is the value null.
    pub(crate) fn is_null(&self) -> bool {
        self.source == "null"
    }

    /// A member that is a string. A member of another type counts as absent, here and below.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        self.get(name)?.as_text().map(String::from)
    }

    /// A member that is a string and a secret.
    pub(crate) fn secret(&self, name: &str) -> Option<SecretString> {
        self.get(name)?.as_text().map(SecretString::from)
    }

    /// A member that is a whole number; a fraction is cut off.
    pub(crate) fn integer(&self, name: &str) -> Option<i64> {
        whole(self.get(name)?.source)
    }

    /// A member that is a truth value.
    pub(crate) fn boolean(&self, name: &str) -> Option<bool> {
        match self.get(name)?.source {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        }
    }

    /// The value as it was written, without the white space between its parts.
    pub(crate) fn to_json(&self) -> String {
        let mut out = String::with_capacity(self.source.len());
        let (mut is_string, mut is_escaped) = (false, false);
        for c in self.source.chars() {
            is_string ^= c == '"' && !is_escaped;
            is_escaped = c == '\\' && !is_escaped;
            if is_string || !c.is_ascii_whitespace() {
                out.push(c);
            }
        }
        out
    }
}

/// Parses a number without an exponent; a fraction is cut off.
pub(crate) fn whole(source: &str) -> Option<i64> {
    let (whole, fraction) = source.split_once('.').unwrap_or((source, "0"));
    if !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    whole.parse().ok()
}

/// An object under construction. Absent members are left out.
#[derive(Default)]
pub(crate) struct Object(Scrubbed<String>);

impl Object {
    /// An object with room for so many bytes.
    pub(crate) fn with_capacity(bytes: usize) -> Self {
        Self(Scrubbed::new(String::with_capacity(bytes)))
    }

    /// Adds a string.
    pub(crate) fn text(&mut self, name: &str, value: &str) -> &mut Self {
        self.name(name);
        quote(&mut self.0, value);
        self
    }

    /// Adds a string, if there is one.
    pub(crate) fn some_text(&mut self, name: &str, value: Option<&str>) -> &mut Self {
        match value {
            Some(value) => self.text(name, value),
            None => self,
        }
    }

    /// Adds a number, if there is one.
    pub(crate) fn some_number(&mut self, name: &str, value: Option<i64>) -> &mut Self {
        if let Some(value) = value {
            self.name(name);
            // Writing to a string cannot fail.
            let _ = write!(self.0, "{value}");
        }
        self
    }

    /// Adds a truth value, if there is one.
    pub(crate) fn some_boolean(&mut self, name: &str, value: Option<bool>) -> &mut Self {
        match value {
            Some(value) => self.raw(name, if value { "true" } else { "false" }),
            None => self,
        }
    }

    /// Adds a value that is JSON already.
    pub(crate) fn raw(&mut self, name: &str, json: &str) -> &mut Self {
        self.name(name);
        self.0.push_str(json);
        self
    }

    /// Ends the object and returns the text.
    pub(crate) fn finish(&mut self) -> Scrubbed<String> {
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

/// Writes a string as JSON.
pub(crate) fn text(text: &str) -> Scrubbed<String> {
    let mut out = Scrubbed::new(String::new());
    quote(&mut out, text);
    out
}

/// Writes an array of values that are JSON already.
pub(crate) fn array(items: &[Scrubbed<String>]) -> Scrubbed<String> {
    let items: Vec<&str> = items.iter().map(|item| item.as_str()).collect();
    let mut text = Scrubbed::new(String::from("["));
    text.push_str(&Scrubbed::new(items.join(",")));
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
            "Infinity",
            "-",
            "-01",
            "1e",
            ".5",
            "\u{feff}1",
            "\u{a0}1",
            "\u{b}1",
            "{\"a\":1}x",
            "{\"\\ud800\":1}",
            "[{\"a\":[\"\\udc00\"]}]",
            "[\"\u{1}\"]",
            "{\"a\":1,,\"b\":2}",
            "[1 2]",
            "[1}",
            "// a\n1",
            "nulll",
            "TRUE",
        ] {
            assert!(parse_text(text).is_none(), "{}", text.get(..40).unwrap_or(text));
        }
        assert!(parse(b"\"\xff\"").is_none());
        assert!(parse(b"\"\xed\xa0\x80\"").is_none());
    }

    #[test]
    fn nesting_and_values_have_limits() {
        for (open, close) in [("[", "]"), ("{\"a\":", "}"), (" [ 1, { \"b\": 2, \"a\" :", " } ] ")]
        {
            let levels = open.matches(['[', '{']).count();
            let nested = |depth: usize| {
                let times = depth / levels;
                format!("{}\"x\"{}", open.repeat(times), close.repeat(times))
            };
            assert!(parse_text(&nested(DEPTH)).is_some(), "{open}");
            assert!(parse_text(&nested(DEPTH + levels)).is_none(), "{open}");
            assert!(parse_text(&nested(100_000)).is_none(), "{open}");
        }
        // Depth is that of the place, not the number of arrays before it.
        assert!(parse_text(&format!("[{}[[]]]", "[],{},".repeat(DEPTH))).is_some());

        // The array itself is one value, and so is a member with its name.
        let items = |count: usize| format!("[{}0]", "0,".repeat(count - 1));
        assert!(parse_text(&items(VALUES - 1)).is_some());
        assert!(parse_text(&items(VALUES)).is_none());
        let members = |count: usize| format!("{{{}\"a\":0}}", "\"a\":0,".repeat(count - 1));
        assert!(parse_text(&members(VALUES - 1)).is_some());
        assert!(parse_text(&members(VALUES)).is_none());
        let inner = format!("[{},0]", items(VALUES / 2));
        assert!(parse_text(&inner).is_some());
        assert!(parse_text(&format!("[{inner},{inner}]")).is_none());
        // Only a string looks like many values here.
        assert!(parse_text(&format!("\"\\\"{}\"", "[{,".repeat(VALUES))).is_some());
    }

    #[test]
    fn the_last_member_of_a_name_counts() {
        let value = parse_text(r#"{"a":"x","b":1,"\u0061":"y","b":{"c":2,"c":3}}"#).unwrap();
        assert_eq!(value.text("a").as_deref(), Some("y"));
        assert_eq!(value.integer("b"), None);
        assert_eq!(value.get("b").unwrap().integer("c"), Some(3));
        let value = parse_text(r#"{"a":"x","a":null}"#).unwrap();
        assert!(value.get("a").unwrap().is_null() && value.text("a").is_none());
    }

    #[test]
    fn values_stay_as_they_were_written() {
        for source in [
            "0",
            "-0",
            "1.0",
            "1e3",
            "1E+03",
            "-0.0e-0",
            "123456789012345678901234567890",
            "0.1234567890123456789012345678901234567890",
            "1e999999999999999999999",
            "true",
            "false",
            "null",
            r#""\u0041\/\ud83d\ude00 \" \\ é \b\f\n\r\t""#,
            r#"{"\u0061":[1.0,"a , b : \\",{}],"a":[],"a":" "}"#,
        ] {
            for text in [source.to_owned(), format!(" \t\r\n{source}\n ")] {
                assert_eq!(parse_text(&text).expect(source).to_json(), source);
            }
        }
        let spaced = "{ \"a \\\" b\" :\t[ 1.0 ,\r\n-2E5 , \" \\\\\" , { } ] , \"b\" : null }";
        let compact = r#"{"a \" b":[1.0,-2E5," \\",{}],"b":null}"#;
        assert_eq!(parse_text(spaced).unwrap().to_json(), compact);
    }

    #[test]
    fn text_is_borrowed_where_it_has_no_escapes() {
        let text = String::from(r#"{"a":"b\n","c":"d"}"#);
        let value = parse_text(&text).unwrap();
        let is_borrowed = |name: &str| match value.get(name).map(|value| &value.content) {
            Some(Content::Text(Cow::Borrowed(text))) => !text.is_empty(),
            _ => false,
        };
        assert!(is_borrowed("c") && !is_borrowed("a"));
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
        assert_eq!(value.boolean("t"), None);
        assert_eq!(value.text("z"), None);
        assert_eq!(parse_text("[1]").unwrap().text("t"), None);
        // Strings that read like other values are strings.
        let value = parse_text(r#"{"n":"1","b":"true","z":"null","t":""}"#).unwrap();
        assert_eq!((value.integer("n"), value.boolean("b")), (None, None));
        assert!(!value.get("z").unwrap().is_null());
        assert_eq!(value.text("t").as_deref(), Some(""));
        let text = r#"{"a":12.9,"b":-0,"c":-0.5,"d":9223372036854775807,"e":9223372036854775808,"f":1.5e0}"#;
        let value = parse_text(text).unwrap();
        let integers = ["a", "b", "c", "d", "e", "f"].map(|name| value.integer(name));
        assert_eq!(integers, [Some(12), Some(0), Some(0), Some(i64::MAX), None, None]);
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
