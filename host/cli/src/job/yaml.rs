//! YAML as `az ml job create` reads it: the syntax by a library, plain scalars as PyYAML resolves them (YAML 1.1),
//! anchors, merge keys, and of two equal keys the last. Every value knows its line.

use std::collections::BTreeMap;

use base64ct::{Base64, Encoding as _};
use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span, StrInput, Tag};

use super::characters;
use super::scalar::{self, Scalar};
use super::shown::shown;

/// The most values that a document may have, with those that aliases repeat.
const VALUES_MAX: usize = 10_000;
/// Bytes of a text that count as one more value, where an alias repeats it.
const LONG: usize = 256;
/// How deep values may be nested.
const DEPTH_MAX: usize = 32;

/// What to do about what `az` refuses, too.
const REFUSED: &str = "correct it: `az` refuses it, too";
/// The names of tags that PyYAML reads, and this program does not.
const UNREAD: [&str; 7] = ["timestamp", "omap", "pairs", "set", "seq", "map", "binary"];

/// Where a value stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    /// In the file; both are counted from 1.
    Line { line: usize, column: usize },
    /// On the command line, by `--set`.
    Set,
}

/// A value and its place.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Node {
    pub(super) at: Place,
    pub(super) data: Data,
    /// Whether each line of the text is a line of the file.
    pub(super) is_literal: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Data {
    Scalar(Scalar),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// A member of a mapping.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Entry {
    pub(super) key: String,
    /// Whether the key is a text, and not a number or a boolean.
    pub(super) is_text: bool,
    pub(super) at: Place,
    pub(super) value: Node,
}

/// Why a text is no YAML document.
#[derive(Debug)]
pub(super) struct Malformed {
    pub(super) at: Option<Place>,
    pub(super) why: String,
    pub(super) help: &'static str,
}

/// A document, and the keys that stand twice in a mapping, with both places.
#[derive(Debug)]
pub(super) struct Document {
    pub(super) root: Node,
    pub(super) repeated: Vec<(String, Place, Place)>,
}

impl Node {
    /// A text that was given on the command line.
    pub(super) fn set(text: &str) -> Self {
        Self {
            at: Place::Set,
            data: Data::Scalar(Scalar::Text(text.to_owned())),
            is_literal: false,
        }
    }

    /// The number of values in it, of which a long text counts as several.
    fn count(&self) -> usize {
        1 + match &self.data {
            Data::Scalar(Scalar::Text(text)) => text.len() / LONG,
            Data::Scalar(_) => 0,
            Data::List(items) => items.iter().map(Self::count).sum(),
            Data::Map(entries) => entries.iter().map(|it| it.value.count()).sum(),
        }
    }
}

/// Reads a text of one document.
pub(super) fn parse(text: &str) -> Result<Document, Malformed> {
    if let Some((at, why)) = characters::refused(text) {
        let help = "leave it out, or write it in double quotes, escaped";
        return Err(Malformed { at: Some(at), why, help });
    }
    let mut reader = Reader {
        parser: Parser::new_from_str(text),
        anchors: BTreeMap::new(),
        repeated: Vec::new(),
        left: VALUES_MAX,
    };
    let mut root = None;
    while let Some((event, span)) = reader.next()? {
        match event {
            Event::DocumentStart(_) if root.is_some() => {
                return Err(malformed(&span, "a second document begins"));
            }
            Event::Scalar(..)
            | Event::SequenceStart(..)
            | Event::MappingStart(..)
            | Event::Alias(_) => root = Some(reader.node(event, &span, 0)?),
            _ => {}
        }
    }
    match root {
        Some(root) => Ok(Document { root, repeated: reader.repeated }),
        None => Err(Malformed { at: None, why: "the file is empty".to_owned(), help: REFUSED }),
    }
}

