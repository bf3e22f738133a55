//! PEM (RFC 7468), read as widely as other programs read it together: a byte order mark, text between the
//! sections, sections that are joined without a newline, any line length and indentation. What cannot be
//! read is an error that names the line: no section is left out in silence.

use std::fmt;

use base64ct::{Base64, Encoding as _};
use memchr::memmem::find;

const BEGIN: &[u8] = b"-----BEGIN ";
const END: &[u8] = b"-----END ";
const HYPHENS: &[u8] = b"-----";

/// What stands between a BEGIN and an END.
pub(crate) struct Section<'a> {
    pub(crate) label: &'a str,
    /// The line of its BEGIN, from 1.
    pub(crate) line: usize,
    /// The value of `DEK-Info`, which only OpenSSL's older encrypted form has (RFC 1421, section 4.6).
    pub(crate) encryption: Option<&'a str>,
    body: &'a [u8],
}

/// The first place that cannot be read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Malformed {
    line: usize,
    what: &'static str,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.what)
    }
}

/// What a file is that has no PEM in it, as far as its first bytes say.
pub(crate) fn other_form(file: &[u8]) -> Option<&'static str> {
    match file {
        [] => Some("it is empty"),
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => Some("it is UTF-16; save it as UTF-8"),
        [0x30, 0x80..=0x84, ..] => Some("it is DER, and not PEM"),
        _ => None,
    }
}

/// All sections of a file, in order.
pub(crate) fn sections(file: &[u8]) -> Result<Vec<Section<'_>>, Malformed> {
    let mut sections = Vec::new();
    let mut rest = Rest { file, at: 0, line: 1 };
    loop {
        let gap = rest.until(BEGIN);
        let strays = [find(gap, END), find(gap, b"BEGIN CERTIFICATE")];
        if let Some(stray) = strays.into_iter().flatten().min() {
            let line = rest.line + newlines(gap.get(..stray).unwrap_or_default());
            return Err(Malformed { line, what: "a BEGIN or an END line is not complete" });
        }
        if !rest.skip(gap.len() + BEGIN.len()) {
            return Ok(sections);
        }
        let line = rest.line;
        let incomplete = |what| Malformed { line, what };
        let label = rest.label().ok_or(incomplete("its BEGIN line is not complete"))?;
        let body = rest.until(END);
        let is_closed = rest.at + body.len() < file.len() && find(body, BEGIN).is_none();
        if !is_closed {
            return Err(incomplete("the section that begins here has no END line"));
        }
        rest.skip(body.len() + END.len());
        let end = rest.line;
        if rest.label() != Some(label) {
            let what = "this END line does not belong to the BEGIN line before it";
            return Err(Malformed { line: end, what });
        }
        let value = |line: &'_ [u8]| line.trim_ascii().strip_prefix(b"DEK-Info:").map(<[u8]>::len);
        let encryption = body.split(|byte| *byte == b'\n').find(|line| value(line).is_some());
        let encryption = encryption
            .and_then(|line| str::from_utf8(line.trim_ascii()).ok())
            .and_then(|line| line.strip_prefix("DEK-Info:"))
            .map(str::trim);
        sections.push(Section { label, line, encryption, body });
    }
}

/// What was not read yet.
struct Rest<'a> {
    file: &'a [u8],
    at: usize,
    line: usize,
}

impl<'a> Rest<'a> {
    /// The text before the next marker, or all that is left.
    fn until(&self, marker: &[u8]) -> &'a [u8] {
        let left = self.file.get(self.at..).unwrap_or_default();
        left.get(..find(left, marker).unwrap_or(left.len())).unwrap_or_default()
    }

    /// Moves on; `false` at the end of the file.
    fn skip(&mut self, count: usize) -> bool {
        let skipped = self.file.get(self.at..self.at + count);
        self.line += newlines(skipped.unwrap_or_default());
        self.at += count;
        skipped.is_some()
    }

    /// The label up to the hyphens, which are on the same line.
    fn label(&mut self) -> Option<&'a str> {
        let label = self.until(HYPHENS);
        let text = str::from_utf8(label).ok().filter(|text| !text.contains(['\n', '\r']))?;
        self.skip(label.len() + HYPHENS.len()).then_some(text.trim())
    }
}

impl Section<'_> {
    /// Decodes the content into a buffer, which has all of it then and is not copied.
    pub(crate) fn decode(&self, into: &mut Vec<u8>) -> Result<(), Malformed> {
        into.clear();
        into.reserve_exact(self.body.len());
        for line in self.body.split(|byte| *byte == b'\n').filter(|line| !line.contains(&b':')) {
            into.extend(line.iter().filter(|byte| !byte.is_ascii_whitespace()));
        }
        let what = "the section that begins here is not base64";
        let decoded = Base64::decode_in_place(into);
        let length = decoded.map_err(|_| Malformed { line: self.line, what })?.len();
        if length == 0 {
            return Err(Malformed {
                line: self.line,
                what: "the section that begins here is empty",
            });
        }
        into.truncate(length);
        Ok(())
    }
}

fn newlines(text: &[u8]) -> usize {
    memchr::memchr_iter(b'\n', text).count()
}
