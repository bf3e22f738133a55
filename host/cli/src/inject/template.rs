//! Finds references in a text: `{{ REFERENCE }}`. Other tools' texts between braces, such as those of Jinja, Helm
//! and Go, do not begin as a reference does, and are left.

use std::ops::Range;

use vaultlet_core::limits::REFERENCE;
use vaultlet_core::settings::{Cloud, Settings};
use vaultlet_core::url::Url;
use vaultlet_core::vault::Reference;
use vaultlet_host::Kind;
use vaultlet_host::references::with_query;

use crate::failure::Failure;

/// A place of a text that begins as a reference does.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Place<'a> {
    /// What is replaced: from the first brace to the last.
    pub(super) range: Range<usize>,
    /// What is between the braces, without the white space around it; none if there is no end.
    text: Option<&'a str>,
    /// The line of the first brace, counted from 1.
    pub(super) line: usize,
    /// The character of that line, counted from 1.
    pub(super) column: usize,
}

/// The places in order.
pub(super) fn places(template: &[u8]) -> Vec<Place<'_>> {
    let mut places: Vec<Place<'_>> = Vec::new();
    let mut place = Position { at: 0, line: 1, column: 1 };
    let mut at = 0;
    while let Some(open) = find(template, at, b"{{") {
        // In `{{{`, the last two open.
        let inner = open + 2;
        at = open + 1;
        let Some(start) = first_of(template, inner).filter(|start| begins(template, *start)) else {
            continue;
        };
        place.advance(template, open);
        let Position { line, column, .. } = place;
        let end = end(template, start);
        let text = end.and_then(|end| str::from_utf8(template.get(start..end)?.trim_ascii()).ok());
        let range = open..end.map_or(inner, |end| end + 2);
        at = range.end;
        places.push(Place { range, text, line, column });
    }
    places
}

/// A place in a text, as a person counts.
#[derive(Clone, Copy)]
struct Position {
    at: usize,
    line: usize,
    column: usize,
}

impl Position {
    fn advance(&mut self, text: &[u8], to: usize) {
        for byte in text.get(self.at..to).unwrap_or_default() {
            match byte {
                b'\n' => (self.line, self.column) = (self.line + 1, 1),
                // Of a character of several bytes, the first one is counted.
                0x80..=0xbf => {}
                _ => self.column += 1,
            }
        }
        self.at = to;
    }
}

/// Where these two bytes begin, at a place or after it.
fn find(text: &[u8], from: usize, two: &[u8; 2]) -> Option<usize> {
    text.get(from..)?.windows(2).position(|pair| pair == two).map(|at| from + at)
}

/// The first byte that is not white space.
fn first_of(text: &[u8], from: usize) -> Option<usize> {
    let rest = text.get(from..)?;
    rest.iter().position(|byte| !byte.is_ascii_whitespace()).map(|at| from + at)
}

fn begins(text: &[u8], at: usize) -> bool {
    let starts = ["akv://", "@Microsoft.KeyVault(", "https://", "http://"];
    let rest = text.get(at..).unwrap_or_default();
    starts.iter().any(|start| starts_with(rest, start))
}

fn starts_with(text: &[u8], start: &str) -> bool {
    text.get(..start.len()).is_some_and(|head| head.eq_ignore_ascii_case(start.as_bytes()))
}

/// Where the closing braces of a reference begin. A reference has no opening ones in it, and is not endless.
fn end(text: &[u8], from: usize) -> Option<usize> {
    let longest = text.get(from..text.len().min(from + 2 * REFERENCE))?;
    let close = find(longest, 0, b"}}")?;
    find(longest, 0, b"{{").is_none_or(|open| close < open).then_some(from + close)
}

impl Place<'_> {
    /// The reference; `None` where the text is a URL that is none of a secret's.
    pub(super) fn reference(&self, settings: &Settings) -> Option<Result<Reference, Failure>> {
        let Some(text) = self.text else {
            let message = "reading a reference: the `}}` after it is missing".to_owned();
            let help = "write `{{ akv://VAULT/NAME }}`";
            return Some(Err(Failure::own(
                Kind::InvalidArgument,
                "reference-malformed",
                message,
                help,
            )));
        };
        let is_url = !starts_with(text.as_bytes(), "akv://") && !text.starts_with('@');
        match Reference::parse(&with_query(text, settings), settings) {
            Ok(reference) => Some(Ok(reference)),
            Err(_) if is_url && !is_of_secret(text) => None,
            Err(error) => Some(Err(error.into())),
        }
    }
}