struct Reader<'a> {
    parser: Parser<'a, StrInput<'a>>,
    anchors: BTreeMap<usize, Node>,
    repeated: Vec<(String, Place, Place)>,
    /// How many values may follow.
    left: usize,
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Result<Option<(Event<'a>, Span)>, Malformed> {
        self.parser.next_event().transpose().map_err(|error| of_library(&error))
    }

    fn inner(&mut self) -> Result<(Event<'a>, Span), Malformed> {
        // The library ends what it began, or fails.
        let end =
            || Malformed { at: None, why: "the file ends too early".to_owned(), help: REFUSED };
        self.next()?.ok_or_else(end)
    }

    fn node(&mut self, event: Event<'a>, span: &Span, depth: usize) -> Result<Node, Malformed> {
        self.spend(1, span)?;
        if depth > DEPTH_MAX {
            return Err(malformed(span, "values are nested too deep"));
        }
        let at = place(span);
        let mut is_literal = false;
        let (data, anchor) = match event {
            Event::Alias(anchor) => {
                let node = self.anchors.get(&anchor).cloned();
                let node = node.ok_or_else(|| malformed(span, "an alias repeats itself"))?;
                self.spend(node.count(), span)?;
                return Ok(node);
            }
            Event::Scalar(text, style, anchor, tag) => {
                is_literal = style == ScalarStyle::Literal;
                let tag = tag.as_deref();
                (Data::Scalar(scalar(&text, style, tag, span)?), anchor)
            }
            Event::SequenceStart(anchor, tag) => {
                refuse(tag.as_deref(), "seq", span)?;
                (Data::List(self.list(depth)?), anchor)
            }
            Event::MappingStart(anchor, tag) => {
                refuse(tag.as_deref(), "map", span)?;
                (Data::Map(self.map(depth)?), anchor)
            }
            _ => return Err(malformed(span, "a value is missing")),
        };
        let node = Node { at, data, is_literal };
        if anchor > 0 {
            self.anchors.insert(anchor, node.clone());
        }
        Ok(node)
    }

    fn spend(&mut self, count: usize, span: &Span) -> Result<(), Malformed> {
        let left = self.left.checked_sub(count);
        self.left = left.ok_or_else(|| malformed(span, "the file has too many values"))?;
        Ok(())
    }

    fn list(&mut self, depth: usize) -> Result<Vec<Node>, Malformed> {
        let mut items = Vec::new();
        loop {
            match self.inner()? {
                (Event::SequenceEnd, _) => return Ok(items),
                (event, span) => items.push(self.node(event, &span, depth + 1)?),
            }
        }
    }

    fn map(&mut self, depth: usize) -> Result<Vec<Entry>, Malformed> {
        let mut entries: Vec<Entry> = Vec::new();
        let mut merged = Vec::new();
        loop {
            let (event, span) = self.inner()?;
            if matches!(event, Event::MappingEnd) {
                break;
            }
            let is_plain = matches!(event, Event::Scalar(_, ScalarStyle::Plain, ..));
            let (key, is_text) = match self.node(event, &span, depth + 1)?.data {
                Data::Scalar(key) => {
                    (key.python().unwrap_or_default(), matches!(key, Scalar::Text(_)))
                }
                Data::List(_) | Data::Map(_) => {
                    return Err(malformed(&span, "a key is a list or a mapping"));
                }
            };
            let (event, of_value) = self.inner()?;
            let value = self.node(event, &of_value, depth + 1)?;
            if key == "<<" && is_plain {
                merged.extend(mergeable(value).ok_or_else(|| {
                    malformed(&of_value, "`<<` takes a mapping, or a list of mappings")
                })?);
                continue;
            }
            let at = place(&span);
            if let Some(first) = entries.iter().position(|it| it.key == key) {
                let first = entries.remove(first);
                self.repeated.push((key.clone(), first.at, at));
            }
            entries.push(Entry { key, is_text, at, value });
        }
        for entry in merged {
            if !entries.iter().any(|it| it.key == entry.key) {
                entries.push(entry);
            }
        }
        Ok(entries)
    }
}

/// The entries that a merge key brings, the first of equal keys before the others.
fn mergeable(value: Node) -> Option<Vec<Entry>> {
    match value.data {
        Data::Map(entries) => Some(entries),
        Data::List(items) => {
            let mut all = Vec::new();
            for item in items {
                let Data::Map(entries) = item.data else { return None };
                all.extend(entries);
            }
            Some(all)
        }
        Data::Scalar(_) => None,
    }
}

fn scalar(
    text: &str,
    style: ScalarStyle,
    tag: Option<&Tag>,
    span: &Span,
) -> Result<Scalar, Malformed> {
    let name = tag.filter(|tag| tag.is_yaml_core_schema()).map(|tag| tag.suffix.as_str());
    match (tag, name) {
        (None, _) if style == ScalarStyle::Plain => Ok(scalar::resolve(text)),
        (None, _) | (Some(_), Some("str")) => Ok(Scalar::Text(text.to_owned())),
        (Some(_), Some("binary")) => {
            let bytes = Base64::decode_vec(&text.split_whitespace().collect::<String>()).ok();
            let decoded = bytes.and_then(|it| String::from_utf8(it).ok());
            decoded
                .map(Scalar::Text)
                .ok_or_else(|| malformed(span, "`!!binary` is no text in base64"))
        }
        (Some(_), Some("bool" | "int" | "float" | "null")) => Ok(scalar::resolve(text)),
        (Some(tag), _) => Err(unread(tag, span)),
    }
}

/// Refuses a tag, unless it says what is so anyway.
fn refuse(tag: Option<&Tag>, allowed: &str, span: &Span) -> Result<(), Malformed> {
    match tag {
        Some(tag) if !tag.is_yaml_core_schema() || tag.suffix != allowed => Err(unread(tag, span)),
        _ => Ok(()),
    }
}

