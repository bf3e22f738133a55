//! Reads values of a job file, and collects what is wrong with them.

use std::path::Path;

use super::finding::Finding;
use super::scalar::Scalar;
use super::shown::shown;
use super::yaml::{Data, Entry, Node, Place};

/// Reads one file.
pub(super) struct Reader<'a> {
    file: &'a Path,
    pub(super) findings: Vec<Finding>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(file: &'a Path) -> Self {
        Self { file, findings: Vec::new() }
    }

    /// The folder that paths in the file are relative to.
    pub(super) fn base(&self) -> &'a Path {
        self.file.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(Path::new("."))
    }

    pub(super) fn wrong(&mut self, at: Place, what: &str, help: &str) {
        self.findings.push(Finding::wrong(self.file, Some(at), what, help));
    }

    /// Tells of a member that stands nowhere.
    pub(super) fn missing(&mut self, what: &str, help: &str) {
        self.findings.push(Finding::wrong(self.file, None, what, help));
    }

    pub(super) fn unsupported(&mut self, at: Place, what: &str, help: &str) {
        self.findings.push(Finding::unsupported(self.file, Some(at), what, help));
    }

    /// Tells of what is right, and only possible in the service.
    pub(super) fn not_here(&mut self, at: Place, what: &str, help: &str) {
        let finding = Finding::unsupported(self.file, Some(at), what, help);
        self.findings.push(Finding { is_note: true, ..finding });
    }

    /// The members of a mapping.
    pub(super) fn map<'n>(&mut self, node: &'n Node, path: &str) -> &'n [Entry] {
        match &node.data {
            Data::Map(entries) => entries,
            Data::Scalar(_) | Data::List(_) => {
                let what = format!("`{path}` is {}, and not a mapping", kind(node));
                self.wrong(node.at, &what, "write its members as `NAME: VALUE`, indented");
                &[]
            }
        }
    }

    /// The members of a mapping that may have no others than these.
    pub(super) fn members<'n>(
        &mut self,
        node: &'n Node,
        path: &str,
        known: &[&str],
    ) -> &'n [Entry] {
        let entries = self.map(node, path);
        for entry in entries.iter().filter(|it| !known.contains(&it.key.as_str())) {
            self.unknown(path, entry, known);
        }
        entries
    }

    /// Whether a key is a text, as `az` wants the names of many things.
    pub(super) fn is_text_key(&mut self, entry: &Entry) -> bool {
        if !entry.is_text {
            let what = format!("the key `{}` is not a text", shown(&entry.key));
            self.wrong(entry.at, &what, "write it in quotes");
        }
        entry.is_text
    }

    /// Tells of a member that does not exist, with the most similar one.
    fn unknown(&mut self, path: &str, entry: &Entry, known: &[&str]) {
        let key = shown(&entry.key);
        let name = if path.is_empty() { key } else { format!("{path}.{key}") };
        let of = |it: &&&str| strsim::jaro_winkler(it, &entry.key);
        let nearest = known.iter().max_by(|a, b| of(a).total_cmp(&of(b)));
        let help = match nearest.filter(|it| of(it) > 0.8) {
            Some(nearest) => format!("did you mean `{nearest}`?"),
            None => format!("write one of {}", known.join(", ")),
        };
        self.wrong(entry.at, &format!("there is no `{name}` in a command job"), &help);
    }

    /// A text; a number or a boolean must be in quotes to be one.
    pub(super) fn text<'n>(&mut self, node: &'n Node, path: &str) -> Option<&'n str> {
        match &node.data {
            Data::Scalar(Scalar::Text(text)) => Some(text),
            Data::Scalar(Scalar::Null) => {
                self.wrong(node.at, &format!("`{path}` is empty"), "give it a value");
                None
            }
            Data::Scalar(_) => {
                let what = format!("`{path}` is {}, and not a text", kind(node));
                self.wrong(node.at, &what, "write it in quotes");
                None
            }
            Data::List(_) | Data::Map(_) => {
                let what = format!("`{path}` is {}, and not a text", kind(node));
                self.wrong(node.at, &what, "write one text");
                None
            }
        }
    }

    /// One of these words, in any case.
    pub(super) fn word(
        &mut self,
        node: &Node,
        path: &str,
        words: &[&'static str],
    ) -> Option<&'static str> {
        let text = self.text(node, path)?;
        let found = words.iter().find(|word| is_same_word(word, text));
        if found.is_none() {
            let what = format!("`{path}` is `{}`", shown(text));
            self.wrong(node.at, &what, &format!("write one of {}", words.join(", ")));
        }
        found.copied()
    }

    /// A whole number within limits. One in quotes is one, too.
    pub(super) fn count(&mut self, node: &Node, path: &str, least: u32, most: u32) -> Option<u32> {
        let number = match &node.data {
            Data::Scalar(Scalar::Int(text) | Scalar::Text(text)) => text.trim().parse().ok(),
            // `az` makes a whole number of it.
            Data::Scalar(Scalar::Float(number)) => format!("{:.0}", number.trunc()).parse().ok(),
            _ => None,
        };
        let number = number.filter(|number| (least..=most).contains(number));
        if number.is_none() {
            let what = format!("`{path}` is not a number from {least} to {most}");
            self.wrong(node.at, &what, "write such a number, or leave it out");
        }
        number
    }

    /// A text, a number or a boolean, as the service writes it.
    pub(super) fn value(&mut self, node: &Node, path: &str) -> Option<String> {
        if let Data::Scalar(
            scalar @ (Scalar::Bool(_) | Scalar::Int(_) | Scalar::Text(_) | Scalar::Float(_)),
        ) = &node.data
            && !matches!(scalar, Scalar::Float(number) if !number.is_finite())
        {
            return scalar.python();
        }
        let what = format!("`{path}` is {}", kind(node));
        self.wrong(node.at, &what, "write a text, a number or a boolean; in quotes, if need be");
        None
    }
}

/// Whether a word is another, when `_` and case do not count: `UserIdentity` is `user_identity`.
fn is_same_word(word: &str, other: &str) -> bool {
    let letters = |text: &str| text.replace('_', "").to_ascii_lowercase();
    letters(word) == letters(other)
}

/// The kind of value, for a message.
fn kind(node: &Node) -> &'static str {
    match &node.data {
        Data::Scalar(Scalar::Float(number)) if !number.is_finite() => "not a finite number",
        Data::Scalar(scalar) => scalar.kind(),
        Data::List(_) => "a list",
        Data::Map(_) => "a mapping",
    }
}
