//! The forms in which programs print a value: as it is, escaped, quoted or encoded.

use base64ct::{Base64Unpadded, Base64UrlUnpadded, Encoding};
use zeroize::Zeroizing;

/// A text that is, or holds, a secret.
pub(crate) type Text = Zeroizing<Vec<u8>>;

/// Bytes of the shortest value that is masked: a shorter one would be found everywhere.
pub(crate) const SHORTEST: usize = 4;
/// Bytes of the shortest value that is masked in base64 and hexadecimal.
const SHORTEST_ENCODED: usize = 6;
/// Bytes of the shortest line of a value that is masked by itself.
const SHORTEST_LINE: usize = 8;

/// All forms of a value, and of its lines; none if it is too short.
pub(crate) fn forms(value: &[u8]) -> Vec<Text> {
    let mut forms = Vec::new();
    of_text(value, &mut forms);
    let mut lines = value.split(|byte| *byte == b'\n').peekable();
    let first = lines.next();
    if lines.peek().is_some() {
        for line in first.into_iter().chain(lines) {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if line.len() >= SHORTEST_LINE && !line.starts_with(b"-----") {
                of_text(line, &mut forms);
            }
        }
    }
    forms
}

fn of_text(text: &[u8], forms: &mut Vec<Text>) {
    if text.len() < SHORTEST {
        return;
    }
    forms.push(text.to_vec().into());
    if let Ok(text) = str::from_utf8(text) {
        json(text, forms);
    }
    percent(text, forms);
    shell(text, forms);
    if text.len() >= SHORTEST_ENCODED {
        base64(text, forms);
        forms.push(each(text, |byte, out| hex(byte, LOWER, out)));
        forms.push(each(text, |byte, out| hex(byte, UPPER, out)));
    }
}

const LOWER: &[u8; 16] = b"0123456789abcdef";
const UPPER: &[u8; 16] = b"0123456789ABCDEF";

fn hex(byte: u8, digits: &[u8; 16], out: &mut Vec<u8>) {
    out.extend([byte >> 4, byte & 15].iter().filter_map(|digit| digits.get(usize::from(*digit))));
}

/// Writes each byte by a function, with room for the longest form, as a buffer that grows leaves copies.
fn each(text: &[u8], mut write: impl FnMut(u8, &mut Vec<u8>)) -> Text {
    let mut out = Zeroizing::new(Vec::with_capacity(text.len() * 6));
    text.iter().for_each(|byte| write(*byte, &mut out));
    out
}

/// Strings as JSON's writers have them: RFC 8259 leaves open what else is escaped than quotation mark,
/// backslash and control characters. The last two are those of .NET and, for HTML, of PHP.
fn json(text: &str, forms: &mut Vec<Text>) {
    for digits in [LOWER, UPPER] {
        for is_ascii in [false, true] {
            for others in ["", "/", "<>&", "<>&='", "<>&'+`\"", "/<>&'\""] {
                forms.push(json_form(text, digits, is_ascii, others));
            }
        }
    }
}

fn json_form(text: &str, digits: &[u8; 16], is_ascii: bool, others: &str) -> Text {
    let mut out = Zeroizing::new(Vec::with_capacity(text.len() * 6));
    for c in text.chars() {
        let short = match c {
            '"' if !others.contains('"') => Some(b'"'),
            '\\' => Some(b'\\'),
            '\u{8}' => Some(b'b'),
            '\u{c}' => Some(b'f'),
            '\n' => Some(b'n'),
            '\r' => Some(b'r'),
            '\t' => Some(b't'),
            '/' if others.contains('/') => Some(b'/'),
            _ => None,
        };
        if let Some(short) = short {
            out.extend([b'\\', short]);
        } else if c < ' ' || (is_ascii && !c.is_ascii()) || others.contains(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                out.extend(b"\\u");
                unit.to_be_bytes().into_iter().for_each(|byte| hex(byte, digits, &mut out));
            }
        } else {
            out.extend(c.encode_utf8(&mut [0; 4]).as_bytes());
        }
    }
    out
}