fn unread(tag: &Tag, span: &Span) -> Malformed {
    if tag.is_yaml_core_schema() && UNREAD.contains(&tag.suffix.as_str()) {
        let help = "leave the tag out, and write what it makes of the value";
        let why = format!("the tag `!!{}` is not read here", tag.suffix);
        return Malformed { help, ..malformed(span, &why) };
    }
    malformed(span, "there is a tag that `az` does not know")
}

fn place(span: &Span) -> Place {
    Place::Line { line: span.start.line(), column: span.start.col() + 1 }
}

fn malformed(span: &Span, why: &str) -> Malformed {
    Malformed { at: Some(place(span)), why: why.to_owned(), help: REFUSED }
}

fn of_library(error: &ScanError) -> Malformed {
    let at = Place::Line { line: error.marker().line(), column: error.marker().col() + 1 };
    Malformed { at: Some(at), why: shown(error.info()), help: REFUSED }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "([-a&*!|>'\"{}\\[\\]:,?#%@~<\\\\ \t\né]|: |- |\n  ){0,60}") {
            let _ = parse(&text);
        }
    }

    /// The document as text in which every kind of value can be told from the others.
    fn shown(node: &Node) -> String {
        match &node.data {
            Data::Scalar(scalar) => format!("{scalar:?}"),
            Data::List(items) => {
                format!("[{}]", items.iter().map(shown).collect::<Vec<_>>().join(","))
            }
            Data::Map(entries) => {
                let entry = |it: &Entry| format!("{}={}", it.key, shown(&it.value));
                format!("{{{}}}", entries.iter().map(entry).collect::<Vec<_>>().join(","))
            }
        }
    }

    #[test]
    fn documents_are_read_with_anchors_merge_keys_and_the_last_of_two_keys() {
        for (text, expected) in [
            (
                "a: &x {k: 1, l: x}\nb: *x\n",
                r#"{a={k=Int("1"),l=Text("x")},b={k=Int("1"),l=Text("x")}}"#,
            ),
            (
                "a: &x {k: 1, l: 2}\nb: {<<: *x, l: 3}\n",
                r#"{a={k=Int("1"),l=Int("2")},b={l=Int("3"),k=Int("1")}}"#,
            ),
            ("a: 1\nb: 2\na: 3\n", r#"{b=Int("2"),a=Int("3")}"#),
            ("a: !!str 5\nb: [yes, 'yes']\n", r#"{a=Text("5"),b=[Bool(true),Text("yes")]}"#),
            ("\u{feff}a: |\r\n  x\r\n  y\r\n", r#"{a=Text("x\ny\n")}"#),
            ("1: a\n", r#"{1=Text("a")}"#),
        ] {
            assert_eq!(shown(&parse(text).unwrap().root), expected, "{text:?}");
        }
        let repeated = parse("a: 1\nb: 2\na: 3\n").unwrap().repeated;
        let line = |line| Place::Line { line, column: 1 };
        assert_eq!(repeated, [("a".to_owned(), line(1), line(3))]);
    }

    #[test]
    fn what_is_no_document_is_named_with_its_line() {
        let bomb = (1..9).fold("a0: &a0 [x, x, x, x, x, x, x, x]\n".to_owned(), |text, at| {
            let alias = format!("*a{}, ", at - 1);
            format!("{text}a{at}: &a{at} [{}]\n", alias.repeat(8))
        });
        let long = format!("a: &a {}\nb: [{}]\n", "x".repeat(1 << 16), "*a, ".repeat(1000));
        let deep = format!("a: {}{}", "[".repeat(40), "]".repeat(40));
        for (text, line, why) in [
            ("", None, "empty"),
            ("# only a comment\n", None, "empty"),
            ("a: 1\n---\nb: 2\n", Some(2), "second document"),
            ("a:\n\tb: 1\n", Some(2), "tab"),
            ("a: [1,\n", Some(2), ""),
            ("a: *x\n", Some(1), "anchor"),
            ("a: !x 1\n", Some(1), "tag"),
            ("a: b: c\n", Some(1), "mapping"),
            ("a: &x [*x]\n", Some(1), "repeats itself"),
            ("a: {<<: 1}\n", Some(1), "`<<`"),
            ("[a]: 1\n", Some(1), "key"),
            (&bomb, Some(5), "too many"),
            (&long, Some(2), "too many"),
            (&deep, Some(1), "too deep"),
        ] {
            let malformed = parse(text).unwrap_err();
            let found = malformed.at.map(|at| match at {
                Place::Line { line, .. } => line,
                Place::Set => 0,
            });
            assert_eq!(found, line, "{text:?}: {}", malformed.why);
            assert!(malformed.why.contains(why), "{text:?}: {}", malformed.why);
        }
    }
}
