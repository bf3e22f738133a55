//! Env files: lines of `NAME=VALUE`, as Docker, systemd and dotenv libraries have them. What they disagree
//! about is fixed here: `$` is not expanded, and `#` begins a comment at the start of a line or after white
//! space, but not within quotes.

use std::borrow::Cow;

use vaultlet_core::command::variables::is_name;

/// A malformed line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Malformed {
    /// The line, counted from 1, on which the variable begins.
    pub(crate) line: usize,
    pub(crate) why: &'static str,
}

/// White space of these files. Other characters that look like it are a part of a value.
const BLANK: [char; 3] = [' ', '\t', '\r'];

/// The variables in the order of their lines.
pub(crate) fn parse(text: &str) -> Result<Vec<(&str, Cow<'_, str>)>, Malformed> {
    if let Some((before, _)) = text.split_once('\0') {
        let line = before.matches('\n').count() + 1;
        return Err(Malformed { line, why: "it has a null character (U+0000)" });
    }
    parse_named(text, is_name, "its name is not one of letters, digits and `_`")
}

/// What such lines set, where names have another form; `why` says which.
pub(crate) fn parse_named<'a>(
    text: &'a str,
    is_name: impl Fn(&str) -> bool,
    why: &'static str,
) -> Result<Vec<(&'a str, Cow<'a, str>)>, Malformed> {
    let mut variables = Vec::new();
    let mut rest = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut line = 1;
    while !rest.is_empty() {
        let before = rest;
        let malformed = |why| Malformed { line, why };
        let start = rest.trim_start_matches([' ', '\t']);
        let (first, after) = start.split_once('\n').unwrap_or((start, ""));
        let first = first.trim_end_matches(BLANK);
        if first.is_empty() || first.starts_with('#') {
            rest = after;
        } else {
            let start = start
                .strip_prefix("export")
                .filter(|r| r.starts_with([' ', '\t']))
                .unwrap_or(start);
            let (name, value) = start
                .split_once('=')
                .filter(|(name, _)| !name.contains('\n'))
                .ok_or_else(|| malformed("there is no `=` in it"))?;
            let name = name.trim_matches(BLANK);
            if !is_name(name) {
                return Err(malformed(why));
            }
            let value = value.trim_start_matches([' ', '\t']);
            let (value, after) = read_value(value).map_err(malformed)?;
            variables.push((name, value));
            rest = after;
        }
        let read = before.len() - rest.len();
        line += before.get(..read).unwrap_or_default().matches('\n').count();
    }
    Ok(variables)
}

fn read_value(text: &str) -> Result<(Cow<'_, str>, &str), &'static str> {
    if let Some(rest) = text.strip_prefix('\'') {
        let (value, rest) = rest.split_once('\'').ok_or("its single quote is not closed")?;
        return Ok((without_returns(value), end_of_line(rest)?));
    }
    if let Some(rest) = text.strip_prefix('"') {
        let (value, rest) = read_double_quoted(rest)?;
        return Ok((value.into(), end_of_line(rest)?));
    }
    let (line, rest) = text.split_once('\n').unwrap_or((text, ""));
    let mut comments = line.match_indices('#').filter_map(|(at, _)| line.get(..at));
    let value = comments.find(|before| before.is_empty() || before.ends_with([' ', '\t']));
    Ok((value.unwrap_or(line).trim_end_matches(BLANK).into(), rest))
}

fn read_double_quoted(text: &str) -> Result<(String, &str), &'static str> {
    let mut value = String::with_capacity(text.find('"').unwrap_or(0));
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        match c {
            '"' => return Ok((value, rest.as_str())),
            '\\' => match rest.clone().next() {
                Some(next @ ('n' | 'r' | 't' | '\\' | '"' | '$')) => {
                    rest.next();
                    value.push(match next {
                        'n' => '\n',
                        'r' => '\r',
                        't' => '\t',
                        other => other,
                    });
                }
                _ => value.push('\\'),
            },
            '\r' if rest.as_str().starts_with('\n') => {}
            c => value.push(c),
        }
    }
    Err("its double quote is not closed")
}

