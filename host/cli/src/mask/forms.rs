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

/// Bytes of a value that fill a line of base64: of 64 characters, as OpenSSL and PEM have it, and of 76, as MIME
/// and coreutils do.
const WRAPPED: [usize; 2] = [48, 57];

/// All forms of a value, and of its lines; none if it is too short.
pub(crate) fn forms(value: &[u8]) -> Vec<Text> {
    let mut forms = Vec::new();
    for text in with_trimmed(value) {
        of_text(text, &mut forms);
        wrapped(text, &mut forms);
    }
    let mut lines = value.split(|byte| *byte == b'\n').peekable();
    let first = lines.next();
    if lines.peek().is_some() {
        for line in first.into_iter().chain(lines) {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            for text in with_trimmed(line) {
                if text.len() >= SHORTEST_LINE && !text.starts_with(b"-----") {
                    of_text(text, &mut forms);
                }
            }
        }
    }
    forms
}

/// A text, and what is left without the white space around it: a shell drops that of a variable without quotes.
fn with_trimmed(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let ascii = Some(text.trim_ascii()).filter(|it| it.len() < text.len());
    let trimmed = str::from_utf8(text).ok().map(|text| text.trim().as_bytes());
    let trimmed = trimmed.filter(|it| it.len() < ascii.unwrap_or(text).len());
    std::iter::once(text).chain(ascii).chain(trimmed)
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

/// Which characters that are not ASCII a writer of JSON escapes.
type Escaped = fn(char) -> bool;

/// None, of most writers; the ends of lines that JavaScript knows, of Go, Gson and PHP; those of Unicode, of
/// Json.NET; what cannot be seen, of org.json; and all, of Python.
const NOT_ASCII: [Escaped; 5] = [
    |_| false,
    |c| matches!(c, '\u{2028}' | '\u{2029}'),
    |c| matches!(c, '\u{85}' | '\u{2028}' | '\u{2029}'),
    |c| matches!(c, '\u{80}'..='\u{9f}' | '\u{2000}'..='\u{20ff}'),
    |c| !c.is_ascii(),
];

/// What else than control characters is escaped: DEL, of Python and jq, and backspace and form feed by their numbers,
/// of older versions of Go.
const CONTROLS: [(bool, bool); 4] = [(false, true), (true, true), (false, false), (true, false)];

/// Strings as JSON's writers have them: RFC 8259 leaves open what else is escaped than quotation mark,
/// backslash and control characters. The last two are those of .NET and, for HTML, of PHP.
fn json(text: &str, forms: &mut Vec<Text>) {
    let is_same = |one: Escaped, other: Escaped| text.chars().all(|c| one(c) == other(c));
    let mut sets: Vec<Escaped> = Vec::with_capacity(NOT_ASCII.len());
    for set in NOT_ASCII {
        if !sets.iter().any(|other| is_same(*other, set)) {
            sets.push(set);
        }
    }
    let has_delete = text.contains('\u{7f}');
    let has_short = text.contains(['\u{8}', '\u{c}']);
    let controls = CONTROLS.into_iter();
    let controls =
        controls.filter(|(delete, short)| (!delete || has_delete) && (*short || has_short));
    for (escapes_delete, is_short) in controls {
        for digits in [LOWER, UPPER] {
            for set in &sets {
                for others in ["", "/", "<>&", "<>&='", "<>&'+`\"", "/<>&'\""] {
                    let is_escaped =
                        |c| set(c) || others.contains(c) || (escapes_delete && c == '\u{7f}');
                    forms.push(json_form(text, digits, is_short, is_escaped));
                }
            }
        }
    }
}

fn json_form(
    text: &str,
    digits: &[u8; 16],
    is_short: bool,
    is_escaped: impl Fn(char) -> bool,
) -> Text {
    let mut out = Zeroizing::new(Vec::with_capacity(text.len() * 6));
    for c in text.chars() {
        let short = match c {
            '"' if !is_escaped('"') => Some(b'"'),
            '\\' => Some(b'\\'),
            '\u{8}' if is_short => Some(b'b'),
            '\u{c}' if is_short => Some(b'f'),
            '\n' => Some(b'n'),
            '\r' => Some(b'r'),
            '\t' => Some(b't'),
            '/' if is_escaped('/') => Some(b'/'),
            _ => None,
        };
        if let Some(short) = short {
            out.extend([b'\\', short]);
        } else if c < ' ' || is_escaped(c) {
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
    // In double quotes, as `declare -p` has it.
    forms.push(each(text, |byte, out| {
        if b"\"\\$`".contains(&byte) {
            out.push(b'\\');
        }
        out.push(byte);
    }));
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
        forms.push(each(text, |byte, out| dollar_quoted(byte, is_ascii, out)));
    }
    // In a locale of UTF-8, those are octal that cannot be printed.
    if let Ok(text) = str::from_utf8(text)
        && text.contains(is_unprintable)
    {
        let mut form = Zeroizing::new(Vec::with_capacity(text.len() * 6));
        for c in text.chars() {
            for byte in c.encode_utf8(&mut [0; 4]).bytes() {
                dollar_quoted(byte, is_unprintable(c), &mut form);
            }
        }
        forms.push(form);
    }
}

/// Whether a character that is not ASCII is a control character, an end of a line, or none.
fn is_unprintable(c: char) -> bool {
    let is_none = u32::from(c) & 0xfffe == 0xfffe || matches!(c, '\u{fdd0}'..='\u{fdef}');
    matches!(c, '\u{80}'..='\u{9f}' | '\u{2028}' | '\u{2029}') || is_none
}

/// Writes a byte as bash does between `$'` and `'`.
fn dollar_quoted(byte: u8, is_ascii: bool, out: &mut Vec<u8>) {
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
}

/// The lines of base64 that is wrapped, of a text at the beginning of what is encoded.
fn wrapped(text: &[u8], forms: &mut Vec<Text>) {
    for length in WRAPPED {
        if text.len() < length {
            continue;
        }
        let mut lines = text.chunks_exact(length);
        for line in lines.by_ref() {
            forms.push(Zeroizing::new(Base64Unpadded::encode_string(line).into_bytes()));
        }
        let mut last = Vec::new();
        aligned(lines.remainder(), 0, Base64Unpadded::encode_string, &mut last);
        forms.extend(last.into_iter().filter(|line| line.len() >= SHORTEST_LINE));
    }
}

/// Base64 of a text that begins and ends anywhere in what is encoded. A character that encodes bits of
/// the neighbours, too, is not part of the form.
fn base64(text: &[u8], forms: &mut Vec<Text>) {
    for before in 0..3 {
        for encode in [Base64Unpadded::encode_string, Base64UrlUnpadded::encode_string] {
            aligned(text, before, encode, forms);
        }
    }
}

/// Base64 of a text before which there are some bytes.
fn aligned(text: &[u8], before: usize, encode: fn(&[u8]) -> String, forms: &mut Vec<Text>) {
    let mut padded = Zeroizing::new(Vec::with_capacity(before + text.len()));
    padded.resize(before, 0);
    padded.extend(text);
    let bits = padded.len() * 8;
    let from = (before * 8).div_ceil(6);
    let encoded = Zeroizing::new(encode(&padded).into_bytes());
    forms.push(encoded.get(from..bits / 6).unwrap_or_default().to_vec().into());
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