/// RFC 3986, with and without `/`; `encodeURIComponent`; forms in URLs, with `+` for a space.
fn percent(text: &[u8], forms: &mut Vec<Text>) {
    for digits in [LOWER, UPPER] {
        for (kept, space) in [
            ("-._~", None),
            ("-._~/", None),
            ("-._~!'()*", None),
            ("-._*", Some(b'+')),
            ("-._~", Some(b'+')),
        ] {
            forms.push(each(text, |byte, out| match byte {
                b' ' if space.is_some() => out.extend(space),
                _ if byte.is_ascii_alphanumeric() || kept.as_bytes().contains(&byte) => {
                    out.push(byte)
                }
                _ => {
                    out.push(b'%');
                    hex(byte, digits, out);
                }
            }));
        }
    }
}

/// Inside of quotes, and as `printf %q` of bash writes it.
fn shell(text: &[u8], forms: &mut Vec<Text>) {
    for quote in [r"'\''", r#"'"'"'"#] {
        forms.push(each(text, |byte, out| match byte {
            b'\'' => out.extend(quote.as_bytes()),
            _ => out.push(byte),
        }));
    }
    let mut before = b'=';
    let mut is_first = true;
    forms.push(each(text, |byte, out| {
        let is_special = match byte {
            b'~' => matches!(before, b'=' | b':'),
            b'#' => is_first,
            _ => b"\t\n !\"$&'()*,;<>?[\\]^`{|}".contains(&byte),
        };
        if is_special {
            out.push(b'\\');
        }
        out.push(byte);
        (before, is_first) = (byte, false);
    }));
    // Between `$'` and `'`, for text with control characters; other characters as octal in the C locale.
    for is_ascii in [false, true] {
        forms.push(each(text, |byte, out| {
            let short = match byte {
                0x07 => Some(b'a'),
                0x08 => Some(b'b'),
                b'\t' => Some(b't'),
                b'\n' => Some(b'n'),
                0x0b => Some(b'v'),
                0x0c => Some(b'f'),
                b'\r' => Some(b'r'),
                0x1b => Some(b'E'),
                b'\\' | b'\'' => Some(byte),
                _ => None,
            };
            match short {
                Some(short) => out.extend([b'\\', short]),
                None if byte < b' ' || byte == 0x7f || (is_ascii && !byte.is_ascii()) => {
                    out.push(b'\\');
                    out.extend([byte >> 6, byte >> 3 & 7, byte & 7].map(|digit| b'0' + digit));
                }
                None => out.push(byte),
            }
        }));
    }
}

/// Base64 of a text that begins and ends anywhere in what is encoded. A character that encodes bits of
/// the neighbours, too, is not part of the form.
fn base64(text: &[u8], forms: &mut Vec<Text>) {
    for before in 0..3 {
        let mut padded = Zeroizing::new(Vec::with_capacity(before + text.len()));
        padded.resize(before, 0);
        padded.extend(text);
        let bits = padded.len() * 8;
        let from = (before * 8).div_ceil(6);
        for encode in [Base64Unpadded::encode_string, Base64UrlUnpadded::encode_string] {
            let encoded = Zeroizing::new(encode(&padded).into_bytes());
            let form = |to: usize| encoded.get(from..to).unwrap_or_default().to_vec();
            forms.push(form(bits / 6).into());
            if bits % 6 != 0 {
                // At the end of what is encoded, without padding and with it.
                let mut end: Text = Vec::with_capacity(encoded.len() + 2).into();
                end.extend_from_slice(encoded.get(from..).unwrap_or_default());
                forms.push(end.clone());
                let length = end.len() + (3 - padded.len() % 3);
                end.resize(length, b'=');
                forms.push(end);
            }
        }
    }
}
