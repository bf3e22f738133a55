//! How variables are written for each program that reads them, so that it has exactly the bytes of each value.

use std::collections::BTreeMap;

use zeroize::Zeroizing;

use super::{Bytes, Variable};
use crate::failure::Failure;
use crate::output;

/// Writes a variable at the end of a text.
type Write = fn(name: &str, value: &[u8], text: &mut Vec<u8>);

/// All variables, each written by this function.
pub(super) fn lines(variables: &[Variable], write: Write) -> Bytes {
    // Room for the longest form of each byte: a buffer that grows leaves copies of secrets in memory.
    let room = variables.iter().map(|it| 32 + it.name.len() + 10 * it.value.len()).sum();
    let mut text = Zeroizing::new(Vec::with_capacity(room));
    for Variable { name, value, .. } in variables {
        write(name, value, &mut text);
        text.push(b'\n');
    }
    text
}

/// One object on one line.
pub(super) fn json(variables: &[Variable]) -> Result<Zeroizing<String>, Failure> {
    let members: BTreeMap<_, _> = variables
        .iter()
        .map(|it| (it.name.as_str(), str::from_utf8(&it.value).unwrap_or_default()))
        .collect();
    let room = variables.iter().map(|it| 16 + 6 * (it.name.len() + it.value.len())).sum::<usize>();
    let mut text = Zeroizing::new(Vec::with_capacity(room + 8));
    serde_json::to_writer(&mut *text, &members).map_err(|error| output::failed(&error.into()))?;
    text.push(b'\n');
    Ok(Zeroizing::new(String::from_utf8(std::mem::take(&mut *text)).unwrap_or_default()))
}

/// `export NAME='value'`: between single quotes everything stands for itself in POSIX shells.
/// <https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html#tag_19_02_02>
pub(super) fn sh(name: &str, value: &[u8], text: &mut Vec<u8>) {
    text.extend_from_slice(b"export ");
    text.extend_from_slice(name.as_bytes());
    text.extend_from_slice(b"='");
    escape(value, text, |byte| (byte == b'\'').then_some(r"'\''"));
    text.push(b'\'');
}

/// `set -gx NAME 'value'`: between single quotes, fish knows `\'` and `\\`.
/// <https://fishshell.com/docs/current/language.html#quotes>
pub(super) fn fish(name: &str, value: &[u8], text: &mut Vec<u8>) {
    text.extend_from_slice(b"set -gx ");
    text.extend_from_slice(name.as_bytes());
    text.extend_from_slice(b" '");
    escape(value, text, |byte| match byte {
        b'\'' => Some(r"\'"),
        b'\\' => Some(r"\\"),
        _ => None,
    });
    text.push(b'\'');
}

/// `$env:NAME = 'value'` on one line: PowerShell reads the output of a program line by line. Between single quotes a
/// quote is doubled, and there are five that it takes for one.
/// <https://learn.microsoft.com/powershell/module/microsoft.powershell.core/about/about_quoting_rules>
pub(super) fn powershell(name: &str, value: &[u8], text: &mut Vec<u8>) {
    text.extend_from_slice(b"$env:");
    text.extend_from_slice(name.as_bytes());
    text.extend_from_slice(b" = '");
    for c in str::from_utf8(value).unwrap_or_default().chars() {
        let mut buffer = [0; 4];
        let encoded = c.encode_utf8(&mut buffer).as_bytes();
        match c {
            '\n' => text.extend_from_slice(b"' + \"`n\" + '"),
            '\r' => text.extend_from_slice(b"' + \"`r\" + '"),
            '\'' | '\u{2018}'..='\u{201b}' => {
                text.extend_from_slice(encoded);
                text.extend_from_slice(encoded);
            }
            _ => text.extend_from_slice(encoded),
        }
    }
    text.push(b'\'');
}

/// `NAME=value` for env files. The programs that read them disagree about quotes, so a value is written in the first of
/// these ways that is possible: as a word without quotes, which Docker would take for a part of the value; between
/// single quotes, which end nowhere else; between double quotes without escapes; without quotes, where no reader would
/// look for one; and else with escapes, which Node does not know. python-dotenv takes `\\` for one backslash and `\'` for
/// a quote in every kind of quotes.
pub(super) fn dotenv(name: &str, value: &[u8], text: &mut Vec<u8>) {
    text.extend_from_slice(name.as_bytes());
    text.push(b'=');
    let has = |bytes: &[u8]| value.iter().any(|byte| bytes.contains(byte));
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_./:@%+,=~".contains(byte);
    let has_escape = value.ends_with(b"\\") || value.windows(2).any(|pair| pair == br"\\");
    let is_trimmed = str::from_utf8(value).is_ok_and(|text| text.trim() == text);
    let is_quote = |first: &u8| b"'\"`".contains(first);
    let quote: &[u8] = if value.iter().all(is_word) {
        b""
    } else if !has(b"'\r") && !has_escape {
        b"'"
    } else if !has(b"\"\\$`\r") {
        b"\""
    } else if is_trimmed && !has(b"#\n\r") && !value.first().is_some_and(is_quote) {
        b""
    } else {
        text.push(b'"');
        escape(value, text, |byte| match byte {
            b'"' => Some("\\\""),
            b'\\' => Some(r"\\"),
            b'\n' => Some(r"\n"),
            b'\r' => Some(r"\r"),
            _ => None,
        });
        text.push(b'"');
        return;
    };
    text.extend_from_slice(quote);
    text.extend_from_slice(value);
    text.extend_from_slice(quote);
}

fn escape(value: &[u8], text: &mut Vec<u8>, escaped: impl Fn(u8) -> Option<&'static str>) {
    for byte in value {
        match escaped(*byte) {
            Some(escaped) => text.extend_from_slice(escaped.as_bytes()),
            None => text.push(*byte),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: Write, value: &str) -> String {
        let mut text = Vec::new();
        write("A", value.as_bytes(), &mut text);
        String::from_utf8(text).unwrap()
    }

    #[test]
    fn powershell_has_one_line_and_doubled_quotes() {
        for (value, expected) in [
            ("", "$env:A = ''"),
            ("a b$x`\"", "$env:A = 'a b$x`\"'"),
            ("it's", "$env:A = 'it''s'"),
            (
                "\u{2018}\u{2019}\u{201a}\u{201b}\u{201c}",
                "$env:A = '\u{2018}\u{2018}\u{2019}\u{2019}\u{201a}\u{201a}\u{201b}\u{201b}\u{201c}'",
            ),
            ("a\r\nb\n", "$env:A = 'a' + \"`r\" + '' + \"`n\" + 'b' + \"`n\" + ''"),
        ] {
            assert_eq!(written(powershell, value), expected);
        }
    }

    #[test]
    fn an_env_file_has_the_quotes_that_most_programs_agree_on() {
        for (value, expected) in [
            ("", "A="),
            ("plain-_./:@%+,=~1", "A=plain-_./:@%+,=~1"),
            ("a b", "A='a b'"),
            ("$HOME \"x\" `y` \\n # é", "A='$HOME \"x\" `y` \\n # é'"),
            ("1\n2", "A='1\n2'"),
            ("it's\n", "A=\"it's\n\""),
            (r"a\\b", r"A=a\\b"),
            (r"a b\", r"A=a b\"),
            ("it's $HOME", "A=it's $HOME"),
            ("it's #$", r#"A="it's #$""#),
            (r"'a\", r#"A="'a\\""#),
            ("'\"\n$", r#"A="'\"\n$""#),
            ("1\r\n2", r#"A="1\r\n2""#),
        ] {
            assert_eq!(written(dotenv, value), expected);
        }
    }
}