/// What follows a closing quote: a comment at most.
fn end_of_line(text: &str) -> Result<&str, &'static str> {
    let (line, rest) = text.split_once('\n').unwrap_or((text, ""));
    let after = line.trim_matches(BLANK);
    let is_comment = after.starts_with('#') && line.starts_with([' ', '\t']);
    if after.is_empty() || is_comment {
        Ok(rest)
    } else {
        Err("something follows its closing quote")
    }
}

fn without_returns(value: &str) -> Cow<'_, str> {
    if value.contains("\r\n") { value.replace("\r\n", "\n").into() } else { value.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_as_written() {
        for (text, expected) in [
            ("A=1", vec![("A", "1")]),
            ("A=1\nB=2\n", vec![("A", "1"), ("B", "2")]),
            ("\u{feff}A=1\r\nB=2\r\n", vec![("A", "1"), ("B", "2")]),
            ("# c\n\n  A = 1 \nexport B=2\nexport\tC=3", vec![("A", "1"), ("B", "2"), ("C", "3")]),
            ("A=", vec![("A", "")]),
            ("A= # c", vec![("A", "")]),
            ("A=#c", vec![("A", "")]),
            ("A=a#b # c", vec![("A", "a#b")]),
            ("A=a b  ", vec![("A", "a b")]),
            ("A=$HOME/${X}\\n", vec![("A", "$HOME/${X}\\n")]),
            ("A='$HOME \\n # \"' # c", vec![("A", "$HOME \\n # \"")]),
            (r#"A="a\n\r\t\\\"\$ \x # '" # c"#, vec![("A", "a\n\r\t\\\"$ \\x # '")]),
            ("A='1\n2'\nB=\"3\r\n4\"\r\n", vec![("A", "1\n2"), ("B", "3\n4")]),
            ("A='1\r\n2'", vec![("A", "1\n2")]),
            ("A=it's\nB=\"\"", vec![("A", "it's"), ("B", "")]),
            ("exported=1", vec![("exported", "1")]),
            ("A=akv://v/n?json=/a#b", vec![("A", "akv://v/n?json=/a#b")]),
            ("A=é=x", vec![("A", "é=x")]),
            ("A=1\nA=2", vec![("A", "1"), ("A", "2")]),
            (
                "A=x\u{a0}\nB=\u{3000}y\u{2003} \t\r\n",
                vec![("A", "x\u{a0}"), ("B", "\u{3000}y\u{2003}")],
            ),
            ("A=x\u{85}# c\nB=\u{b}\u{c}", vec![("A", "x\u{85}# c"), ("B", "\u{b}\u{c}")]),
            ("", vec![]),
        ] {
            let read = parse(text).unwrap();
            let read: Vec<_> = read.iter().map(|(name, value)| (*name, &**value)).collect();
            assert_eq!(read, expected, "{text:?}");
        }
    }

    #[test]
    fn a_malformed_line_is_named() {
        for (text, line, why) in [
            ("A", 1, "no `=`"),
            ("A=1\nB\nC=3", 2, "no `=`"),
            ("A='1\n2'\n\n# c\n=1", 5, "name"),
            ("A=1\r\n2B=1", 2, "name"),
            ("A-B=1", 1, "name"),
            ("export A", 1, "no `=`"),
            ("A=1\nB='x\nC=3", 2, "single quote"),
            ("A=\"x\\\"", 1, "double quote"),
            ("A='x'y", 1, "closing quote"),
            ("A='x'\u{a0}", 1, "closing quote"),
            ("A\u{a0}=x", 1, "name"),
            ("\u{a0}\nA=x", 1, "no `=`"),
            ("A=1\n\nB=x\0y", 3, "null character"),
            ("A=1\n# \0", 2, "null character"),
            ("A=\"x\"#y", 1, "closing quote"),
        ] {
            let malformed = parse(text).unwrap_err();
            assert_eq!(malformed.line, line, "{text:?}");
            assert!(malformed.why.contains(why), "{text:?}: {}", malformed.why);
        }
    }
}