/// Whether somebody who wrote this URL meant a secret: by its path, or by its host.
fn is_of_secret(url: &str) -> bool {
    let without_scheme = url.split_once("://").map_or("", |(_, rest)| rest);
    let path = without_scheme.split_once('/').map_or("", |(_, path)| path);
    let is_at_vault = || Url::parse(url).is_ok_and(|url| Cloud::of_vault(&url).is_some());
    path.starts_with("secrets/") || is_at_vault()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> Settings {
        Settings::read(&|_: &str| None).unwrap()
    }

    #[test]
    fn references_are_found_and_the_texts_of_other_tools_are_not() {
        for (template, expected) in [
            ("{{akv://v/n}}", vec![("akv://v/n", 1, 1)]),
            ("a\n é{{ \t\r\nakv://v/n?json=/a\n}} b", vec![("akv://v/n?json=/a", 2, 3)]),
            ("{{AKV://v/n}}{{ akv://v/m }}", vec![("AKV://v/n", 1, 1), ("akv://v/m", 1, 14)]),
            ("{{{ akv://v/n }}}", vec![("akv://v/n", 1, 2)]),
            ("${{ akv://v/n }}", vec![("akv://v/n", 1, 2)]),
            ("{\"a\":{{akv://v/n}}}", vec![("akv://v/n", 1, 6)]),
            (
                "{{ @microsoft.keyvault(VaultName=v; SecretName=n) }}",
                vec![("@microsoft.keyvault(VaultName=v; SecretName=n)", 1, 1)],
            ),
            ("{{ other {{ akv://v/n }}", vec![("akv://v/n", 1, 10)]),
            (
                "{{}} {{ }} {{ user }} {{- akv://v/n -}} {{ \"akv://v/n\" }} {% akv://v/n %} { {akv://v/n} }",
                vec![],
            ),
            (
                "{{ .Values.akv }} {{ include \"x\" . | indent 2 }} ${{ secrets.X }} {{akv:/v}} {{",
                vec![],
            ),
        ] {
            let found = places(template.as_bytes());
            let found: Vec<_> =
                found.iter().map(|it| (it.text.unwrap(), it.line, it.column)).collect();
            assert_eq!(found, expected, "{template}");
        }
        // Bytes that are not UTF-8 are counted as characters, and no text between braces.
        let found = places(b"\xff\n\xfe {{ akv://v/n }}");
        assert_eq!(found.first().map(|it| (it.line, it.column)), Some((2, 3)));
    }

    #[test]
    fn what_begins_as_a_reference_is_one_or_is_refused() {
        for (text, expected) in [
            ("{{ akv://job/n }}", Some(Ok("akv://job.vault.azure.net/n"))),
            ("{{ https://a.example/secrets/n }}", Some(Ok("akv://a.example/n"))),
            (
                "{{ @Microsoft.KeyVault(SecretUri=https://job.vault.azure.net/secrets/n) }}",
                Some(Ok("akv://job.vault.azure.net/n")),
            ),
            ("{{ https://a.example/logo.png }}", None),
            ("{{ http://a.example }}", None),
            ("{{ https://job.vault.azure.net/keys/n }}", Some(Err(()))),
            ("{{ http://a.example/secrets/n }}", Some(Err(()))),
            ("{{ akv://job }}", Some(Err(()))),
            ("{{ akv://job/n?optional }}", Some(Err(()))),
            ("{{ akv://job/n | upper }}", Some(Err(()))),
            ("{{ akv://job/n", Some(Err(()))),
            ("{{ akv://job/n {{ x }}", Some(Err(()))),
            ("{{ akv://job/n }", Some(Err(()))),
        ] {
            let found = places(text.as_bytes());
            let read = found.first().unwrap().reference(&settings());
            let read = read.map(|it| it.map(|it| it.canonical()).map_err(drop));
            assert_eq!(read, expected.map(|it| it.map(str::to_owned)), "{text}");
        }
        let bytes = places(b"{{ akv://job/\xff }}");
        assert!(bytes.first().unwrap().reference(&settings()).unwrap().is_err());
    }
}
